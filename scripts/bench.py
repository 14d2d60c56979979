#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the shipped model on the Verilated device; writes build/bench/figures.json.

Default memory model: 100 cycles latency, 64 bytes a cycle, jitter and refresh on, seed 1.
Prefill: 512 tokens. Decode: 32 tokens after 128. Host times: median of five.

--gate: TAP; cycle figures must lie within 2% of tests/e2e/baselines.json, on either side.
--record: writes that file.
"""
import json, os, statistics, subprocess, sys

PEAK_MACS, PEAK_BYTES = 1024, 64
BASELINES = "tests/e2e/baselines.json"


def bench(model, prompt, gen):
    out = subprocess.run(["build/iau", "bench", "-m", f"models/iau-ci/iau-ci-{model}.gguf", "-e", "rtl",
                          "-p", str(prompt), "-n", str(gen), "--json"], check=True, capture_output=True)
    return json.loads(out.stdout)


def keys(pos):
    """Keys that a token at POS is multiplied with: whole blocks of 32."""
    return (pos + 32) // 32 * 32


def model_elements(pos):
    """What the vector arithmetic of iau-ci comes to for one token at POS, logits included."""
    layers, embd, heads, head_dim, ff = 4, 128, 2, 64, 384
    norm = 2 * embd + 1                                 # squares, root, scaling
    rope = 3 * (heads + 1) * head_dim                   # swapped x sin, x cos, their sum; q and k
    values = 2 * head_dim + 2                           # largest value, 127/x and x/127, quantise
    softmax = 2 * heads * keys(pos) + heads + heads * head_dim
    return embd + layers * (2 * norm + rope + values + softmax + 3 * ff) + norm


def cycle_figures(q, decode, prefill):
    d, p = decode["decode"], prefill["prefill"]
    # every weight once, every live key once; the tokens see 129, 130, ... keys
    bytes_ = 32 * decode["matrix_bytes"] + decode["kv_bytes_per_key"] * sum(range(129, 161))
    macs = (512 * (prefill["matrix_macs"] - prefill["head_macs"]) + prefill["head_macs"]
            + prefill["attention_macs_per_key"] * sum(range(1, 513)))
    return {
        f"decode_cycles_per_token_iau_ci_{q}": d["cycles"] / 32,
        f"decode_bandwidth_share_iau_ci_{q}": bytes_ / (PEAK_BYTES * d["cycles"]),
        f"prefill512_cycles_per_token_iau_ci_{q}": p["cycles"] / 512,
        f"prefill512_mac_share_iau_ci_{q}": macs / (PEAK_MACS * p["cycles"]),
    }


def device_shares(decode):
    """What the device counted over what the model comes to, for the decoded tokens."""
    d = decode["decode"]
    macs = sum(decode["matrix_macs"] + decode["attention_macs_per_key"] * keys(pos)
               for pos in range(128, 160))
    return {"device_mac_share": d["macs"] / macs,
            "device_element_share": d["elements"] / sum(map(model_elements, range(128, 160)))}


def measure(runs):
    figures = {}
    for q in ("q8_0", "q4_0"):
        decode = [bench(q, 128, 32) for _ in range(runs)]
        prefill = [bench(q, 512, 0) for _ in range(runs)]
        figures |= cycle_figures(q, decode[0], prefill[0])
        for r in decode[1:]:
            if r["decode"]["cycles"] != decode[0]["decode"]["cycles"]:
                sys.exit(f"{q}: cycles differ from run to run")
        if q == "q8_0":
            figures |= device_shares(decode[0])
        if runs > 1:
            figures[f"rtl_decode_tokens_per_s_iau_ci_{q}"] = statistics.median(
                32 / r["decode"]["host_seconds"] for r in decode)
        if runs > 1 and q == "q8_0":
            figures["rtl_sim_gmac_per_s_prefill512"] = statistics.median(
                r["prefill"]["macs"] / r["prefill"]["host_seconds"] / 1e9 for r in prefill)
    return figures


def gate():
    want, got = json.load(open(BASELINES)), measure(1)
    print(f"1..{len(want)}")
    failed = 0
    for i, (name, value) in enumerate(want.items(), 1):
        ok = name in got and abs(got[name] - value) <= 0.02 * value
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {i} - {name}: {got.get(name)}, recorded {value}")
    if failed:
        print("# a change for the better is recorded by: scripts/bench.py --record")
    return failed != 0


def main():
    if sys.argv[1:] == ["--gate"]:
        sys.exit(gate())
    if sys.argv[1:] == ["--record"]:
        with open(BASELINES, "w") as f:
            json.dump(measure(1), f, indent=2)
            f.write("\n")
        return
    figures = measure(5)
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/figures.json", "w") as f:
        json.dump(figures, f, indent=2)
    for name, value in figures.items():
        print(f"{name:45} {value:12.4f}")


main()
