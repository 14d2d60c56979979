#!/bin/bash
# SPDX-License-Identifier: MIT
# The driver on a stock kernel: its selftests, on both engines, and a model through it. KERNEL chooses;
# make check-vm builds the module.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh
tests=build/kselftest/drivers/accel/iau
programs=$(sed -n 's/^TEST_GEN_PROGS := //p' $tests/Makefile)
least=300 # cases that there were when this was written; it only grows
model=models/iau-ci/iau-ci-q8_0.gguf
text=$(build/iau run -m $model -e ref -n 24 -p 'Once upon a time' 2> /dev/null)

for engine in ${ENGINES:-ref rtl}; do
	guest -e $engine "
for t in $programs; do echo \"# program \$t\"; $tests/\$t 2>&1; done
build/iau run -m $model -n 24 -p 'Once upon a time' 2>/dev/null; echo
page() { od -An -tx4 -j 164 -N 4 /sys/bus/pci/devices/0000:01:00.0/config; }
echo pages \$(page; rmmod iau; page)
insmod /out/iau.ko && build/iau info"
	kselftests $engine
	[ "$(grep -c '^ok [0-9]' <<< "$out")" -ge $least ]
	ok $? "$engine: at least $least cases passed"
	[ -n "$text" ] && grep -qF "$text" <<< "$out"
	ok $? "$engine: a model writes what it writes in-process"
	grep -q '^engine  */dev/accel/accel0' <<< "$out"
	ok $? "$engine: the module is removed and inserted again"
	# its address, with bit 0 set, in the capability; the driver has freed it
	[[ $(said pages) =~ ^[0-9a-f]{7}1\ 00000000$ ]]
	ok $? "$engine: a card without its driver has forgotten the doorbell page"
	clean
done
finish
