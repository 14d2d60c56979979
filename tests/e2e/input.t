#!/bin/bash
# SPDX-License-Identifier: MIT
# What goes wrong outside: each failure has its exit status and a message that says what and where.
# IAU chooses another binary, such as one built with sanitizers.
iau=${IAU:-build/iau}
model=models/iau-ci/iau-ci-q8_0.gguf
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }

# status TEXT ARGUMENTS...: iau gives this exit status, and a line on standard error with TEXT; the
# other way nothing. Standard input is the caller's.
fails() {
	local want=$1 text=$2 got
	shift 2
	"$iau" "$@" > "$dir/out" 2> "$dir/err"
	got=$?
	[ $got = "$want" ] && [ ! -s "$dir/out" ] && grep -qF -- "$text" "$dir/err" &&
		! grep -qE 'Sanitizer|runtime error' "$dir/err"
	ok $? "exit status $want, \"$text\": iau ${*//$dir\//}"
	[ $got = "$want" ] || sed 's/^/# /' "$dir/err"
}

head -c 100000 $model > "$dir/short.gguf"
touch "$dir/empty.gguf"
printf 'GGUF\377\377\377\377' > "$dir/version.gguf"
cp $model "$dir/secret.gguf"
chmod 000 "$dir/secret.gguf"
head -c 8000 models/iau-ci/held-out.txt > "$dir/long.txt"

exec < /dev/null
for c in run "bench" eval "tokenize -" "perplexity -"; do
	fails 2 "no model: give -m FILE" $c
done
fails 3 "/nonexistent: No such file or directory" run -m /nonexistent -p x
fails 3 "$dir: not a regular file" run -m "$dir" -p x
[ "$(id -u)" = 0 ] || fails 3 "secret.gguf: Permission denied" run -m "$dir/secret.gguf" -p x
fails 3 "README.md: " run -m README.md -p x
fails 3 "empty.gguf: " run -m "$dir/empty.gguf" -p x
fails 3 "short.gguf: " run -m "$dir/short.gguf" -p x
fails 3 "version.gguf: " run -m "$dir/version.gguf" -p x

for c in run bench info "tokenize $dir/long.txt" "perplexity $dir/long.txt"; do
	fails 2 "unrecognized option '--bogus'" $c -m $model --bogus
done
fails 2 "unknown command 'frob'" frob
fails 2 "Usage: iau COMMAND"
fails 2 "Too many arguments" run -m $model -p x y
fails 2 "one file at a time" tokenize -m $model a b
fails 2 "no text" perplexity -m $model
for v in "" x -1 1x 99999999999999999999; do
	fails 2 "--tokens: '$v' is not a whole number" run -m $model -p x -n "$v"
done
for v in "" x -1 1048577; do
	fails 2 "--ahead: '$v' is not a whole number from 0 to 1048576" run -m $model -p x --ahead "$v"
done
fails 2 "--ahead: no token" run -m $model -p x --ahead 0
fails 2 "--ahead: no token" bench -m $model -a 0
fails 2 "--ahead: a batch has one token of each sequence in a job" bench -m $model -B 1,2 -a 2
for v in "" x -1 nan 101; do
	fails 2 "--temperature: '$v' is not a number from 0 to 100" run -m $model -p x -t "$v"
done
fails 3 "engine 'fpga': unknown; there are rtl, ref and ref:2" run -m $model -p x -e fpga
fails 3 "engine 'fpga'" info -e fpga

fails 3 "/nonexistent: No such file" tokenize -m $model /nonexistent
fails 3 "/nonexistent: No such file" perplexity -m $model /nonexistent
fails 3 "$dir: Is a directory" perplexity -m $model "$dir"
fails 3 "standard input: Is a directory" run -m $model < "$dir"
fails 3 "-: fewer than two tokens" perplexity -m $model -
fails 3 "tokens, the context 64" run -m $model -c 64 < "$dir/long.txt"
fails 3 "tokens, the context 10240" run -m $model < <(cat models/iau-ci/needle-10k.txt "$dir/long.txt")
fails 3 "do not fit the context of 100" perplexity -m $model -c 100 "$dir/long.txt"
fails 3 "do not fit the context of 32" bench -m $model -c 32 -p 33

