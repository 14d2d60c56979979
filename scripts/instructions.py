# SPDX-License-Identifier: MIT
"""Instructions of the host for a decoded token of iau-ci, its kernel included: in-process, by callgrind, without
those of the engine, and with what the kernel takes for the pages that they touch; and through the driver, where
the engine is another process's, by QEMU, which counts those of the whole virtual machine. All are differences of two
lengths.

`iau bench -a 128` and greedy `iau run --ahead 128` have the device choose up to 128 tokens in a job; `iau run` also writes their
text. A token that is given, or sampled, takes a job of its own.

QEMU counts each repetition of a string instruction. Without ERMS and FSRM the guest's kernel clears memory by eight
bytes at a time, not by one; hardware would count one instruction for either.
"""
import re, resource, statistics, subprocess, tempfile
from typing import NamedTuple

MODEL = "models/iau-ci/iau-ci-q8_0.gguf"
COUNTED = "-icount shift=0 -cpu max,-erms,-fsrm"
PAGES = 1000, 21000


class Work(NamedTuple):
    name: str
    args: list
    here: tuple  # lengths
    there: tuple
    rounds: int


WORK = [
    Work("token", ["bench", "-p", "32", "-a", "128"], (224, 736), (224, 1760), 9),
    Work("token_one_by_one", ["bench", "-p", "32"], (32, 96), (64, 1088), 5),
    Work("token_of_run", ["run", "-p", "Once", "--ahead", "128"], (16, 112), (16, 112), 15),
    Work("token_of_run_sampled", ["run", "-p", "Once", "-t", "0.8", "--top-k", "40", "--top-p", "0.95"],
         (16, 112), (16, 112), 15),
]


def of_profile(work, gen):
    """Instructions outside of the engine's run function."""
    with tempfile.TemporaryDirectory() as tmp:
        # callgrind knows functions by the symbol table, and older ones do not read newer debug data
        subprocess.run(["strip", "-g", "-o", f"{tmp}/iau", "build/iau"], check=True)
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={tmp}/out", f"{tmp}/iau", *work.args,
                        "-e", "ref", "--memory", "64", "-c", "1024", "-m", MODEL, "-n", str(gen)],
                       check=True, capture_output=True)
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", f"{tmp}/out"],
                              check=True, capture_output=True, text=True).stdout
    count = {name: int(n.replace(",", "")) for n, name in re.findall(r"^\s*([\d,]+) \(.*?\)\s+(?:\S*:)?(\w+)", text, re.M)}
    return count["PROGRAM"] - count["ref_run"]


def faults(command):
    """Pages that a command touched first."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    subprocess.run(command, check=True, capture_output=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before


def in_process(work, page):
    """PAGE: instructions for a page"""
    few, many = work.here
    command = [["build/iau", *work.args, "-e", "ref", "-m", MODEL, "-n", str(n)] for n in work.here]
    pages = statistics.median(faults(command[1]) - faults(command[0]) for _ in range(work.rounds))
    return (of_profile(work, many) - of_profile(work, few) + pages * page) / (many - few)


def spent_more(vm, kernel, few, many, rounds):
    """What the second command takes more than the first, by medians"""
    line = f"build/tests/vm_spend {few}; build/tests/vm_spend {many}"
    out = subprocess.run(["sim/vm/run", "-d", vm, "-k", kernel, "-e", "ref", "-q", COUNTED,
                          "; ".join([line] * (rounds + 1))],
                         check=True, capture_output=True, text=True).stdout
    ns = [int(word) for word in out.split("\n") if word.strip().isdigit()]
    # the first round finds nothing in caches
    return statistics.median(ns[3::2]) - statistics.median(ns[2::2])


def in_vm(work, vm, kernel):
    few, many = work.there
    commands = [f"build/iau {' '.join(work.args)} -m {MODEL} -n {n}" for n in work.there]
    return spent_more(vm, kernel, *commands, work.rounds) / (many - few)


def figures(vm, kernel):
    page = spent_more(vm, kernel, *(f"build/tests/vm_touch {n}" for n in PAGES), 5) / (PAGES[1] - PAGES[0])
    out = {"vm_instructions_per_page_touched": page}
    for work in WORK:
        name, here, there = f"host_instructions_per_{work.name}", in_process(work, page), in_vm(work, vm, kernel)
        out |= {name: here, f"vm_{name}": there, f"vm_{name}_vs_inprocess": there / here}
    return out
