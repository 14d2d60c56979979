#!/bin/bash
# SPDX-License-Identifier: MIT
# The driver under pressure: many processes, guilty ones among them, random calls, too little memory, a
# device that loses interrupts and jobs or goes altogether. KERNEL chooses; SEED and SCALE (1) say which and how much.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh
seed=${SEED:-1} scale=${SCALE:-1}
fast="rmmod iau && insmod /out/iau.ko timeout_ms=500 client_mib=64"

# went_well NAME PATTERN: what a program says at its end
went_well() {
	grep -qE "^$2\$" <<< "$out"
	ok $? "$1"
}

guest -e ref "$fast
build/tests/stress/storm $seed 16 $((40 * scale))
build/tests/stress/fuzz $seed $((20000 * scale))
build/tests/stress/gone $((4 * scale))
for i in \$(seq $((10 * scale))); do rmmod iau && insmod /out/iau.ko || break; done
echo reloads \$i
build/iau info | grep ^engine"
went_well "a storm of submissions from 16 processes" "storm failed 0 innocent_banned 0 guilty_banned 0"
went_well "$((20000 * scale)) random calls" "fuzz calls $((20000 * scale)) worked [1-9][0-9]*"
went_well "unbound with clients and jobs, $((4 * scale)) times" "gone rounds $((4 * scale))"
went_well "removed and inserted $((10 * scale)) times" "reloads $((10 * scale))"
went_well "and it works" "engine  */dev/accel/accel0.*"
clean

# More memory is wanted than there is: caches of sequences that rest go to swap, and come back.
swap=$(mktemp)
trap 'rm -f "$swap"' EXIT
truncate -s 1G "$swap"
small=512M
[[ $kernel != *-debug ]] || small=768M
guest -e ref -m $small -q "-blockdev driver=file,filename=$swap,node-name=swap -device nvme,drive=swap,serial=1" "
[ -b /dev/nvme0n1 ] || for m in \$(cat /modules/others); do insmod /modules/\$m; done
mkswap /dev/nvme0n1 && swapon /dev/nvme0n1
build/tests/stress/pressure $seed 4 40 \$((\$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024 - 100)) $((6 * scale))"
went_well "caches outlive that others want their memory" "pressure seed $seed rounds $((6 * scale)) swapped_mib [1-9][0-9]*"
grep '^pressure' <<< "$out" | sed 's/^/# /'
clean

for engine in ${ENGINES:-ref rtl}; do
	guest -e $engine "$fast; build/tests/stress/storm $seed 8 $((20 * scale)) 3"
	went_well "$engine: the guilty cost the innocent nothing" \
		"storm failed 0 innocent_banned 0 guilty_banned [1-9][0-9]*"
	clean
done

# What a device may do wrong, and how many queues of the innocent it may cost
while read -r banned options; do
	guest -e ref -c "$options" "$fast; build/tests/stress/storm $seed 6 $((20 * scale))"
	went_well "$options: $banned banned" "storm failed 0 innocent_banned $banned guilty_banned 0"
	clean
done <<END
0 --drop-irq 20
0 --repeat-irq 20
0 --stall 20:100000
1 --stall 20
1 --corrupt-record 20
END

if [[ $kernel == *-debug ]]; then
	guest -e ref "build/tests/stress/failnth"
	went_well "every allocation of a client's life fails" "failnth allocations [1-9][0-9]+ failed [1-9][0-9]*"
	grep '^failnth' <<< "$out" | sed 's/^/# /'
	clean
	guest -e ref "build/tests/stress/failnth $seed $((60 * scale)) \
	build/iau run -m models/iau-ci/iau-ci-q8_0.gguf -n 2 -p Once 2> /tmp/errors
grep ^failnth /tmp/errors
build/iau info | grep ^engine"
	went_well "allocations of the driver fail while a model runs" \
		"failnth allocations [1-9][0-9]+ seed $seed step [1-9][0-9]* runs [1-9][0-9]+ failed [1-9][0-9]*"
	grep '^failnth' <<< "$out" | sed 's/^/# /'
	went_well "and it works" "engine  */dev/accel/accel0.*"
	clean
fi
finish
