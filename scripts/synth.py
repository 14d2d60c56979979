#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Synthesises each block of the RTL with yosys: cells, flip-flops, memory bits and multipliers of
the block itself, without the blocks that it contains, as a table and as JSON.

usage: synth.py FOLDER [BLOCK...]     (the results go to FOLDER)
"""
import json
import re
import subprocess
import sys
import time
from pathlib import Path

PACKAGES = ["build/gen/iau_hw_pkg.sv"] + [
    f"hw-model/rtl/iau_{p}_pkg.sv" for p in ("fp", "sfu", "mem")]

# Words, not gates: the shape of the design in seconds a block. Memories stay memories.
PASSES = ("hierarchy -top {top}; proc; opt_expr; opt_clean; wreduce; peepopt; alumacc; "
          "opt_expr; opt_clean; cd {top}; tee -q -o {out} stat -json -width")


def contained(block, known):
    """The blocks in a block. Their files are read for their ports only."""
    text = Path(f"hw-model/rtl/{block}.sv").read_text()
    return [name for name in known
            if name != block and re.search(rf"^\s*{name}\s+(#|\w+\s*\()", text, re.M)]


def synthesise(block, known, out):
    stat = out / f"{block}.json"
    reads = "; ".join([f"read_verilog -sv -defer {p}" for p in PACKAGES] +
                      [f"read_verilog -sv -lib hw-model/rtl/{name}.sv"
                       for name in contained(block, known)] +
                      [f"read_verilog -sv -defer hw-model/rtl/{block}.sv"])
    run = subprocess.run(["yosys", "-q", "-p", f"{reads}; " + PASSES.format(top=block, out=stat)],
                         capture_output=True, text=True)
    errors = [line for line in (run.stdout + run.stderr).splitlines() if "ERROR" in line]
    if run.returncode or errors:
        return None, errors[0] if errors else f"exit status {run.returncode}"
    # yosys 0.23 leaves a comma where the figures of a whole hierarchy would follow
    modules = json.loads(re.sub(r",\s*}", "}", stat.read_text()))["modules"]
    return next(m for name, m in modules.items() if name.lstrip("\\") == block), None


def figures(module, known):
    """Of yosys' counts by type and width."""
    cells = {k: v for k, v in module["num_cells_by_type"].items() if k.lstrip("\\$") not in known}
    def bits(pattern):
        total = 0
        for kind, n in cells.items():
            m = re.fullmatch(pattern + r"_(\d+)", kind)
            total += n * int(m[1]) if m else 0
        return total
    return {
        "cells": sum(v for k, v in cells.items() if not k.startswith("$paramod")),
        "flip_flops": bits(r"\$a?s?d?l?ff[a-z]*"),
        "memory_bits": module["num_memory_bits"],
        "multipliers": sum(v for k, v in cells.items() if re.match(r"\$(mul|macc)", k)),
    }


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    known = sorted(p.stem for p in Path("hw-model/rtl").glob("*.sv") if not p.stem.endswith("_pkg"))
    table, bad = {}, False
    print(f"{'block':<18}{'cells':>9}{'flip-flops':>12}{'memory bits':>13}{'multipliers':>13}"
          f"{'seconds':>9}")
    for block in sys.argv[2:] or known:
        start = time.monotonic()
        module, error = synthesise(block, known, out)
        took = time.monotonic() - start
        if error:
            bad = True
            print(f"{block:<18}  not read: {error}", flush=True)
            table[block] = {"error": error}
            continue
        f = table[block] = figures(module, known)
        print(f"{block:<18}{f['cells']:>9}{f['flip_flops']:>12}{f['memory_bits']:>13}"
              f"{f['multipliers']:>13}{took:>9.1f}", flush=True)
    (out / "blocks.json").write_text(json.dumps(table, indent=2) + "\n")
    return bad


if __name__ == "__main__":
    sys.exit(main())
