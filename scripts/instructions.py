# SPDX-License-Identifier: MIT
"""Instructions of the host for a decoded token, by `iau bench` of iau-ci: in-process, where the engine's
are left out, by callgrind; and through the driver, where the engine is another process's, by QEMU, which
counts those of the whole virtual machine, its kernel included. Both are differences of two lengths.
"""
import re, statistics, subprocess, tempfile

MODEL = "models/iau-ci/iau-ci-q8_0.gguf"


def of_profile(gen):
    """Instructions outside of the engine's run function."""
    with tempfile.TemporaryDirectory() as tmp:
        # callgrind knows functions by the symbol table, and older ones do not read newer debug data
        subprocess.run(["strip", "-g", "-o", f"{tmp}/iau", "build/iau"], check=True)
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={tmp}/out", f"{tmp}/iau", "bench",
                        "-e", "ref", "--memory", "64", "-c", "512", "-m", MODEL, "-p", "32", "-n", str(gen)],
                       check=True, capture_output=True)
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", f"{tmp}/out"],
                              check=True, capture_output=True, text=True).stdout
    count = {name: int(n.replace(",", "")) for n, name in re.findall(r"^\s*([\d,]+) \(.*?\)\s+(?:\S*:)?(\w+)", text, re.M)}
    return count["PROGRAM"] - count["ref_run"]


def in_process():
    few, many = 32, 96
    return (of_profile(many) - of_profile(few)) / (many - few)


def in_vm(vm, kernel):
    few, many, rounds = 64, 1088, 5
    command = "; ".join(f"build/tests/vm_spend build/iau bench -m {MODEL} -p 32 -n {n}"
                        for _ in range(rounds) for n in (few, many))
    out = subprocess.run(["sim/vm/run", "-d", vm, "-k", kernel, "-e", "ref", "-q", "-icount shift=0", command],
                         check=True, capture_output=True, text=True).stdout
    ns = [int(line) for line in out.split("\n") if line.strip().isdigit()]
    return statistics.median(b - a for a, b in zip(ns[::2], ns[1::2])) / (many - few)


def figures(vm, kernel):
    here, there = in_process(), in_vm(vm, kernel)
    return {"host_instructions_per_token": here, "vm_host_instructions_per_token": there,
            "vm_host_instructions_per_token_vs_inprocess": there / here}
