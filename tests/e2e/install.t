#!/bin/bash
# SPDX-License-Identifier: MIT
# make install into a staging folder; the program of docs/libiau.md against what was installed.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
prefix=$dir/usr/local
model=models/iau-ci/iau-ci-q8_0.gguf
unset MAKEFLAGS MAKELEVEL

make install DESTDIR="$dir" PREFIX=/usr/local > "$dir/log" 2>&1 || sed 's/^/# /' "$dir/log"
[ -x "$prefix/bin/iau" ] && [ -e "$prefix/lib/libiau.so" ]
ok $? "make install"

# Public functions are those that a header declares at the start of a line or after its type.
grep -hE '^[a-z].*\biau_[a-z0-9_]+\(' "$prefix"/include/iau/*.h | grep -oE 'iau_[a-z0-9_]+\(' |
	tr -d '(' | sort -u > "$dir/declared"
nm -D --defined-only "$prefix/lib/libiau.so" | sed -nE 's/.* T ([^@]*)@@IAU_0$/\1/p' | sort > "$dir/exported"
diff "$dir/declared" "$dir/exported" | sed 's/^/# /'
cmp -s "$dir/declared" "$dir/exported"
ok $? "the library exports what the headers declare ($(wc -l < "$dir/exported") functions)"
[ "$(nm -D --defined-only "$prefix/lib/libiau.so" | grep -vcE '@@IAU_0$| A IAU_0$')" = 0 ]
ok $? "and nothing else"

for h in "$prefix"/include/iau/*.h; do
	gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" -fsyntax-only -x c "$h"
	ok $? "iau/${h##*/} stands alone"
done

# The staged files name their final place; PKG_CONFIG_SYSROOT_DIR puts the stage before it.
export PKG_CONFIG_SYSROOT_DIR=$dir PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
sed -n '/^```c$/,/^```$/p' docs/libiau.md | sed '/^```/d' > "$dir/example.c"
gcc -std=c11 -Wall -Wextra -Werror -o "$dir/example" "$dir/example.c" $(pkg-config --cflags --libs libiau)
ok $? "the program of docs/libiau.md compiles with pkg-config"
out=$("$dir/example" $model "Once upon a time" rtl)
text=$(head -n 1 <<< "$out")
[ -n "$text" ] && grep -qxF -- "$text" docs/libiau.md
ok $? "it writes what the page shows"
[[ $out == *$'\n'[1-9]*" cycles" ]]
ok $? "it counts cycles"
[ "$("$dir/example" $model "Once upon a time" ref | head -n 1)" = "$text" ]
ok $? "the reference model writes the same text"
out=$("$dir/example" /nonexistent x 2>&1)
[ $? = 1 ] && [[ $out == *nonexistent* ]]
ok $? "a failure has a message"
[ -s "$prefix/share/man/man1/iau.1" ] && [ -s "$prefix/share/bash-completion/completions/iau" ]
ok $? "manual page and completion are installed"
echo "1..$n"
exit ${bad:-0}