fails 2 "--tasks: 'bogus': unknown; there are passkey keys" eval -m $model -T keys,bogus
fails 2 "--tasks: no task" eval -m $model -T ,
fails 2 "--lengths: 511: needles and a question need 512" eval -m $model -l 1024,511
fails 2 "--contexts: no context" eval -m $model -n 0
fails 3 "--lengths: 10241 tokens do not fit the context of 10240" eval -m $model -l 10241
fails 3 "tokens after 0 do not fit the context of 600" eval -m $model -c 600 -T recall
fails 3 "--tasks: no question" eval -m $model -T two-hop -l 512 -n 1
fails 3 "/nonexistent: No such file" eval -m $model --pool /nonexistent
fails 3 "README.md: line 1: " eval -m $model --pool README.md
fails 3 "another vocabulary" eval -m $model --against models/iau-demo/iau-demo-q4_0.gguf
fails 3 "/nonexistent: No such file" eval -m $model --against /nonexistent
fails 3 "--svg: '$dir/no/map.svg': No such file" eval -m $model --svg "$dir/no/map.svg"
fails 3 "--svg: 'it's.svg': not a name" eval -m $model --svg "it's.svg"
fails 3 "none of the tasks has a depth" eval -m $model --svg "$dir/map.svg" -T copy

fails 3 "--prompt: byte 2 (0xff) is not UTF-8" run -m $model -p $'ab\xff'
fails 3 "--prompt: byte 0 (0xc0) is not UTF-8" run -m $model -p $'\xc0\x80'
fails 3 "standard input: byte 4 (0xe2) is not UTF-8" run -m $model < <(printf 'abc\n\xe2\x82')
fails 3 "standard input: byte 1 (0xed) is not UTF-8" run -m $model < <(printf 'a\xed\xa0\x80')
fails 3 "standard input: byte 0 (0xf4) is not UTF-8" run -m $model < <(printf '\xf4\x90\x80\x80')

fails 3 "weights: no room for" run -m $model -p x --memory 4
fails 3 "KV cache of 10240 tokens: no room for" run -m $model -p x --memory 12
fails 3 "2 MiB to 64 GiB are possible" run -m $model -p x --memory 1
"$iau" run -m $model -p x -n 1 --memory 16 -c 1024 > /dev/null 2>&1
ok $? "a smaller context fits"

# A full disk, and a reader that goes away
"$iau" tokenize -m $model "$dir/long.txt" > /dev/full 2> "$dir/err"
[ $? = 3 ] && grep -qF "standard output: No space left on device" "$dir/err"
ok $? "output that cannot be written is an error"
"$iau" run -m $model -p x -n 20 > /dev/full 2> "$dir/err"
[ $? = 3 ] && grep -qF "standard output: " "$dir/err"
ok $? "also of streamed text"

# interrupt WHEN ARGUMENTS...: SIGINT when the output file holds WHEN bytes; the exit status.
interrupt() {
	local when=$1 pid
	shift
	: > "$dir/out"
	"$iau" "$@" > "$dir/out" 2> "$dir/err" &
	pid=$!
	while kill -0 $pid 2> /dev/null && [ "$(stat -c %s "$dir/out")" -lt "$when" ]; do sleep 0.02; done
	kill -INT $pid
	wait $pid
}

set -m # children in the background hear SIGINT
# on ref a story is over before anybody looks
interrupt 60 run -m $model -e rtl -p "Once upon a time" -n 100000 -t 1
ok $((! ($? == 130))) "SIGINT while text is written: exit status 130"
grep -qE '^\[rtl: 5 prompt \+ [0-9]+ new tokens, .* [0-9]+ bytes, [0-9]+ MACs\]$' "$dir/err"
ok $? "the line of figures is there ($(tail -n 1 "$dir/err"))"
[[ $(head -c 30 "$dir/out") == "Once upon a time there "* ]] && iconv -f utf8 "$dir/out" > /dev/null
ok $? "so is the text, whole characters of it"
interrupt 100 run -m $model < models/iau-ci/needle-10k.txt
ok $((! ($? == 130))) "SIGINT in a long prompt: exit status 130"
grep -qE '^\[ref: 9936 prompt \+ 0 new tokens' "$dir/err"
ok $? "with its figures ($(tail -n 1 "$dir/err"))"
"$iau" perplexity -m $model models/iau-ci/held-out.txt > "$dir/out" 2> "$dir/err" &
sleep 0.5
kill -INT $!
wait $!
ok $((! ($? == 130))) "SIGINT while a text is measured: exit status 130"
mkfifo "$dir/fifo"
"$iau" run -m $model < "$dir/fifo" > "$dir/out" 2> "$dir/err" &
pid=$!
exec 3> "$dir/fifo"
while [ "$(readlink /proc/$pid/fd/0)" != "$dir/fifo" ] || ! grep -q '^SigCgt:.*[2367abef]$' /proc/$pid/status; do
	sleep 0.02
done
kill -INT $pid
wait $pid
ok $((! ($? == 130))) "SIGINT while the prompt is read: exit status 130"
exec 3>&-
grep -qE 'Sanitizer|runtime error' "$dir/err"
ok $((! $?)) "nothing leaks"
echo "1..$n"
exit ${bad:-0}
