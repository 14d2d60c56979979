#!/bin/bash
# SPDX-License-Identifier: MIT
# libiau through the driver does what it does in-process: the same text and, on rtl, the same device
# cycles, whatever the kernel and its driver did in between; memory that grows page by page.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh

for model in q8_0 q4_0; do
	for engine in ref rtl; do
		args="-m models/iau-ci/iau-ci-$model.gguf -n 40 -p 'Once upon a time'"
		here=$(eval "build/iau run -e $engine $args" 2>&1)
		guest -e $engine "build/iau run $args 2>&1"
		# the last line is that of the figures, which begins with the device's name
		text=${here%$'\n'*} figures=${here##*: }
		[ -n "$text" ] && [ "$text" = "${out%$'\n'*}" ]
		ok $? "$model on $engine: the text is that of the engine in-process"
		[ -n "$figures" ] && [ "$figures" = "${out##*: }" ]
		ok $? "$model on $engine: so are tokens, cycles, bytes and MACs: $figures"
	done
done
# a signal ends a wait for a job, and the job is neither lost nor submitted again
guest -e ref 'run() { build/iau run -m models/iau-ci/iau-ci-q8_0.gguf -n 100 --ahead 1 -p Once 2>/dev/null; }
run > /tmp/quiet
run > /tmp/loud &
until p=$(pidof iau) || [ -s /tmp/loud ]; do usleep 1000; done
signals=0
while kill -STOP $p && kill -CONT $p; do signals=$((signals + 1)); usleep 1000; done 2> /dev/null
wait; cmp /tmp/quiet /tmp/loud && echo "same text in spite of $signals signals"'
grep -q "^same text in spite of [1-9][0-9]\+ signals" <<< "$out"
ok $? "stopped and continued all the time, the text is the same"
clean
guest -e ref 'export IAU_NODE=/dev/accel/accel0
build/tests/libiau/test_buffers 2>&1
build/tests/libiau/test_generate 2>&1
build/tests/libiau/test_kv_growth 2>&1
build/tests/libiau/test_kv_share 2>&1
build/tests/libiau/test_kv_budget 2>&1
build/tests/libiau/test_kv_cold 2>&1
build/tests/libiau/test_kv_file 2>&1
build/tests/libiau/test_kv_packed 2>&1
build/tests/libiau/test_rotation 2>&1
build/tests/libiau/test_batch 2>&1'
tap "libiau on the card" 103
clean
finish
