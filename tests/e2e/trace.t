#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""iau trace and iau bench --breakdown: what they say adds up, and looking changes nothing."""
import json, subprocess

from tap import finish, ok

MODEL = ["-m", "models/iau-ci/iau-ci-q8_0.gguf"]


def iau(*args):
    return subprocess.run(["build/iau", *args], capture_output=True, text=True)


bench = ["bench", *MODEL, "-e", "rtl", "-p", "48", "-n", "3", "--json"]
plain, seen = (json.loads(iau(*bench, *more).stdout) for more in ([], ["--breakdown"]))
for phase in ("prefill", "decode"):
    p, b = seen[phase], seen[phase]["breakdown"]
    ok(p["cycles"] == plain[phase]["cycles"], f"{phase}: looking costs the device no cycle")
    ok(b["cycles"] == p["cycles"], f"{phase}: its jobs are all of its cycles")
    ok(all(sum(u.values()) == b["cycles"] for u in b["units"].values()),
       f"{phase}: each unit is busy or waits, all the time")
    for unit, u in b["units"].items():
        ok(sum(op[unit] for op in b["operators"].values()) == u["busy"] > 0,
           f"{phase}: {unit} is busy for its operators")
    ok({"qkv projection", "attention scores", "softmax", "attention values", "ffn gate, up",
        "logits"} <= set(b["operators"]), f"{phase}: operators have the names that users know")
table = iau(*bench[:-1], "--breakdown")
ok(table.returncode == 0 and "ffn gate, up" in table.stdout and "other unit" in table.stdout, "as a table")

events = json.loads(iau("trace", *MODEL, "-p", "40", "-n", "2").stdout)["traceEvents"]
spans = [e for e in events if e["ph"] == "X"]
jobs = [e for e in spans if e["name"] == "wait"]
commands = [e for e in spans if e["name"] != "wait"]
ok(len(jobs) == sum(e["name"] == "submit" for e in events) == 2 + 2, "a wait for each submit")
ok(all(any(j["ts"] <= c["ts"] and c["ts"] + c["dur"] <= j["ts"] + j["dur"] for j in jobs)
       for c in commands), "every command is within a job")
tracks = {}
for c in commands:
    tracks.setdefault(c["tid"], []).append((c["ts"], c["ts"] + c["dur"]))
ok(all(a[1] <= b[0] for t in tracks.values() for a, b in zip(sorted(t), sorted(t)[1:])),
   "what is on one track does not overlap")
named = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name" and e["pid"] == 1}
ok(set(named) == set(tracks) and set(named.values()) == {"load", "store", "matrix", "vector", "copy"},
   "tracks are named for their units")
ok({c["args"]["layer"] for c in commands if c["name"] == "softmax"} == set(range(4)),
   "commands know their layer")
batch = json.loads(iau("trace", *MODEL, "-p", "8", "-n", "2", "-B", "3").stdout)["traceEvents"]
waits = [e for e in batch if e["name"] == "wait"]
ok([w["args"]["rows"] for w in waits[-2:]] == [4, 4] and len(waits) == 3 + 2, "three prompts, then a job for all of a token")
none = iau("trace", *MODEL, "-B", "0")
ok(none.returncode != 0 and "--batch" in none.stderr, "a batch of nothing")
saved = iau("trace", *MODEL, "-p", "4", "-n", "1", "-o", "/nonexistent/trace")
ok(saved.returncode == 3 and "/nonexistent/trace" in saved.stderr, "a file that cannot be written")
ref = iau("trace", *MODEL, "-e", "ref")
ok(ref.returncode == 3 and "rtl" in ref.stderr, "an engine without time says so")
finish()
