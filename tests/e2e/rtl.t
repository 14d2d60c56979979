#!/bin/bash
# SPDX-License-Identifier: MIT
# The Verilated device against the reference model on a whole model: every logit, and cycles.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }
iau=build/iau
ci=models/iau-ci/iau-ci

field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

for q in q8_0 q4_0; do
	for e in ref rtl; do
		$iau perplexity -m $ci-$q.gguf -n 256 -e $e --json models/iau-ci/held-out.txt > build/e2e.$e.json
		ok $? "256 tokens of $q on $e"
	done
	cmp build/e2e.ref.json build/e2e.rtl.json >/dev/null
	ok $? "$q: logits of 256 positions are identical bits ($(field logits_fnv1a < build/e2e.rtl.json))"
done
for e in ref rtl; do
	$iau run -m $ci-q4_0.gguf -n 20 -e $e --json -p 'Once upon a time' > build/e2e.$e.json
done
[ "$(field text < build/e2e.ref.json)" = "$(field text < build/e2e.rtl.json)" ]
ok $? "decoded text is the same"
[ "$(field macs < build/e2e.ref.json) $(field bytes < build/e2e.ref.json)" = \
	"$(field macs < build/e2e.rtl.json) $(field bytes < build/e2e.rtl.json)" ]
ok $? "counters that do not depend on time are the same"
a=$(field cycles < build/e2e.rtl.json)
b=$($iau run -m $ci-q4_0.gguf -n 20 -e rtl --json -p 'Once upon a time' | field cycles)
[ "$a" -gt 0 ] && [ "$a" = "$b" ]
ok $? "device cycles are the same from run to run ($a)"
a=$($iau run -m $ci-q8_0.gguf -n 8 -e rtl -L 300 -p 'Once upon a time' 2>/dev/null)
b=$($iau run -m $ci-q8_0.gguf -n 8 -e ref -p 'Once upon a time' 2>/dev/null)
[ -n "$a" ] && [ "$a" = "$b" ]
ok $? "a latency of 300 cycles changes no text"
echo "1..$n"
exit ${bad:-0}
