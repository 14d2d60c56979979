#!/bin/bash
# SPDX-License-Identifier: MIT
# Whole models on the reference model: known answers, and errors that say what is wrong.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }
iau=build/iau
ci=models/iau-ci/iau-ci

for m in iau-ci/iau-ci-q8_0 iau-ci/iau-ci-q4_0 iau-demo/iau-demo-q8_0 iau-demo/iau-demo-q4_0; do
	ppl=$($iau perplexity -m models/$m.gguf -n 2000 --json models/${m%/*}/held-out.txt |
		python3 -c 'import json,sys; print(json.load(sys.stdin)["perplexity"])')
	python3 -c "import sys; sys.exit(not 1.3 < $ppl < 1.8)"
	ok $? "held-out perplexity of ${m#*/} is that of a trained model ($ppl)"
done
a=$($iau run -m $ci-q8_0.gguf -n 6 < models/iau-ci/needle-10k.txt 2>/dev/null | tail -c 40)
[[ $a == *" $(cat models/iau-ci/needle-10k.answer)"* ]]
ok $? "the needle among 10,000 tokens is found"
a=$($iau run -m $ci-q8_0.gguf -n 40 -p 'Once upon a time' 2>/dev/null)
b=$($iau run -m $ci-q8_0.gguf -n 40 -p 'Once upon a time' 2>/dev/null)
[ -n "$a" ] && [ "$a" = "$b" ]
ok $? "greedy text is the same from run to run"
# how many tokens, and their text
written() { $iau run -m $ci-q8_0.gguf --json "$@" < /dev/null |
	python3 -c 'import json,sys; r = json.load(sys.stdin); print(r["tokens"], r["text"])'; }
for args in "-n 40" "-n 1000" "-n 1000 -c 64" "-n 1" "-n 40 --repeat-penalty 1.5"; do
	# shellcheck disable=SC2086 # words
	a=$(written -p Once $args --ahead 1)
	for ahead in 2 7 128 1000000; do
		# shellcheck disable=SC2086 # words
		[ "$a" = "$(written -p Once $args --ahead $ahead)" ] || break
	done
	[ -n "$a" ] && [ $ahead = 1000000 ]
	ok $? "the same text, however many tokens go ahead: run $args"
done
for m in "run -m /nonexistent -p x" "run -m README.md -p x" "run -m $ci-q8_0.gguf -p x --engine z" \
	"run -m $ci-q8_0.gguf -p x --ctx 2x" "run -p x" "run -m $ci-q8_0.gguf -p x --bogus" "frob"; do
	out=$($iau $m 2>&1 >/dev/null < /dev/null)
	[ $? -ne 0 ] && [ -n "$out" ]
	ok $? "refused: iau $m"
done
out=$($iau run -m $ci-q8_0.gguf -c 64 < models/iau-ci/held-out.txt 2>&1 >/dev/null)
[ $? = 3 ] && [[ $out == *context* ]]
ok $? "a prompt longer than the context is refused"
echo "1..$n"
exit ${bad:-0}
