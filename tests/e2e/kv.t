#!/bin/bash
# SPDX-License-Identifier: MIT
# KV caches that are kept in files, and that are limited.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
iau=build/iau
ci=models/iau-ci/iau-ci
run() { $iau run "$@" 2>"$dir/err"; }

for engine in ref rtl; do
	args="-m $ci-q8_0.gguf -e $engine"
	whole=$(run $args -n 24 -p "Once upon a time")
	run $args -n 14 -p "Once upon a time" --save-kv "$dir/a" > "$dir/first"
	run $args -n 10 --load-kv "$dir/a" --save-kv "$dir/b" < /dev/null > "$dir/second"
	[ -n "$whole" ] && [ "$whole" = "$(cat "$dir/first" "$dir/second")" ]
	ok $? "$engine: a text in two runs is that of one"
	grep -q "1 prompt + 10 new" "$dir/err"
	ok $? "$engine: of what was kept one token is evaluated again"
done
before=$($iau run -m $ci-q8_0.gguf --load-kv "$dir/b" -p " Then" -n 3 --json |
	python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["tokens_before"], d["prompt_tokens"])')
[ "$before" = "29 1" ]
ok $? "JSON tells how many tokens there were ($before)"
cmp -s "$dir/a" "$dir/b"
[ $? = 1 ] && [ "$(ls "$dir" | grep -c tmp)" = 0 ]
ok $? "files are whole, and no other is left"
a=$(run -m $ci-q8_0.gguf -n 40 -p "Once upon a time")
b=$(run -m $ci-q8_0.gguf -n 40 -p "Once upon a time" --kv-budget 64K)
[ -n "$a" ] && [ "$a" = "$b" ]
ok $? "a budget that suffices changes nothing"

for kv in k8v4 k4v4; do
	a=$(run -m $ci-q8_0.gguf -n 6 --kv=$kv < models/iau-ci/needle-10k.txt | tail -c 40)
	[[ $a == *" $(cat models/iau-ci/needle-10k.answer)"* ]]
	ok $? "the needle among 10,000 tokens is found in $kv"
done

how="-m $ci-q8_0.gguf -n 12 --attention=sparse:2048,prompt=2048"
a=$(run $how < models/iau-ci/needle-10k.txt | tail -c 60)
b=$(run $how --kv-budget 4M < models/iau-ci/needle-10k.txt | tail -c 60)
[ ${#a} = 60 ] && [ "$a" = "$b" ]
ok $? "10,000 tokens within a budget of 4 MiB, by a choice, make the same text"
grep -qE '9936 prompt .* MACs, [1-9][0-9]+ pages of keys and values from host memory\]' "$dir/err"
ok $? "it tells how many pages came"

# refused STATUS TEXT ARGUMENTS...
refused() {
	local want=$1 text=$2
	shift 2
	$iau run -m $ci-q8_0.gguf "$@" > "$dir/out" 2> "$dir/err"
	[ $? = "$want" ] && grep -qF -- "$text" "$dir/err"
	ok $? "refused with \"$text\""
}

head -c 3000 "$dir/a" > "$dir/short"
refused 3 "$dir/none: No such file" -p x --load-kv "$dir/none"
refused 3 "README.md: not a KV cache" -p x --load-kv README.md
refused 3 "$dir/short: 3000 bytes instead of" -p x --load-kv "$dir/short"
refused 3 "$dir/a: the KV cache of another model" -m $ci-q4_0.gguf -p x --load-kv "$dir/a"
refused 3 "$dir/none/a.tmp: No such file" -p x -n 1 --save-kv "$dir/none/a"
refused 3 "the prompt has 1 tokens after 19, the context 19" -p x -c 19 --load-kv "$dir/a"
refused 3 "KV budget of 8192 bytes" -p x --kv-budget 8K
for v in "" k8 k8v16 k8v4x k4v4, k4v4,old=3 k4v8,recent= k4v8,recent=x; do
	refused 2 "--kv: " -p x --kv="$v"
done
for v in "" x 0 -1 8X M 99999999999999999999 99999999999999G; do
	refused 2 "--kv-budget: '$v' is not a number of bytes" -p x --kv-budget "$v"
done
echo "1..$n"
exit ${bad:-0}
