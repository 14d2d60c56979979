#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the driver in the virtual machine, on the reference model; adds to build/bench/figures.json.

usage: bench_vm.py VM KERNEL

An empty job against a 4 KiB read by io_uring from QEMU's NVMe drive, in the same machine and in turns:
medians of 7 rounds, and of the rounds' ratios. The drive has a null backend, so that it never waits.
The submitting call against virtio-gpu's that transfers a pixel: a command in a ring and a doorbell.
Accesses of registers, as iau-vfio counts them, are those of 1,100 jobs less those of 100. Instructions:
instructions.py.
"""
import json, os, subprocess, sys, tempfile

import instructions

OTHERS = ("-blockdev driver=null-co,size=1073741824,read-zeroes=on,node-name=null -device nvme,drive=null,serial=1 "
          "-device virtio-gpu-pci")
FIGURES = "build/bench/figures.json"


def guest(vm, kernel, command, card="", qemu=""):
    """What COMMAND prints in the guest, as {name: number}."""
    out = subprocess.run(["sim/vm/run", "-d", vm, "-k", kernel, "-e", "ref", "-c", card, "-q", qemu, command],
                         check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines() if line)}


def accesses(vm, kernel, jobs):
    with tempfile.NamedTemporaryFile("r") as f:
        guest(vm, kernel, f"build/tests/vm_bench -j {jobs}", card=f"--count {f.name}")
        return {name: int(value) for name, value in (line.split() for line in open(f.name))}


def measure(vm, kernel):
    figures = guest(vm, kernel, "for m in $(cat /modules/others); do insmod /modules/$m; done; "
                    "build/tests/vm_bench /dev/nvme0n1", qemu=OTHERS)
    few, many = accesses(vm, kernel, 100), accesses(vm, kernel, 1100)
    for kind in "reads", "writes":
        figures[f"vm_mmio_{kind}_per_submit"] = (many[kind] - few[kind]) / 1000
    figures["vm_mmio_per_submit"] = figures["vm_mmio_reads_per_submit"] + figures["vm_mmio_writes_per_submit"]
    return figures | instructions.figures(vm, kernel)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    figures = measure(*sys.argv[1:])
    if os.path.exists(FIGURES):
        figures = json.load(open(FIGURES)) | figures
    os.makedirs(os.path.dirname(FIGURES), exist_ok=True)
    with open(FIGURES, "w") as f:
        json.dump(figures, f, indent=2)
        f.write("\n")
    for name, value in figures.items():
        if name.startswith(("vm_", "host_instructions_")):
            print(f"{name:44} {value:g}")


main()
