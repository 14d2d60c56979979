#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the shipped model on the Verilated device; writes build/bench/figures.json.

Default memory model: 100 cycles latency, 64 bytes a cycle, jitter and refresh on, seed 1.
Prefill: 512 tokens. Decode: 32 tokens after 128.
"""
import json, os, subprocess

PEAK_MACS, PEAK_BYTES = 1024, 64


def bench(model, prompt, gen):
    out = subprocess.run(["build/iau", "bench", "-m", f"models/iau-ci/iau-ci-{model}.gguf", "-e", "rtl",
                          "-p", str(prompt), "-n", str(gen), "--json"], check=True, capture_output=True)
    return json.loads(out.stdout)


def main():
    figures = {}
    for q in ("q8_0", "q4_0"):
        r = bench(q, 128, 32)
        d = r["decode"]
        # every weight once, every live key once; the tokens see 129, 130, ... keys
        need = 32 * r["matrix_bytes"] + r["kv_bytes_per_key"] * sum(range(129, 161))
        figures[f"decode_cycles_per_token_iau_ci_{q}"] = d["cycles"] / 32
        figures[f"decode_bandwidth_share_iau_ci_{q}"] = need / (PEAK_BYTES * d["cycles"])
        figures[f"rtl_decode_tokens_per_s_iau_ci_{q}"] = 32 / d["host_seconds"]
        r = bench(q, 512, 0)
        p = r["prefill"]
        need = (512 * (r["matrix_macs"] - r["head_macs"]) + r["head_macs"]
                + r["attention_macs_per_key"] * sum(range(1, 513)))
        figures[f"prefill512_cycles_per_token_iau_ci_{q}"] = p["cycles"] / 512
        figures[f"prefill512_mac_share_iau_ci_{q}"] = need / (PEAK_MACS * p["cycles"])
        if q == "q8_0":
            figures["rtl_sim_gmac_per_s_prefill512"] = p["macs"] / p["host_seconds"] / 1e9
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/figures.json", "w") as f:
        json.dump(figures, f, indent=2)
    for name, value in figures.items():
        print(f"{name:45} {value:12.4f}")


main()
