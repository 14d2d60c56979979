#!/bin/bash
# SPDX-License-Identifier: MIT
# The program of docs/uapi.md, as the page shows it.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh
dir=build/tests/uapi-example
mkdir -p $dir
sed -n '/^```c$/,/^```$/p' docs/uapi.md | sed '/^```/d' > $dir/copy.c
# shellcheck disable=SC2046
gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -o $dir/copy $dir/copy.c -Iuapi $(pkg-config --cflags --libs libdrm)
ok $? "the program of docs/uapi.md compiles"
for engine in ${ENGINES:-ref rtl}; do
	guest -e $engine "$dir/copy /dev/accel/accel0; echo exit \$?
$dir/copy /dev/null; echo exit \$?"
	shown=$(sed -n '/^\$ .\/copy/{n;p}' docs/uapi.md)
	[ -n "$shown" ] && [ "$(head -n 2 <<< "$out")" = "$shown"$'\n'"exit 0" ]
	ok $? "$engine: it writes what the page shows"
	[ "$(tail -n 1 <<< "$out")" = "exit 1" ]
	ok $? "$engine: it says so if the node is another's"
	clean
done
finish
