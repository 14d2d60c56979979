#!/bin/bash
# SPDX-License-Identifier: MIT
# The card sleeps when it has nothing to do and when the machine does, in which it forgets everything;
# clients do not notice. KERNEL chooses.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh
card=/sys/bus/pci/devices/0000:01:00.0
setup="rmmod iau; insmod /out/iau.ko autosuspend_ms=20 timeout_ms=1000
mount -t tracefs trace /sys/kernel/tracing; echo 1 > /sys/kernel/tracing/events/iau/iau_reset/enable"
resumes='echo "resumes $(grep -c "resume error=0" /sys/kernel/tracing/trace)"
echo "others $(grep iau_reset: /sys/kernel/tracing/trace | grep -vc "resume error=0")"'
# The shared folders do not outlive a sleep: programs lie in memory meanwhile, and the folders are away.
# What follows runs in a shell of its own, up to $together.
apart='libs=/lib/x86_64-linux-gnu
cp build/tests/reset_test build/tests/hang_client $libs/ld-linux-x86-64.so.2 $libs/libc.so.6 \
	$libs/libdrm.so.2 $libs/libcmocka.so.0 /tmp
cat > /tmp/script << "end of script"
run() (program=/tmp/$1; shift; exec /tmp/ld-linux-x86-64.so.2 --library-path /tmp $program "$@")
umount /iau /out /lib/x86_64-linux-gnu || exit 1
cd /sys/bus/virtio/drivers/9pnet_virtio
shares=$(echo virtio*)
for s in $shares; do echo $s > unbind; done'
together='for s in $shares; do echo $s > bind; done
share() { mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,$3 $1 $2; }
share iau /iau ro; share lib /lib/x86_64-linux-gnu ro; share out /out rw
dmesg | grep -E "BUG|WARNING|Oops|Call Trace" | sed "s/^/kernel: /"
end of script
cd /tmp && exec sh /tmp/script'

# Whoever wakes the machine. QEMU says when it is in S3; in suspend-to-idle it runs, of which its console
# tells: a key that came earlier would keep the kernel awake. One that is silent for too long is ended.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkfifo "$tmp/qmp.in" "$tmp/qmp.out"
wake() {
	local line
	exec 3<> "$tmp/qmp.in" 4<> "$tmp/qmp.out"
	echo '{"execute": "qmp_capabilities"}' >&3
	while read -r line <&4; do
		[[ $line == *'"SUSPEND"'* ]] || continue
		echo "asleep in S3"
		echo '{"execute": "system_wakeup"}' >&3
	done &
	while IFS= read -r -t 300 line; do
		printf '%s\n' "$line"
		[[ $line == *'PM: suspend-to-idle'* ]] || continue
		echo "asleep in s2idle"
		echo '{"execute": "input-send-event", "arguments": {"events": [{"type": "key",
			"data": {"down": true, "key": {"type": "qcode", "data": "spc"}}}]}}' >&3
	done
	kill $!
	echo '{"execute": "quit"}' >&3
}
# doze WAY: sleeps, and says what has woken it. SeaBIOS 1.17 does not tell the chipset again where its
# registers for power are, without which the machine neither sleeps once more nor goes off.
doze='echo 1 > /sys/power/pm_debug_messages
echo N > /sys/module/printk/parameters/console_suspend
echo enabled > /sys/bus/serio/devices/serio0/power/wakeup
chipset=/sys/bus/pci/devices/0000:00:1f.0/config
dd if=$chipset of=/tmp/chipset bs=1 skip=64 count=5 2> /dev/null
doze() {
	echo $1 > /sys/power/mem_sleep
	dmesg -n 8
	echo mem > /sys/power/state
	dmesg -n 4
	dd if=/tmp/chipset of=$chipset bs=1 seek=64 2> /dev/null
	[ $1 = deep ] || echo "woken by $(cat /sys/power/pm_wakeup_irq)"
}
count() { sed -n "s/^jobs //p" /sys/kernel/debug/accel/0*/counters; }
go_on() {
	local before=$(count)
	for i in $(seq 600); do
		[ $(count) -le $((before + 10)) ] || { echo "went on"; return; }
		usleep 100000
	done
	false
}'

for engine in ${ENGINES:-ref rtl}; do
	# nothing to do; counters go on over it, and are read without waking it
	guest -e "$engine" "$setup
for i in 1 2 3 4 5 6 7 8 9 10; do build/tests/hang_client copy 3; usleep 100000; done | sort | uniq -c
echo \"state \$(cat $card/power/runtime_status) \$(cat $card/power_state)\"
echo \"jobs \$(sed -n 's/^jobs //p' /sys/kernel/debug/accel/0*/counters)\"
echo \"still \$(cat $card/power/runtime_status)\"
exec 3< /dev/accel/accel0; usleep 100000
echo \"open \$(cat $card/power/runtime_status)\"
echo 1 > $card/reset; build/tests/hang_client copy 3
usleep 100000; rmmod iau 2> /dev/null; echo 0000:01:00.0 > $card/driver/unbind; [ -e $card/driver ] || echo unbound
exec 3<&-; rmmod iau && insmod /out/iau.ko autosuspend_ms=-1 && usleep 100000
echo \"never \$(cat $card/power/runtime_status)\"
$resumes"
	[ "$(said state)" = "suspended D3hot" ]
	ok $? "$engine: without jobs it is suspended"
	grep -q '^ *10 copied' <<< "$out"
	ok $? "$engine: jobs wake it, 10 times"
	[ "$(said jobs) $(said still)" = "30 suspended" ]
	ok $? "$engine: counters go on over it, and are read without waking it"
	[ "$(said open)" = suspended ]
	ok $? "$engine: an open file does not keep it awake"
	grep -q '^copied' <<< "$out"
	ok $? "$engine: a device that was reset in its sleep works"
	grep -q '^unbound' <<< "$out"
	ok $? "$engine: a sleeping device with an open file is unbound"
	[ "$(said never)" = active ]
	ok $? "$engine: autosuspend_ms=-1 keeps it awake"
	clean

	# the machine sleeps less and less lightly, at first without the card forgetting anything
	guest -e "$engine" -a suspend.pm_test_delay=1 "$setup
