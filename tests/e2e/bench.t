#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""iau bench of several lengths and engines: every combination once, the same whichever way it is shown."""
import csv, json, os, subprocess, tempfile
import xml.etree.ElementTree as xml

from tap import finish, ok

MODEL = ["-m", "models/iau-ci/iau-ci-q8_0.gguf"]


def bench(*args):
    return subprocess.run(["build/iau", "bench", *MODEL, *args], capture_output=True, text=True)


def texts(path):
    return {t for e in xml.parse(path).iter("{http://www.w3.org/2000/svg}text") for t in ["".join(e.itertext()).strip()]}


with tempfile.TemporaryDirectory() as tmp:
    out = bench("-e", "rtl,ref", "-p", "16,33", "-n", "0,3", "--json", "--csv", f"{tmp}/csv", "--plots", f"{tmp}/plots")
    cells = json.loads(out.stdout)
    got = [(c["engine"], c["prefill"]["tokens"], c["decode"]["tokens"]) for c in cells]
    ok(got == [(e, p, g) for e in ("rtl", "ref") for p in (16, 33) for g in (0, 3)], "each with each, in order")
    alone = json.loads(bench("-e", "rtl", "-p", "33", "-n", "3", "--json").stdout)
    ok(all(alone[phase]["cycles"] == cells[3][phase]["cycles"] > 0 for phase in ("prefill", "decode")),
       "cycles are those of a session of its own")
    ok(all(alone[phase]["macs"] == cells[7][phase]["macs"] > 0 for phase in ("prefill", "decode")),
       "both engines do the same products")
    rows = list(csv.DictReader(open(f"{tmp}/csv")))
    want = [(c["engine"], c["prefill"]["tokens"], c["decode"]["tokens"], phase, c[phase]["cycles"], c[phase]["load_bytes"])
            for c in cells for phase in ("prefill", "decode") if c[phase]["tokens"]]
    ok([(r["engine"], int(r["prompt"]), int(r["gen"]), r["phase"], int(r["cycles"]), int(r["load_bytes"]))
        for r in rows] == want, "a line of values for each phase that had tokens")
    ok({"rtl, prefill", "rtl, decode", "ref, prefill", "ref, decode"} <= texts(f"{tmp}/plots/throughput.svg"),
       "a plot of throughput with a line each")
    seen = texts(f"{tmp}/plots/roofline.svg")
    ok({"rtl, prefill", "roof, INT8"} <= seen and "ref, prefill" not in seen, "a roofline of the engine with cycles")
    out = bench("-e", "ref", "-p", "16,33", "-n", "3")
    ok("ref, 33 tokens and 3 after them" in out.stdout and out.stdout.count("prefill") == 2, "as a table")
    ok(bench("-e", "ref", "-p", "16", "-n", "1", "--csv", f"{tmp}/no/csv").returncode == 3,
       "a file that cannot be written is an error")
    path = os.environ["PATH"]
    os.environ["PATH"] = tmp
    out = bench("-e", "ref", "-p", "16", "-n", "1", "--plots", f"{tmp}/more")
    os.environ["PATH"] = path
    ok(out.returncode == 3 and "apt-get install gnuplot-nox" in out.stderr, "without gnuplot it says how to get it")
    cells = json.loads(bench("-e", "rtl", "-p", "33", "-n", "3", "-B", "1,3", "--json", "--breakdown", "--csv",
                             f"{tmp}/csv", "--plots", f"{tmp}/plots").stdout)
    one, three = cells
    ok(one["decode"]["cycles"] == alone["decode"]["cycles"] and three["batch"] == 3, "one sequence is no batch")
    ok(all(three[p]["tokens"] == 3 * one[p]["tokens"] and three[p]["macs"] == 3 * one[p]["macs"]
           for p in ("prefill", "decode")), "three sequences are three times the products")
    ok(three["decode"]["load_bytes"] < 2 * one["decode"]["load_bytes"], "but read the weights once")
    ok(three["decode"]["breakdown"]["cycles"] == three["decode"]["cycles"], "a batch can be looked at")
    rows = list(csv.DictReader(open(f"{tmp}/csv")))
    ok([(r["batch"], r["prompt"], r["gen"]) for r in rows] == 2 * [("1", "33", "3")] + 2 * [("3", "33", "3")],
       "lengths are those of a sequence")
    ok("rtl, decode of 3" in texts(f"{tmp}/plots/throughput.svg"), "a batch has a line of its own")
for wrong in (["-p", ""], ["-p", "16,x"], ["-p", ",".join(["1"] * 33)], ["-n", "-1"], ["-B", "0"], ["-B", "17"]):
    out = bench("-e", "ref", *wrong)
    ok(out.returncode == 2 and wrong[0] in ("-p", "-n", "-B") and "--" in out.stderr, f"refused: {' '.join(wrong)[:12]}")
ok(bench("-e", ",", "-p", "1").returncode == 3, "no engine is none")
out = bench("-e", "ref,warp", "-p", "1", "-n", "0")
ok(out.returncode == 3 and "warp" in out.stderr, "an engine that is not there is named")
finish()
