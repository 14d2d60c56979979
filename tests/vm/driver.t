#!/bin/bash
# SPDX-License-Identifier: MIT
# The driver on a stock kernel: its interface, on both engines, and a model through it. KERNEL chooses;
# make check-vm builds the module.
kernel=${KERNEL:-6.12} vm=${VM:-build/vm} n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }
[ -f "$vm/$kernel/iau.ko" ] || { echo "Bail out! no iau.ko for $kernel: run make vm-module KERNEL=$kernel"; exit 1; }
model=models/iau-ci/iau-ci-q8_0.gguf
text=$(build/iau run -m $model -e ref -n 24 -p 'Once upon a time' 2> /dev/null)

for engine in ref rtl; do
	out=$(sim/vm/run -d "$vm" -k "$kernel" -e $engine '
build/tests/uapi_test 2>&1
build/iau run -m '$model' -n 24 -p "Once upon a time" 2>/dev/null; echo
rmmod iau && insmod /out/iau.ko && build/iau info
dmesg | grep -E "BUG|WARNING|Oops|Call Trace|iau.*ERROR"
true')
	while read -r result name; do
		[ "$result" = ok ]
		ok $? "$engine: $name"
	done < <(tr -d '\r' <<< "$out" | sed -n 's/^\(ok\|not ok\) [0-9]* - /\1 /p' | sed 's/^not ok/not_ok/')
	[ "$(grep -cE '^(ok|not ok) [0-9]+ - ' <<< "$out")" = 24 ]
	ok $? "$engine: the test of the interface came to its end"
	[ -n "$text" ] && grep -qF "$text" <<< "$out"
	ok $? "$engine: a model writes what it writes in-process"
	grep -q '^engine  */dev/accel/accel0' <<< "$out"
	ok $? "$engine: the module is removed and inserted again"
	! grep -E 'BUG|WARNING|Oops|Call Trace|iau.*ERROR' <<< "$out"
	ok $? "$engine: the kernel has nothing to complain about"
done
echo "1..$n"
exit ${bad:-0}
