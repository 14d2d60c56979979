#!/bin/bash
# SPDX-License-Identifier: MIT
# What checkers say of the driver, its interface and its selftests: nothing. make check-driver fetches
# them. KERNEL chooses the kernel that is compiled against.
kernel=${KERNEL:-6.12} vm=${VM:-build/vm} build=${B:-build} n=0 bad=0
tree=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# quiet NAME FILE: passes if nothing is in FILE
quiet() {
	n=$((n + 1))
	if [ -s "$2" ]; then sed 's/^/# /' "$2"; echo "not ok $n - $1"; bad=1; else echo "ok $n - $1"; fi
}

# The compiler with all its warnings, and sparse where it knows the kernel's C: that of Debian 13 does
# not know 7.3's any more.
checks=(W=1)
[ "$kernel" != 6.12 ] || checks+=(C=2 CHECK=sparse)
sim/vm/module "$vm" "$kernel" "$build" "${checks[@]}" > "$tmp/build" 2>&1 || echo "it does not build" >> "$tmp/build"
grep -vE '^(make|  (CC|LD|CHECK|MODPOST) )' "$tmp/build" > "$tmp/out"
grep -q 'CC .*iau_drv' "$tmp/build" || echo "nothing was compiled" >> "$tmp/out"
quiet "kernel $kernel, ${checks[*]}" "$tmp/out"

# checkpatch NAME IGNORED FILE...
checkpatch() {
	perl "$vm/kit/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary \
		${2:+--ignore "$2"} --max-line-length=100 -f "${@:3}" > "$tmp/out" 2>&1
	quiet "checkpatch: $1" "$tmp/out"
}
# The kernel-doc above a structure says what its locks protect.
checkpatch "driver" UNCOMMENTED_DEFINITION \
	$(ls driver/*.[ch] driver/probe/*.c | grep -v iau_trace.h)
# No header of tracepoints looks like other code.
checkpatch "tracepoints" OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT driver/iau_trace.h
# BIT() is not for userspace.
checkpatch "interface" BIT_MACRO uapi/drm/*.h
# Programs have uint32_t and no BIT(); the harness takes code in parentheses as macros do.
checkpatch "selftests" BIT_MACRO,PREFER_KERNEL_TYPES,COMPLEX_MACRO,MACRO_WITH_FLOW_CONTROL,MACRO_ARG_REUSE,STATIC_CONST_CHAR_ARRAY \
	tests/kselftest/drivers/accel/iau/*.[ch]

# Two of the kernel's scripts are written in OCaml: one is about another driver's tables, what the
# other one looks for (pointers compared with 0) sparse finds, too.
sim/vm/in-root "$vm/builder" "$tree/$vm/kit=/kit" "$tree/driver=/driver" -- sh -c '
	for f in $(find /kit/scripts/coccinelle -name "*.cocci" | sort); do
		case $f in */check_bq27xxx_data.cocci | */badzero.cocci) continue ;; esac
		spatch -D report --no-show-diff --very-quiet --no-includes --include-headers \
			--cocci-file $f --dir /driver 2>&1 | grep -v "^$\|should .* be a metavariable"
		ran=$((ran + 1))
	done
	[ $ran -ge 60 ] || echo "only $ran scripts"' > "$tmp/out" 2>&1
quiet "coccinelle" "$tmp/out"

# The structures of the interface: no hole, no padding, and the same with 32 bits.
structs=$(sed -n 's/^struct \(drm_iau_[a-z_]*\) {/\1/p' uapi/drm/iau_accel.h)
for s in $structs; do echo "struct $s a_$s;"; done > "$tmp/structs"
{ echo '#include <drm/iau_accel.h>'; cat "$tmp/structs"; } > "$tmp/layout.c"
for bits in 32 64; do
	clang-19 -m$bits -g -c -Iuapi -isystem /usr/include/libdrm -isystem /usr/include/x86_64-linux-gnu \
		-o "$tmp/layout$bits.o" "$tmp/layout.c" || echo "not compiled" > "$tmp/layout$bits"
	sim/vm/in-root "$vm/builder" "$tmp=/mnt" -- pahole -F dwarf "/mnt/layout$bits.o" 2>&1 |
		grep -v cacheline > "$tmp/layout$bits"
done
: > "$tmp/out"
[ "$(grep -c '^struct drm_iau' "$tmp/layout64")" = "$(wc -l < "$tmp/structs")" ] ||
	echo "pahole does not show all structures" > "$tmp/out"
grep -E 'XXX|hole|padding' "$tmp"/layout* >> "$tmp/out"
quiet "no holes in the interface's structures" "$tmp/out"
diff "$tmp/layout32" "$tmp/layout64" > "$tmp/out"
quiet "the interface is the same with 32 bits" "$tmp/out"
echo "1..$n"
exit $bad
