#!/bin/bash
# SPDX-License-Identifier: MIT
# Jobs that hang, cards that do not reset, resets that nobody here asked for, interrupts and records that
# go wrong, a card that dies: each on purpose. Clients that did nothing wrong lose nothing. KERNEL
# chooses; HANGS is how many in a row (200), and HANG_MS when a job of the reference model has hung (100):
# on a busy host a card may not run for as long as a short one allows a good job.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh
load() { echo "rmmod iau; insmod /out/iau.ko $*; mount -t tracefs trace /sys/kernel/tracing; echo 1 > /sys/kernel/tracing/events/iau/iau_reset/enable"; }
resets='echo "queue_resets $(grep -c "queue error=0" /sys/kernel/tracing/trace)"
echo "function_resets $(grep -c "function error=0" /sys/kernel/tracing/trace)"
echo "wedges $(grep -c "wedged error=0" /sys/kernel/tracing/trace)"'
figure() { grep '^# figure' <<< "$out" | sed "s/^# figure/# $1/"; }

# a queue is reset; meant to take timeout_ms and 10 more
ms=${HANG_MS:-100}
guest -e ref -c '--stall-tag 0xbad' "$(load timeout_ms="$ms")
build/tests/reset_test hangs ${HANGS:-200}
$resets
build/tests/hang_client wait 1
build/tests/hang_client wait 3"
tap "hangs on ref" 2
figure "timeout $ms ms"
[ "$(said function_resets) $(said wedges)" = "0 0" ]
ok $? "resets of queues are enough"
# ETIMEDOUT; and ECANCELED for what is behind it
grep -q '^waited: error 0, result -110, state 0x5' <<< "$out" &&
	grep -q '^waited: error 0, result -125, state 0x5' <<< "$out"
ok $? "a submission that waits for a job that hangs says so"
clean
guest -e rtl -c '--stall-tag 0xbad' "$(load timeout_ms=400)
build/tests/reset_test hangs 20
$resets"
tap "hangs on rtl" 2
figure "rtl, timeout 400 ms"
[ "$(said function_resets) $(said wedges)" = "0 0" ]
ok $? "resets of queues are enough on rtl"
clean

# jobs that move for ever, for whose commands timeout_ms is no limit
guest -e ref "$(load timeout_ms=16000 job_ms=4000)
build/tests/reset_test endless 3
$resets"
tap "endless jobs" 2
[ "$(said queue_resets) $(said function_resets) $(said wedges)" = "3 0 0" ]
ok $? "a queue is reset for each, and nothing else"
clean

# The whole function is reset: a second for the queue, a tenth for PCI. They pass by
# the clock whether or not the machine stands still: the figure without that would be less, and means nothing.
guest -e ref -c '--stall-tag 0xbad --stuck queue' "$(load timeout_ms=100)
build/tests/reset_test hangs 5
$resets"
tap "queues that do not reset" 2
figure "stuck queue, timeout 100 ms" | head -n 1
[ "$(said function_resets) $(said wedges)" = "5 0" ]
ok $? "the function is reset instead, once each time"
clean

# nothing helps but the bus
guest -e ref -c '--stall-tag 0xbad --stuck function' "$(load timeout_ms=100)
build/tests/uevents WEDGED= 20 & listener=\$!
build/tests/hang_client copy 3
echo \"before \$(build/tests/hang_client copy 3)\"
build/tests/hang_client hang
sleep 3
echo \"after \$(build/tests/hang_client copy 3 2>&1 | tail -1)\"
build/tests/reset_test wedged
kill \$listener
cd /sys/bus/pci/devices/0000:01:00.0
echo bus > reset_method && echo 1 > reset 2> /dev/null
cd /iau
echo \"again \$(build/tests/hang_client copy 3)\"
$resets"
tap "a wedged device" 4
grep -q '^uevent change@.*/accel/accel0 WEDGED=rebind,bus-reset' <<< "$out"
ok $? "userspace hears of it"
grep -q '^hung: error 0, state 0x5' <<< "$out"
ok $? "the job that hung is ended"
[ "$(said again)" = copied ]
ok $? "after a reset by the bus it works again"
[ "$(said wedges)" = 1 ]
ok $? "it was wedged once, sleep or not"
clean

# resets that others ask for, under load; and the driver bound again
for method in flr bus; do
	guest -e ref "$(load timeout_ms=10000)
build/tests/reset_test busy /tmp/over &
sleep 1
cd /sys/bus/pci/devices/0000:01:00.0
echo $method > reset_method
# the port of QEMU says of the bus that its link does not come up again, and of the reset that it failed
for i in 1 2 3 4; do echo 1 > reset; sleep 0.3; done 2> /dev/null
touch /tmp/over; wait \$!
$resets"
	tap "resets by $method under load" 1
	[ "$(said function_resets)" = 4 ]
	ok $? "the device was reset by $method 4 times meanwhile"
	clean
done

# interrupts; what a look at the card does not find in time ends as a job that hung, by a reset
guest -e ref -c '--drop-irq 2/3' "$(load timeout_ms=16000)
build/tests/hang_client copy 9; $resets"
grep -q '^copied' <<< "$out" && [ "$(said queue_resets)" = 0 ]
ok $? "lost interrupts are found"
clean
guest -e ref -c '--drop-irq 1' "$(load timeout_ms=16000)
build/tests/hang_client store
build/tests/hang_client copy 3; $resets"
grep -q '^stored: error 0, state 0x3' <<< "$out"
ok $? "the lost interrupt of a fault is found"
grep -q '^copied' <<< "$out" && [ "$(said queue_resets)" = 0 ]
ok $? "the queue goes on behind it without a reset"
clean
guest -e ref -c '--repeat-irq 1/2' "$(load timeout_ms=2000); build/tests/hang_client copy 100"
grep -q '^copied' <<< "$out"
ok $? "repeated interrupts do no harm"
clean

# records
guest -e ref -c '--corrupt-record 3/5' "$(load timeout_ms=16000)
build/tests/hang_client copy 5; build/tests/hang_client copy 4
$resets"
[ "$(grep -c '^job 3: error 0, state 0x9' <<< "$out")" = 1 ]
ok $? "a job with a wrong record is lost, and its client is told"
grep -q '^copied' <<< "$out" && [ "$(said queue_resets)" = 0 ]
ok $? "the others go on without a reset"
clean

# the card is pulled out
guest -e ref -c '--vanish-after 5' "$(load timeout_ms=200)
build/tests/hang_client copy 9
build/tests/reset_test wedged
echo 0000:01:00.0 > /sys/bus/pci/drivers/iau/unbind && echo unbound
rmmod iau && echo removed
$resets"
tap "a device that reads as all ones" 4
grep -q '^job [56]: error .*, state 0x9' <<< "$out"
ok $? "jobs of a card that is gone are lost, and the client is told"
grep -q '^unbound' <<< "$out" && grep -q '^removed' <<< "$out"
ok $? "the driver leaves it"
clean
finish
