#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Places and routes each block of the RTL on a Lattice ECP5 of 84,000 LUTs, speed grade 6: its size and
the clock that it can have, as a table and as JSON. A block is taken by itself: the blocks that it contains
become ports, and paths are those between its own registers. Of a block that is too slow, all registers that
are reached too late are listed.

A part of a block that does not fit is taken instead, see PARTS.

usage: fmax.py FOLDER [BLOCK...]     (FOLDER/root has yosys and nextpnr-ecp5, see scripts/apt-root; the
                                      results go to FOLDER/blocks and FOLDER/blocks.json)
"""
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from synth import PACKAGES, contained

MEGAHERTZ = 50      # what is asked for
SECONDS = 1800      # of one block and program, at most
# Blocks with more multipliers than there are: two of the 32 vector lanes, two of the 32 rows of the matrix
# engine. Of registers and outputs the elements with these numbers go, and who reads such a register reads a port;
# what only they need goes with them.
PARTS = {
    "iau_vec_lanes": ({"*_q": range(2, 32)}, {"d_data_o": range(2 * 32, 1024)}),
    "iau_mxu_datapath": (
        {name: [n for n in range(256) if n % 32 >= 2] for name in ("tile_q", "part*_q")}
        | {name: range(2, 32) for name in ("sum*_q", "value*_q", "scaled*_q", "prod*_q", "base*_q", "big*_q", "less*_q",
                                           "res*_q", "coming_scale_q", "tile_scale_q")},
        {"read_data_o": range(2 * 32, 1024)}),
}
# Products of fewer bits are left to LUTs: those of INT4 tiles
SOFT = {"iau_mxu_datapath": 16}
# nextpnr's first router does not come to an end within that time
ROUTERS = {"iau_check": "router2", "iau_decode": "router2"}


def in_root(folder, command):
    run = subprocess.run(["sim/vm/in-root", str(folder / "root"), f"{Path.cwd()}=/src", "--", "sh", "-c",
                          f"cd /src && {command}"], capture_output=True, text=True, timeout=SECONDS)
    errors = [line for line in (run.stdout + run.stderr).splitlines() if "ERROR" in line]
    if run.returncode or errors:
        raise RuntimeError(errors[0] if errors else f"exit status {run.returncode}")


def part(block):
    registers, outputs = (" ".join(f"w:{array}?{n}?" for array, numbers in elements.items() for n in numbers)
                          for elements in PARTS[block])
    return ["proc", "flatten", "opt_clean", f"cd {block}", f"select -set registers {registers}",
            "delete @registers %ci1 t:$*dff* %i", *[f"splitnets -ports w:{name}" for name in PARTS[block][1]],
            f"delete -output {outputs}", "cd ..", "setundef -undriven -expose"]


def soft(block):
    return ["opt_clean", "opt", "wreduce", "peepopt", "opt_clean",
            f"chtype -set $__soft_mul t:$mul r:Y_WIDTH<{SOFT[block]} %i"]


def netlist(folder, block, known):
    parts = contained(block, known)
    passes = [f"read_verilog -sv -defer {p}" for p in PACKAGES]
    passes += [f"read_verilog -sv -lib hw-model/rtl/{name}.sv" for name in parts]
    passes += [f"read_verilog -sv hw-model/rtl/{block}.sv", f"hierarchy -top {block}"]
    passes += ["proc", "flatten", "expose -evert"] if parts else []
    passes += part(block) if block in PARTS else []
    passes += soft(block) if block in SOFT else []
    passes += [f"synth_ecp5 -top {block} -json {folder}/blocks/{block}.json"]
    script = folder / "blocks" / f"{block}.ys"
    script.write_text("\n".join(passes) + "\n")
    in_root(folder, f"yosys -q -s {script}")


def route(folder, block):
    at = f"{folder}/blocks/{block}"
    in_root(folder, f"nextpnr-ecp5 -q --85k --package CABGA756 --speed 6 --out-of-context --freq {MEGAHERTZ} "
                    f"--seed 1 --router {ROUTERS.get(block, 'router1')} --timing-allow-fail "
                    f"--json {at}.json --report {at}.report --detailed-timing-report")
    return json.loads(Path(f"{at}.report").read_text())


def origin(name):
    """Of the name of a cell or a net the part that the RTL has"""
    return re.split(r"_(?:TRELLIS|LUT4|PFUMX|L6MUX|CCU2C|DP16KD|MULT18|ALU54B)|[$[]", name)[0]


def slow(report):
    """Registers that a path reaches too late, with the longest one's ns"""
    late = {}
    for net in report["detailed_net_timings"]:
        for end in net["endpoints"]:
            if "async" not in end["event"] and end["delay"] > 1000 / MEGAHERTZ:
                name = origin(end["cell"])
                late[name] = max(late.get(name, 0), end["delay"])
    return dict(sorted(late.items(), key=lambda item: -item[1]))


def figures(report):
    used = {kind: n["used"] for kind, n in report["utilization"].items()}
    # of a block without registers of its own there is no path; gated clocks are clocks of their own
    paths = [p["path"] for p in report["critical_paths"] if "<async>" not in (p["from"], p["to"])]
    path = max(paths, key=lambda path: sum(p["delay"] for p in path), default=[])
    return {
        "luts": used["TRELLIS_COMB"], "flip_flops": used["TRELLIS_FF"], "block_rams": used["DP16KD"],
        "multipliers": used["MULT18X18D"], "megahertz": min((c["achieved"] for c in report["fmax"].values()), default=None),
        "from": next((origin(p["net"]) for p in path if p["type"] == "routing"), None),
        "to": origin(path[-1]["to"]["cell"]) if path else None,
        "logic_ns": sum(p["delay"] for p in path if p["type"] != "routing"),
        "routing_ns": sum(p["delay"] for p in path if p["type"] == "routing"),
        "slow": slow(report),
    }


def main():
    folder = Path(sys.argv[1])
    (folder / "blocks").mkdir(parents=True, exist_ok=True)
    known = sorted(p.stem for p in Path("hw-model/rtl").glob("*.sv") if not p.stem.endswith("_pkg"))
    table, bad = {}, False
    print(f"{'block':<18}{'LUTs':>8}{'FFs':>8}{'RAMs':>6}{'mults':>7}{'MHz':>8}{'s':>7}  slowest path: logic + "
          "routing ns")
    for block in sys.argv[2:] or known:
        start = time.monotonic()
        try:
            netlist(folder, block, known)
            f = table[block] = figures(route(folder, block))
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            bad = True
            table[block] = {"error": str(e)}
            print(f"{block:<18}  {e}", flush=True)
            continue
        mhz = f["megahertz"]
        path = f"{f['from']} to {f['to']}: {f['logic_ns']:.1f} + {f['routing_ns']:.1f}" if mhz else "none"
        print(f"{block:<18}{f['luts']:>8}{f['flip_flops']:>8}{f['block_rams']:>6}{f['multipliers']:>7}"
              f"{mhz or 0:>8.1f}{time.monotonic() - start:>7.0f}  {path}", flush=True)
        if f["slow"]:
            print("  too late: " + ", ".join(f"{name} {ns:.1f}" for name, ns in f["slow"].items()), flush=True)
        bad |= mhz is not None and mhz < MEGAHERTZ
    (folder / "blocks.json").write_text(json.dumps(table, indent=2) + "\n")
    return bad


if __name__ == "__main__":
    sys.exit(main())
