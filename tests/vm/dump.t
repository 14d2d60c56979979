#!/bin/bash
# SPDX-License-Identifier: MIT
# Core dumps: a fault and a hang leave one each, which iau dump reads down to the command. KERNEL chooses.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh

# json NAME: the value of a member of the dump that the guest wrote out
json() { python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): d = d[k]
print(d)' "$dir/$1.json" "$2"; }
# is NAME MEMBER VALUE
is() { [ "$(json "$1" "$2")" = "$3" ]; ok $? "$engine: $1: $2 is $3"; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for engine in ref rtl; do
	guest -e $engine -o "$dir" -c '--stall 2' '
rmmod iau; insmod /out/iau.ko timeout_ms=200
dump() {
	# it comes once the job is over
	for i in $(seq 100); do [ -e /sys/class/devcoredump/devcd* ] && break; usleep 20000; done
	for d in /sys/class/devcoredump/devcd*; do
		cp $d/data /tmp/dump && echo 1 > $d/data
		build/iau dump --json /tmp/dump > /out/$1.json
		build/iau dump -n 1 /tmp/dump > /out/$1.txt
	done
}
build/tests/hang_client store; dump fault
build/tests/hang_client copy 2; dump hang
head -c 1000 /tmp/dump > /tmp/cut; build/iau dump /tmp/cut; echo "cut $?"
build/iau dump /iau/README.md; echo "other $?"
build/tests/hang_client copy 1
ls -d /sys/class/devcoredump/devcd*/failing_device 2> /dev/null && echo "left something"
'
	is fault reason fault
	is fault fault.code unmapped
	is fault fault.va $((0x30000))
	is fault fault.offset 64
	is fault job.tag $((0xbad))
	is fault job.process hang_client
	is fault job.retired 1
	is fault command.op STORE
	is fault command.exact True
	is fault command.fields.VA $((0x30000))
	is fault command.fields.ROW_BYTES 4096
	is fault device 0000:01:00.0
	is fault registers.ID $((0x30554149))
	grep -q '^> *0x40  STORE  ROW_BYTES=0x1000 VA=0x30000 ROWS=1' "$dir/fault.txt"
	ok $? "$engine: the command that faulted is marked"
	grep -q '0x20000 .* bytes$' "$dir/fault.txt" && ! grep -q '0x30000 .* bytes' "$dir/fault.txt"
	ok $? "$engine: what was mapped is shown, and only that"
	is hang reason hang
	is hang fault None
	is hang command.known True
	is hang command.op LOAD
	is hang command.offset 0
	is hang command.fields.VA $((0x20000))
	grep -q '0x30000 .* bytes write$' "$dir/hang.txt"
	ok $? "$engine: a mapping to write to is told from others"
	grep -q 'state 0x5' <<< "$out"
	ok $? "$engine: the queue that hung is banned for it"
	[ "$(said cut) $(said other)" = "3 3" ]
	ok $? "$engine: a cut dump and another file are refused"
	grep -q '^copied' <<< "$out"
	ok $? "$engine: the next client's job runs"
	! grep -q '^left' <<< "$out"
	ok $? "$engine: a job that ends leaves no dump"
	clean
done
finish
