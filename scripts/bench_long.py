#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures iau-demo with 10,240 tokens of context; adds to build/bench/figures.json.

Cycles: the Verilated device, default memory model (100 cycles latency, 64 bytes a cycle, jitter and refresh
on, seed 1), Q4_0, 8 tokens after 10,240. Quality: `iau eval` on ref, Q8_0, seed 1, 63 contexts, each read
with all keys (or, of a sparse prompt, with its choice) and asked 8 questions of every sort. An hour and a
half on a core of its own; with --cycles, and without quality, a quarter of one.

Against llama.cpp: tokens a second of the processor, ref and llama.cpp as it is, Q8_0, one thread each, 32 tokens at
a time in turns after 10,240; the ratio is the median of those of a turn. llama.cpp chooses flash attention, which is the slower
of its two ways here; without it is the other figure.

The choice: attention to 1,920 tokens. Compute saved is the smaller of the shares of multiply-accumulates and
of bytes that attention no longer needs; bounds, their making included, are counted as attention.
"""
import json, os, statistics, subprocess, sys

sys.path.insert(0, "tests/llama")
import probes

BUDGET, PROMPT, TOKENS = 1920, 2048, 8
CHOICE = f"sparse:{BUDGET}"
CONTEXT, TURNS, TURN_TOKENS = 10240, 9, 32
FIGURES = "build/bench/figures.json"


def iau(command, q, *more):
    out = subprocess.run(["build/iau", command, "-m", f"models/iau-demo/iau-demo-{q}.gguf", "--json", *more],
                         check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)


def bench(attention):
    return iau("bench", "q4_0", "-e", "rtl", "-p", "10240", "-n", str(TOKENS), "--attention", attention)


def beyond_weights(cell):
    """Multiply-accumulates and bytes that decoding counted beyond the products with weights"""
    d = cell["decode"]
    return (d["macs"] - TOKENS * cell["matrix_macs"],
            d["load_bytes"] + d["store_bytes"] - TOKENS * cell["matrix_bytes"])


def cycle_figures():
    dense, sparse = bench("dense"), bench(f"{CHOICE},prompt={PROMPT}")
    saved = (1 - s / d for s, d in zip(beyond_weights(sparse), beyond_weights(dense)))
    return {
        "dense_decode_cycles_per_token_10k": dense["decode"]["cycles"] / TOKENS,
        "sparse_decode_cycles_per_token_10k": sparse["decode"]["cycles"] / TOKENS,
        "sparse_decode_speedup_10k": dense["decode"]["cycles"] / sparse["decode"]["cycles"],
        "sparse_prefill_speedup_10k": dense["prefill"]["cycles"] / sparse["prefill"]["cycles"],
        "sparse_compute_saved_10k": min(saved),
    }


def compare(contexts, attention):
    """Needle tasks and stories by title: {task: result}"""
    report = iau("eval", "q8_0", "-e", "ref", "-l", "10240", "-n", str(contexts), "-T",
                 "passkey,keys,two-hop,titles", "--against-attention", attention)
    return {r["task"]: r for r in report["results"]}


def worst(results):
    """The least share of answers kept in a task that has a choice to make, and its interval's lower end"""
    task = min(("keys", "two-hop", "titles"), key=lambda t: results[t]["kept"])
    return results[task]["kept"], results[task]["kept_interval"][0]


def quality_figures():
    sparse, prompt = compare(63, CHOICE), compare(63, f"{CHOICE},prompt={PROMPT}")
    needles = [sparse[t]["settings"][0] for t in ("passkey", "keys")]
    kept, low = worst(sparse)
    return {
        "needle_10k_dense": sum(n["right"] for n in needles) / sum(
            sparse[t]["n"] for t in ("passkey", "keys")),
        "sparse_quality_kept_worst_10k": kept, "sparse_quality_kept_worst_10k_low": low,
        "sparse_prefill_quality_kept_worst_10k": worst(prompt)[0],
    }


def chat_figures():
    """Conversations in turns, Q4_0: see tests/bench/chat.c"""
    out = subprocess.run(["build/tests/chat_bench", "models/iau-demo/iau-demo-q4_0.gguf", "rtl"], check=True,
                         text=True, stdout=subprocess.PIPE).stdout
    return {name: float(value) for name, value in map(str.split, out.splitlines())}


def llama_figures():
    model = "models/iau-demo/iau-demo-q8_0.gguf"
    with open("models/iau-demo/needle-10k.txt", "rb") as f:
        rates = probes.long_decode("build/llama", model, f.read(), CONTEXT, BUDGET, TURN_TOKENS, TURNS)
    ours, flash, plain = map(statistics.median, zip(*rates))
    return {
        "ref_decode_10k_tokens_per_s": ours, "llamacpp_decode_10k_tokens_per_s": flash,
        "llamacpp_decode_10k_no_flash_tokens_per_s": plain,
        "ref_vs_llamacpp_decode_10k": statistics.median(a / b for a, b, _ in rates),
        "ref_vs_llamacpp_decode_10k_no_flash": statistics.median(a / c for a, _, c in rates),
    }


def main():
    figures = json.load(open(FIGURES)) if os.path.exists(FIGURES) else {}
    new = cycle_figures() | chat_figures() | llama_figures()
    if sys.argv[1:] != ["--cycles"]:
        new |= quality_figures()
    for name, value in new.items():
        print(f"{name:48} {value:12.4f}")
    os.makedirs(os.path.dirname(FIGURES), exist_ok=True)
    with open(FIGURES, "w") as f:
        json.dump(figures | new, f, indent=2)
        f.write("\n")


if __name__ == "__main__":
    main()
