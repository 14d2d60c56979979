#!/bin/bash
# SPDX-License-Identifier: MIT
# Whole models with a binary that IAU names: the same text and logits as build/iau gives.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }

for q in q8_0 q4_0; do
	model=models/iau-ci/iau-ci-$q.gguf
	for c in "run -n 20 -t 0.7 -p x" "perplexity -n 80 --json models/iau-ci/held-out.txt" \
		"tokenize -n 2000 models/iau-ci/held-out.txt" "run -n 4 -p x -e rtl" "bench -p 40 -n 2" \
		"eval -n 1 -l 512 --json --against models/iau-ci/iau-ci-q8_0.gguf"; do
		a=$("$IAU" $c -m $model 2> build/sanitize/err)
		code=$?
		[ $code = 0 ] || sed 's/^/# /' build/sanitize/err
		[[ $c == bench* ]] || [ "$a" = "$(build/iau $c -m $model 2> /dev/null)" ]
		ok $((code || $?)) "iau $c, $q"
	done
done
"$IAU" info --json > /dev/null
ok $? "iau info"
echo "1..$n"
exit ${bad:-0}
