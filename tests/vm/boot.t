#!/bin/bash
# SPDX-License-Identifier: MIT
# The card in a stock virtual machine: seen on the bus, programs of the tree run beside it, and what
# they say and return comes back. KERNEL and ENGINE choose; make check-vm fetches what it needs.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }
kernel=${KERNEL:-6.12} engine=${ENGINE:-ref} vm=${VM:-build/vm}
id() { sed -n "s/^#define IAU_PCI_$1\t* *0x\([0-9a-f]*\).*/\1/p" sim/vfio/pci_ids.h; }
run() { sim/vm/run -d "$vm" -k "$kernel" -e "$engine" "$@"; }
card="0x$(id VENDOR) 0x$(id DEVICE) 0x$(id CLASS)"

[ -f "$vm/$kernel/initramfs" ] || { echo "Bail out! no kernel $kernel in $vm: run make check-vm KERNEL=$kernel"; exit 1; }
# in the guest: a line a card, its capabilities, what drivers need, a model, then an exit code
out=$(run '
for d in /sys/bus/pci/devices/*; do
	ids="$(cat $d/vendor $d/device $d/class | xargs)"
	[ "$ids" = "'"$card"'" ] || continue
	echo "card $(cat $d/vendor) $(stat -c %s $d/resource0 $d/resource2 $d/resource4 | xargs)"
	echo "reset $(cat $d/reset_method)"
done
for m in drm drm_kms_helper drm_shmem_helper gpu_sched drm_exec drm_gpuvm; do
	[ -d /sys/module/$m ] || echo "missing $m"
done
touch /iau/README.md 2>/dev/null && echo writable
build/iau run -m models/iau-ci/iau-ci-q8_0.gguf -n 8 -p "Once upon a time" 2>/dev/null
exit 42')
ok $((! ($? == 42))) "the command's exit code comes back"
[ "$(grep '^card' <<< "$out")" = "card 0x$(id VENDOR) 65536 4096 4096" ]
ok $? "one card with its three BARs"
grep -q '^reset .*flr.*bus' <<< "$out"
ok $? "it can be reset by function and by bus"
! grep -q '^missing' <<< "$out"
ok $? "the modules of a DRM accel driver are there"
! grep -q '^writable' <<< "$out"
ok $? "the tree cannot be written from within"
text=$(build/iau run -m models/iau-ci/iau-ci-q8_0.gguf -n 8 -p 'Once upon a time' 2> /dev/null)
[ -n "$text" ] && grep -qF "$text" <<< "$out"
ok $? "a model writes what it writes outside"
out=$(run -n 3 -i 'grep -l "'"0x$(id DEVICE)"'" /sys/bus/pci/devices/*/device | wc -l; ls -d /sys/bus/pci/devices/0000:0[1-3]:00.0/iommu_group | wc -l')
ok $? "a machine with an IOMMU"
[ "$(tr -d '\r' <<< "$out" | xargs)" = "3 3" ]
ok $? "three cards, each in an IOMMU group"
out=$(run -n 0 'sh -c "kill -9 \$\$"')
ok $((! ($? == 137))) "a killed command is told from one that ends"
sim/vm/run -d "$vm" -k 1.0 true 2> /dev/null
ok $((! ($? == 125))) "an absent kernel is an error of the machine, not of the command"
echo "1..$n"
exit ${bad:-0}
