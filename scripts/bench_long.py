#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures iau-demo with 10,240 tokens of context; adds to build/bench/figures.json.

Arguments: the parts to measure, all unless given: cycles, cold, chat, llama, quality, kv. Two and a half hours on a
core of its own, an hour and a half on two; cycles, cold and chat take half an hour of that.

Cycles: the Verilated device, default memory model (100 cycles latency, 64 bytes a cycle, jitter and refresh
on, seed 1), Q4_0, 8 tokens after 10,240. Quality: `iau eval` on ref, Q8_0, seed 1, 63 contexts, each read
with all keys (or, of a sparse prompt, with its choice) and asked 8 questions of every sort.

The choice: attention to 1,920 tokens. Compute saved is the smaller of the shares of multiply-accumulates and
of bytes that attention no longer needs; bounds, their making included, are counted as attention. Cold: the same
choice, for the prompt too, within 12 MiB for keys and values, where all of them would be 22.

Against llama.cpp: tokens a second of the processor, ref and llama.cpp as it is, Q8_0, one thread each, 32 tokens at
a time in turns after 10,240; the ratio is the median of those of a turn. llama.cpp chooses flash attention, which is the slower
of its two ways here; without it is the other figure. Nothing else is measured meanwhile.

Keys and values in 4 bits: K8V4, whose perplexity of 3,000 held-out tokens and answers are compared with INT8; and
K4V4, the form of the conversations in turns, at the length that those reach.
"""
import json, os, statistics, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, "tests/llama")
import probes

BUDGET, PROMPT, TOKENS = 1920, 2048, 8
CHOICE = f"sparse:{BUDGET}"
CONTEXT, CHAT_CONTEXT, TURNS, TURN_TOKENS = 10240, 4096, 9, 32
CONTEXTS = 63
KV_BUDGET = "12M"
FIGURES = "build/bench/figures.json"


def iau(command, q, *more):
    out = subprocess.run(["build/iau", command, "-m", f"models/iau-demo/iau-demo-{q}.gguf", "--json", *more],
                         check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)


def bench(attention, *more):
    return iau("bench", "q4_0", "-e", "rtl", "-p", str(CONTEXT), "-n", str(TOKENS), "--attention", attention, *more)


def beyond_weights(cell):
    """Multiply-accumulates and bytes that decoding counted beyond the products with weights"""
    d = cell["decode"]
    return (d["macs"] - TOKENS * cell["matrix_macs"],
            d["load_bytes"] + d["store_bytes"] - TOKENS * cell["matrix_bytes"])


def cycle_figures(run):
    dense, sparse = run(bench, "dense"), run(bench, f"{CHOICE},prompt={PROMPT}")
    dense, sparse = dense.result(), sparse.result()
    saved = (1 - s / d for s, d in zip(beyond_weights(sparse), beyond_weights(dense)))
    return {
        "dense_decode_cycles_per_token_10k": dense["decode"]["cycles"] / TOKENS,
        "sparse_decode_cycles_per_token_10k": sparse["decode"]["cycles"] / TOKENS,
        "sparse_prefill_cycles_per_token_10k": sparse["prefill"]["cycles"] / CONTEXT,
        "sparse_decode_speedup_10k": dense["decode"]["cycles"] / sparse["decode"]["cycles"],
        "sparse_prefill_speedup_10k": dense["prefill"]["cycles"] / sparse["prefill"]["cycles"],
        "sparse_compute_saved_10k": min(saved),
    }


def cold_figures(run):
    cold = run(bench, f"{CHOICE},prompt={PROMPT}", "--kv-budget", KV_BUDGET).result()
    return {
        "cold_decode_cycles_per_token_10k": cold["decode"]["cycles"] / TOKENS,
        "cold_pages_per_token_10k": cold["decode"]["kv_pages_promoted"] / TOKENS,
        "cold_prefill_cycles_per_token_10k": cold["prefill"]["cycles"] / CONTEXT,
    }


def compare(length, *how):
    """Needle tasks and stories by title, in two ways: {task: result}"""
    report = iau("eval", "q8_0", "-e", "ref", "-l", str(length), "-n", str(CONTEXTS), "-T",
                 "passkey,keys,two-hop,titles", *how)
    return {r["task"]: r for r in report["results"]}


def worst(results):
    """The least share of answers kept in a task of many questions, and its interval's lower end"""
    task = min(("keys", "two-hop", "titles"), key=lambda t: results[t]["kept"])
    return results[task]["kept"], results[task]["kept_interval"][0]


def quality_figures(run):
    sparse = run(compare, CONTEXT, "--against-attention", CHOICE)
    prompt = run(compare, CONTEXT, "--against-attention", f"{CHOICE},prompt={PROMPT}")
    sparse, prompt = sparse.result(), prompt.result()
    needles = [sparse[t]["settings"][0] for t in ("passkey", "keys")]
    kept, low = worst(sparse)
    return {
        "needle_10k_dense": sum(n["right"] for n in needles) / sum(
            sparse[t]["n"] for t in ("passkey", "keys")),
        "sparse_quality_kept_worst_10k": kept, "sparse_quality_kept_worst_10k_low": low,
        "sparse_prefill_quality_kept_worst_10k": worst(prompt)[0],
    }


def perplexity(kv):
    return iau("perplexity", "q8_0", "-e", "ref", "-n", "3000", "--kv", kv, "models/iau-demo/held-out.txt")["perplexity"]


def kv_figures(run):
    far, near = run(compare, CONTEXT, "--against-kv", "k8v4"), run(compare, CHAT_CONTEXT, "--against-kv", "k4v4")
    int8, k8v4, k4v4 = map(perplexity, ("k8v8", "k8v4", "k4v4"))
    return {
        "kv_int4_ppl_loss": k8v4 - int8, "kv_k4v4_ppl_loss": k4v4 - int8,
        "kv_int4_quality_kept_worst_10k": worst(far.result())[0],
        "kv_k4v4_quality_kept_worst_4k": worst(near.result())[0],
    }


def chat_figures(run):
    """Conversations in turns, Q4_0: see tests/bench/chat.c"""
    command = ["build/tests/chat_bench", "models/iau-demo/iau-demo-q4_0.gguf", "rtl"]
    out = run(subprocess.run, command, check=True, text=True, stdout=subprocess.PIPE).result().stdout
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


PARTS = {"cycles": cycle_figures, "cold": cold_figures, "chat": chat_figures, "quality": quality_figures,
         "kv": kv_figures}


def measure(parts):
    """What is timed on the host first, by itself; then as many of the others as there are processors"""
    new = llama_figures() if "llama" in parts else {}
    with ThreadPoolExecutor(os.cpu_count()) as pool, ThreadPoolExecutor() as waiting:
        for figures in [waiting.submit(PARTS[p], pool.submit) for p in parts if p in PARTS]:
            new |= figures.result()
    return new


def main():
    parts = sys.argv[1:] or [*PARTS, "llama"]
    unknown = set(parts) - {*PARTS, "llama"}
    if unknown:
        sys.exit(f"{sys.argv[0]}: no part {', '.join(sorted(unknown))}; there are {', '.join([*PARTS, 'llama'])}")
    new = measure(parts)
    figures = json.load(open(FIGURES)) if os.path.exists(FIGURES) else {}
    for name, value in new.items():
        print(f"{name:48} {value:12.4f}")
    os.makedirs(os.path.dirname(FIGURES), exist_ok=True)
    with open(FIGURES, "w") as f:
        json.dump(figures | new, f, indent=2)
        f.write("\n")


if __name__ == "__main__":
    main()
