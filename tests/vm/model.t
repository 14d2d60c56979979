#!/bin/bash
# SPDX-License-Identifier: MIT
# Whole models through the driver do what they do in-process: the same text, and on rtl the same
# device cycles, whatever the kernel and its driver did in between.
kernel=${KERNEL:-6.12} vm=${VM:-build/vm} n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }
[ -f "$vm/$kernel/iau.ko" ] || { echo "Bail out! no iau.ko for $kernel: run make vm-module KERNEL=$kernel"; exit 1; }

for model in q8_0 q4_0; do
	for engine in ref rtl; do
		args="-m models/iau-ci/iau-ci-$model.gguf -n 40 -p 'Once upon a time'"
		here=$(eval "build/iau run -e $engine $args" 2>&1)
		there=$(sim/vm/run -d "$vm" -k "$kernel" -e $engine "build/iau run $args 2>&1" | tr -d '\r')
		# the last line is that of the figures, which begins with the device's name
		text=${here%$'\n'*} figures=${here##*: }
		[ -n "$text" ] && [ "$text" = "${there%$'\n'*}" ]
		ok $? "$model on $engine: the text is that of the engine in-process"
		[ -n "$figures" ] && [ "$figures" = "${there##*: }" ]
		ok $? "$model on $engine: so are tokens, cycles, bytes and MACs: $figures"
	done
done
echo "1..$n"
exit ${bad:-0}
