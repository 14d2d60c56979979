#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""iau eval: known scores by seed, the same whichever tasks, engine or way to show them is chosen."""
import json, math, os, re, signal, subprocess, tempfile, time
import xml.etree.ElementTree as xml
from pathlib import Path

from tap import finish, ok

CI, CI_Q4 = "models/iau-ci/iau-ci-q8_0.gguf", "models/iau-ci/iau-ci-q4_0.gguf"
DEMO = "models/iau-demo/iau-demo-q8_0.gguf"

# of seed 1, two contexts of each size
KNOWN = {("passkey", 1024): [2, 2], ("passkey", 2048): [2, 2], ("keys", 1024): [16, 16], ("keys", 2048): [16, 16],
         ("titles", 1024): [7, 9], ("titles", 2048): [14, 16], ("recall", 24): [16, 16], ("recall", 200): [16, 16],
         ("copy", 10): [2, 2], ("copy", 20): [2, 2], ("copy", 40): [2, 2], ("copy", 60): [2, 2],
         ("frequency", 32): [0, 2], ("frequency", 128): [0, 2], ("frequency", 512): [0, 2],
         ("stories", 1): [10, 10], ("arithmetic", 1): [8, 8], ("arithmetic", 2): [8, 8], ("arithmetic", 3): [8, 8],
         ("brackets", 8): [4, 4], ("brackets", 16): [4, 4], ("brackets", 24): [3, 4],
         ("variables", 0): [2, 2], ("variables", 1): [0, 2], ("variables", 2): [0, 2], ("all answers",): [144, 159]}
KNOWN_DEMO = {("passkey", 1024): [2, 2], ("keys", 1024): [16, 16], ("two-hop", 1024): [13, 16],
              ("titles", 1024): [8, 9], ("brackets", 8): [4, 4], ("brackets", 16): [4, 4], ("brackets", 24): [4, 4],
              ("brackets", 32): [4, 4], ("variables", 0): [2, 2], ("variables", 1): [2, 2], ("variables", 2): [2, 2],
              ("variables", 3): [2, 2], ("all answers",): [63, 67]}


def run(model, *args):
    return subprocess.run(["build/iau", "eval", "-m", model, *args], capture_output=True, text=True)


def measured(model, *args):
    return json.loads(run(model, *args, "--json").stdout)


def counts(report, setting=0):
    """{(task, size): [right, all]} of the tasks with right answers"""
    sizes = ("length", "pairs", "words", "stories", "digits", "nesting", "copies")
    return {(r["task"], *(r[s] for s in sizes if s in r)): [r["settings"][setting]["right"], r["n"]]
            for r in report["results"] if r["task"] != "perplexity"}


def wilson(right, n, z=1.959963984540054):
    p = right / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return [(p + z * z / 2 / n - half) / (1 + z * z / n), (p + z * z / 2 / n + half) / (1 + z * z / n)]


def texts(path):
    return ["".join(e.itertext()).strip() for e in xml.parse(path).iter("{http://www.w3.org/2000/svg}text")]


with tempfile.TemporaryDirectory() as tmp:
    out = run(CI, "-l", "1024,2048", "-n", "2", "--json", "--against", CI_Q4, "--svg", f"{tmp}/map.svg")
    both = json.loads(out.stdout)
    ok(out.returncode == 0 and out.stderr == "", "progress is for terminals only")
    ok(counts(both) == KNOWN, "known scores of iau-ci, Q8_0")
    ok(counts(both, 1) == KNOWN | {("variables", 2): [1, 2], ("all answers",): [145, 159]}, "and Q4_0")
    seen = texts(f"{tmp}/map.svg")
    ok({"keys, A", "keys, B", "titles, A", "recall, B", "1024", "2048"} <= set(seen), "a map for each task and setting")
    fields = [f"{r}/{n}" for c in both["results"] for s in c["settings"] for r, n in s.get("by_depth", []) if n]
    ok(sorted(fields) == sorted(t for t in seen if "/" in t), "every tenth of every length is in it")

ok(all(math.isclose(x, y, abs_tol=1e-8) for r in both["results"] if r["task"] != "perplexity" for s in r["settings"]
       for x, y in zip(s["interval"], wilson(s["right"], r["n"]))), "intervals are Wilson's")
ok(all(sum(n for _, n in s["by_depth"]) == r["n"] and sum(k for k, _ in s["by_depth"]) == s["right"]
       for r in both["results"] for s in r["settings"] if "by_depth" in s), "tenths of the depth add up")