$apart
run reset_test busy /tmp/over &
sleep 1
for depth in devices platform core; do
	echo \$depth > /sys/power/pm_test
	echo mem > /sys/power/state && echo slept
	sleep 1
done
touch /tmp/over; wait \$!
$resumes
$together"
	tap "$engine: sleep under load" 1
	[ "$(grep -c '^slept' <<< "$out")" = 3 ]
	ok $? "$engine: the machine has slept three times"
	[ "$(said resumes)" -ge 3 ] && [ "$(said others)" = 0 ]
	ok $? "$engine: the device was resumed"
	clean

	# to the end; by the packed kernel, because QEMU wakes up by a reset, which writes an ELF kernel anew
	console=wake
	guest -e "$engine" -q "-kernel $vm/$kernel/vmlinuz -qmp pipe:$tmp/qmp" "$setup
$apart
$doze
run reset_test busy /tmp/over > /tmp/load &
go_on
for way in deep s2idle deep s2idle; do doze \$way; go_on || break; done
touch /tmp/over; wait \$!
cat /tmp/load
until [ \$(cat $card/power/runtime_status) = suspended ]; do usleep 10000; done
doze deep
run hang_client copy 3
echo \"slept \$(cat /sys/power/suspend_stats/success)\"
$resumes
$together"
	console='cat'
	tap "$engine: real sleep under load" 1
	[ "$(said slept) $(grep -c '^asleep in S3' <<< "$out")" = "5 3" ]
	ok $? "$engine: the machine has slept in S3 three times"
	[ "$(grep -c '^asleep in s2idle' <<< "$out") $(grep -c '^woken by 1$' <<< "$out")" = "2 2" ]
	ok $? "$engine: it was idle twice, until a key was pressed"
	[ "$(grep -c '^went on' <<< "$out")" = 5 ]
	ok $? "$engine: clients go on after each time"
	grep -q '^copied' <<< "$out"
	ok $? "$engine: so does a card that was asleep before the machine"
	[ "$(said resumes)" -ge 5 ] && [ "$(said others)" = 0 ]
	ok $? "$engine: the device was resumed after each sleep"
	clean
done

# Kept awake without jobs it is left alone: looks at it come to an end, after each job again. A watchdog
# that went on would look 125 times in each of the pauses.
quiet() {
	echo "rmmod iau; insmod /out/iau.ko $1 timeout_ms=16
echo $2 > $card/power/control
mount -t tracefs trace /sys/kernel/tracing; echo 1 > /sys/kernel/tracing/events/iau/iau_look/enable
looks() { grep -c iau_look: /sys/kernel/tracing/trace; }
for round in 1 2; do
	before=\$(looks)
	build/tests/hang_client copy 3
	for i in \$(seq 30); do
		looks=\$(looks); usleep 500000
		[ \$looks = \$before ] || [ \$looks != \$(looks) ] || { echo left alone; break; }
	done
done
echo state \$(cat $card/power/runtime_status)"
}
while read -r options control what; do
	guest -e ref "$(quiet "$options" "$control")"
	[ "$(grep -c '^copied' <<< "$out")" = 2 ] && [ "$(said state)" = active ]
	ok $? "$what: it is awake"
	[ "$(grep -c '^left alone' <<< "$out")" = 2 ]
	ok $? "$what: and is looked at only for jobs"
	clean
done <<END
autosuspend_ms=-1 auto no autosuspend
autosuspend_ms=20 on no runtime power management
END

# a job that does not end: the machine stays awake, and the job goes on
guest -e ref -a suspend.pm_test_delay=1 "$setup
$apart
/tmp/ld-linux-x86-64.so.2 --library-path /tmp /tmp/hang_client loop 1 & loop=\$!
sleep 1
echo devices > /sys/power/pm_test
echo mem > /sys/power/state 2> /dev/null || echo busy
echo \"runs \$(grep -c 'tag 0xbad' /sys/kernel/debug/accel/0*/rings)\"
kill \$loop; wait \$loop
run hang_client copy 3
echo mem > /sys/power/state && echo slept
run hang_client copy 3
$together"
grep -q '^busy' <<< "$out" && [ "$(said runs)" = 1 ]
ok $? "a job that does not end keeps the machine awake, and goes on"
[ "$(grep -c '^copied' <<< "$out")" = 2 ] && grep -q '^slept' <<< "$out"
ok $? "without it the machine sleeps"
clean
finish
