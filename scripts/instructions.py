# SPDX-License-Identifier: MIT
"""Instructions of the host for a decoded token of iau-ci: in-process, where the engine's are left out, by
callgrind; and through the driver, where the engine is another process's, by QEMU, which counts those of the
whole virtual machine, its kernel included. All are differences of two lengths.

`iau bench` evaluates given tokens and does nothing else; `iau run`, greedy or sampling, also chooses each token
and writes its text.
"""
import re, statistics, subprocess, tempfile
from typing import NamedTuple

MODEL = "models/iau-ci/iau-ci-q8_0.gguf"


class Work(NamedTuple):
    name: str
    args: list
    here: tuple  # lengths
    there: tuple
    rounds: int


WORK = [
    Work("token", ["bench", "-p", "32"], (32, 96), (64, 1088), 5),
    Work("token_of_run", ["run", "-p", "Once"], (16, 112), (16, 112), 9),
    Work("token_of_run_sampled", ["run", "-p", "Once", "-t", "0.8", "--top-k", "40", "--top-p", "0.95"],
         (16, 112), (16, 112), 9),
]


def of_profile(work, gen):
    """Instructions outside of the engine's run function."""
    with tempfile.TemporaryDirectory() as tmp:
        # callgrind knows functions by the symbol table, and older ones do not read newer debug data
        subprocess.run(["strip", "-g", "-o", f"{tmp}/iau", "build/iau"], check=True)
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={tmp}/out", f"{tmp}/iau", *work.args,
                        "-e", "ref", "--memory", "64", "-c", "512", "-m", MODEL, "-n", str(gen)],
                       check=True, capture_output=True)
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", f"{tmp}/out"],
                              check=True, capture_output=True, text=True).stdout
    count = {name: int(n.replace(",", "")) for n, name in re.findall(r"^\s*([\d,]+) \(.*?\)\s+(?:\S*:)?(\w+)", text, re.M)}
    return count["PROGRAM"] - count["ref_run"]


def in_process(work):
    few, many = work.here
    return (of_profile(work, many) - of_profile(work, few)) / (many - few)


def in_vm(work, vm, kernel):
    few, many = work.there
    command = "; ".join(f"build/tests/vm_spend build/iau {' '.join(work.args)} -m {MODEL} -n {n}"
                        for _ in range(work.rounds) for n in (few, many))
    out = subprocess.run(["sim/vm/run", "-d", vm, "-k", kernel, "-e", "ref", "-q", "-icount shift=0", command],
                         check=True, capture_output=True, text=True).stdout
    ns = [int(line) for line in out.split("\n") if line.strip().isdigit()]
    return statistics.median(b - a for a, b in zip(ns[::2], ns[1::2])) / (many - few)


def figures(vm, kernel):
    out = {}
    for work in WORK:
        name, here, there = f"host_instructions_per_{work.name}", in_process(work), in_vm(work, vm, kernel)
        out |= {name: here, f"vm_{name}": there, f"vm_{name}_vs_inprocess": there / here}
    return out