right = [[g["right"] for g in a["given"]] for a in both["answers"] if a["task"] != "perplexity"]
total = both["results"][-1]
ok(total["task"] == "all answers" and total["n"] == len(right) and
   [total["lost"], total["gained"]] == [right.count([True, False]), right.count([False, True])] and
   math.isclose(total["kept"], sum(b for _, b in right) / sum(a for a, _ in right), rel_tol=1e-6),
   "what the second model lost and gained is what the answers say")
ok(total["kept_interval"][0] <= total["kept"] <= total["kept_interval"][1], "its share lies in its interval")
ppl = [r for r in both["results"] if r["task"] == "perplexity"]
ok([r["position"] for r in ppl] == [64, 128, 256, 512, 1024] and
   all(1.2 < s["perplexity"] < 2.4 for r in ppl for s in r["settings"]) and
   all(0.9 < r["kept"] < 1.1 for r in ppl), "perplexity by position is that of a trained model")

some = measured(CI, "-l", "2048", "-n", "2", "-T", "titles,copy")
chosen = [a for a in both["answers"] if a.get("length") == 2048 and a["task"] == "titles" or a["task"] == "copy"]
ok([(a["question"], a["answer"], a["given"]) for a in some["answers"]] ==
   [(a["question"], a["answer"], a["given"][:1]) for a in chosen], "fewer tasks or lengths change no answer")
ok(counts(measured(CI, "-l", "2048", "-n", "2", "-T", "titles", "-s", "2")) != counts(some), "another seed does")
same = measured(CI, "-T", "variables", "-n", "3", "--against", CI)["results"][-1]
ok([same["kept"], same["kept_interval"], same["lost"], same["gained"]] == [1, [1, 1], 0, 0], "a model is equal to itself")

sparse = measured(CI, "-l", "1024", "-n", "2", "-T", "keys,perplexity", "--against-attention", "sparse:512")
alone = measured(CI, "-l", "1024", "-n", "2", "-T", "keys,perplexity", "--attention", "sparse:512")
ok(sparse["settings"] == [CI, "sparse:512"] and
   [a["given"][1] for a in sparse["answers"]] == [a["given"][0] for a in alone["answers"]] and
   any(r["settings"][0] != r["settings"][1] for r in sparse["results"]),
   "a choice of keys: of a context that was read for another setting as of its own")
out = run(CI, "--against-attention", "sparse")
ok(out.returncode == 2 and "'sparse' is not dense, window:TOKENS or sparse:TOKENS" in out.stderr, "bad attention is refused")

demo = measured(DEMO, "-l", "1024", "-n", "2", "-T", "passkey,keys,two-hop,titles,variables,brackets")
ok(counts(demo) == KNOWN_DEMO, "known scores of iau-demo")

spot = ["-l", "512", "-n", "1", "-T", "passkey,keys,titles,perplexity,variables"]
ref, rtl = measured(CI, *spot, "-e", "ref"), measured(CI, *spot, "-e", "rtl")
ok(ref["answers"] == rtl["answers"] and ref["results"] == rtl["results"] and rtl["engine"] == "rtl" and len(ref["answers"]),
   "the RTL gives the same answers, and logarithms to the bit")

table = run(CI, "-T", "copy", "-n", "1").stdout.splitlines()
ok(table[0].split() == ["task", "n", "right", "95", "%"] and
   table[1].split() == ["copy", "words", "10", "1", "100.0", "20.7", "to", "100.0"] and len(table) == 6, "as a table")
table = run(CI, "-T", "arithmetic,perplexity", "-l", "512", "-n", "1", "--against", CI_Q4).stdout.splitlines()
ok(table[:2] == [f"A: {CI}", f"B: {CI_Q4}"] and table[2].split()[-4:] == ["95", "%", "lost", "new"] and len(table) == 10,
   "also of two models")

job = subprocess.Popen(["build/iau", "eval", "-m", CI, "--json"], stdout=subprocess.PIPE, text=True)
while not re.search(r"^SigCgt:.*[2367abef]$", Path(f"/proc/{job.pid}/status").read_text(), re.M):
    time.sleep(0.02)
time.sleep(1)
job.send_signal(signal.SIGINT)
text = job.communicate()[0]
ok(job.returncode == 130 and len(json.loads(text)["answers"]) < 1000, "SIGINT: exit status 130, and what there is")
path = os.environ["PATH"]
os.environ["PATH"] = "/nonexistent"
out = run(CI, "-T", "recall", "-n", "1", "--svg", "build/no.svg")
os.environ["PATH"] = path
ok(out.returncode == 3 and "apt-get install gnuplot-nox" in out.stderr and "recall" in out.stdout,
   "without gnuplot it says how to get it, and shows the rest")
finish()
