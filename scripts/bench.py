#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures models on the Verilated device; writes build/bench/figures.json.

Default memory model: 100 cycles latency, 64 bytes a cycle, jitter and refresh on, seed 1; *_lat300: 300
cycles. Prefill: 512 tokens. Decode: 32 tokens after 128, of the large shapes 8; *_ahead: in one job, chosen by the device; batches 8 after 16, because
keys are read for each sequence and with many of them nothing would be left to share. Host times: median of
five. iau-ci is the shipped model, 6m and 14m are shapes of so many parameters with random weights
(models/random). Shares of the matrix engine count what a model needs, at 1,024 products a cycle or
2,048 by INT4 weights.

--gate: TAP; cycle figures must lie within 2% of tests/e2e/baselines.json, on either side.
--record: writes that file.
"""
import json, os, statistics, subprocess, sys, tempfile, time

PEAK_MACS, PEAK_BYTES = {"q8_0": 1024, "q4_0": 2048}, 64
BASELINES = "tests/e2e/baselines.json"


def model_file(model, q):
    """Where it is; shapes with random weights are made, NAME:N of N layers."""
    if model == "iau_ci":
        return f"models/iau-ci/iau-ci-{q}.gguf"
    path = f"build/bench/{model.replace(':', '-')}-{q}.gguf"
    shape, _, layers = model.partition(":")
    if not os.path.exists(path):
        os.makedirs("build/bench", exist_ok=True)
        # the interpreter that sees Debian's numpy
        subprocess.run(["/usr/bin/python3", "models/random/make_gguf.py", "--shape", shape, "--type", q,
                        *(["--layers", layers] if layers else []), "--out", path], check=True, stdout=subprocess.DEVNULL)
    return path


def bench(model, q, prompt, gen, *more, tool="build/iau"):
    out = subprocess.run([tool, "bench", "-m", model_file(model, q), "-e", "rtl", "-p", str(prompt),
                          "-n", str(gen), "--json", *more], check=True, capture_output=True)
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


def needed_bytes(decode, gen):
    """Every weight once, every live key once; the tokens see 129, 130, ... keys."""
    return gen * decode["matrix_bytes"] + decode["kv_bytes_per_key"] * sum(range(129, 129 + gen))


def prompt_macs(prefill, tokens, seen=lambda pos: pos + 1):
    """By weights of layers, and of attention, in which a token at POS sees so many keys. The last layer is whole for
    the last token alone, which is asked for logits: of those before nothing but keys and values is seen again."""
    spared = tokens - 1
    weights = tokens * (prefill["matrix_macs"] - prefill["head_macs"]) - spared * prefill["spared_macs"]
    layer = prefill["attention_macs_per_key"] / prefill["layers"]
    return weights, (prefill["attention_macs_per_key"] * sum(map(seen, range(tokens)))
                     - layer * sum(map(seen, range(spared))))


def needed_cycles(prefill, q, tokens):
    """Of the matrix engine at its peak; the head and attention are INT8 at any rate."""
    weights, attention = prompt_macs(prefill, tokens)
    return weights / PEAK_MACS[q] + (prefill["head_macs"] + attention) / PEAK_MACS["q8_0"]


def decode_share(decode, gen):
    return needed_bytes(decode, gen) / (PEAK_BYTES * decode["decode"]["cycles"])


def mac_share(prefill, q, tokens=512):
    return needed_cycles(prefill, q, tokens) / prefill["prefill"]["cycles"]


def layer_share(model, q, tokens):
    """... by a layer behind which there are others, which is what a model of two takes more: the last has less to do"""
    one, two = (bench(f"{model}:{layers}", q, tokens, 0) for layers in (1, 2))
    return ((needed_cycles(two, q, tokens) - needed_cycles(one, q, tokens)) /
            (two["prefill"]["cycles"] - one["prefill"]["cycles"]))


def matrix_cycles(prefill, *operators):
    """Of the matrix engine at what is done for these."""
    done = prefill["prefill"]["breakdown"]["operators"]
    return sum(done[op]["matrix"] for op in operators)


PRODUCTS = ("qkv projection", "attention output", "ffn gate, up", "ffn down")


def gemm_share(prefill):
    """Of the peak, in the products with weights alone; waiting for other units is not theirs."""
    return prompt_macs(prefill, 512)[0] / PEAK_MACS["q8_0"] / matrix_cycles(prefill, *PRODUCTS)


def attention_share(prefill, tokens):
    """Of the peak, in all cycles but those of other products; keys that a token may not see are none."""
    other = matrix_cycles(prefill, *PRODUCTS, "logits")
    return prompt_macs(prefill, tokens)[1] / PEAK_MACS["q8_0"] / (prefill["prefill"]["cycles"] - other)


def simulated(prefill):
    """10^9 products a second of the host"""
    return prefill["prefill"]["macs"] / prefill["prefill"]["host_seconds"] / 1e9


def cycle_figures(q, decode, prefill):
    return {
        f"decode_cycles_per_token_iau_ci_{q}": decode["decode"]["cycles"] / 32,
        f"decode_bandwidth_share_iau_ci_{q}": decode_share(decode, 32),
        f"decode_bandwidth_share_iau_ci_{q}_ahead": decode_share(bench("iau_ci", q, 128, 32, "-a", "32"), 32),
        f"prefill512_cycles_per_token_iau_ci_{q}": prefill["prefill"]["cycles"] / 512,
        f"prefill512_mac_share_iau_ci_{q}": mac_share(prefill, q),
    }


def large_shapes():
    """Cycle figures of 14m, at both latencies, and of layers whose rows are wider than the scratchpad"""
    figures = {}
    for q in ("q8_0", "q4_0"):
        figures[f"decode_bandwidth_share_14m_{q}"] = decode_share(bench("14m", q, 128, 8), 8)
        figures[f"decode_bandwidth_share_14m_{q}_lat300"] = decode_share(
            bench("14m", q, 128, 8, "-L", "300"), 8)
        figures[f"prefill64_mac_share_1b_layer_{q}"] = layer_share("1b-layer", q, 64)
        figures[f"prefill64_mac_share_qwen3_0_6b_layer_{q}"] = layer_share("qwen3-0.6b", q, 64)
    q8, q4 = (bench("14m", q, 512, 0, "--breakdown") for q in ("q8_0", "q4_0"))
    figures["prefill512_mac_share_14m_q8_0"] = mac_share(q8, "q8_0")
    figures["gemm_mac_share_14m_q8_0"] = gemm_share(q8)
    figures["prefill512_int4_speedup_14m"] = q8["prefill"]["cycles"] / q4["prefill"]["cycles"]
    figures["decode_batch8_speedup_14m_q4_0"] = batch_speedup(8, 16)
    figures["decode_batch16_speedup_14m_q4_0"] = batch_speedup(16, 16)
    return figures


def batch_speedup(batch, prompt, model="14m"):
    """Tokens a cycle of so many sequences that decode together, against one; 8 tokens after PROMPT"""
    one, all_ = (bench(model, "q4_0", prompt, 8, "-B", str(n))["decode"] for n in (1, batch))
    return all_["tokens"] / all_["cycles"] / (one["tokens"] / one["cycles"])


def device_shares(decode):
    """What the device counted over what the model comes to, for the decoded tokens."""
    d = decode["decode"]
    macs = sum(decode["matrix_macs"] + decode["attention_macs_per_key"] * keys(pos)
               for pos in range(128, 160))
    return {"device_mac_share": d["macs"] / macs,
            "device_element_share": d["elements"] / sum(map(model_elements, range(128, 160)))}


def rtl_build():
    """The engine from nothing, two processes at a time: seconds, and MiB of the largest process."""
    with tempfile.TemporaryDirectory() as b:
        start = time.monotonic()
        make = subprocess.Popen(["make", "-j2", f"B={b}", "GEN=build/gen", "NEEDED=build/.packages",
                                 "OBJCACHE=", f"{b}/rtl/Viau_sim__ALL.a", f"{b}/obj/sim/src/rtl.o"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(make.pid, 0)
        if status:
            sys.exit("the rtl engine does not build")
        return {"rtl_build_seconds": time.monotonic() - start,
                "rtl_build_peak_mib": usage.ru_maxrss / 1024}


def measure(runs):
    figures = {}
    for q in ("q8_0", "q4_0"):
        decode = [bench("iau_ci", q, 128, 32) for _ in range(runs)]
        prefill = [bench("iau_ci", q, 512, 0) for _ in range(runs)]
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
            figures["rtl_sim_gmac_per_s_prefill512"] = statistics.median(map(simulated, prefill))
    figures |= large_shapes()
    if runs > 1:
        figures["decode_batch8_speedup_14m_q4_0_after128"] = batch_speedup(8, 128)
        figures["decode_batch16_speedup_1b_layer_q4_0"] = batch_speedup(16, 16, "1b-layer")
        figures["attention_mac_share_prefill2048_14m_q8_0"] = attention_share(
            bench("14m", "q8_0", 2048, 0, "--breakdown"), 2048)
        for q in ("q8_0", "q4_0"):
            figures[f"rtl_sim_gmac_per_s_prefill512_14m_{q}"] = statistics.median(
                simulated(bench("14m", q, 512, 0)) for _ in range(runs))
        figures["rtl_decode_tokens_per_s_6m_q4_0"] = statistics.median(
            8 / bench("6m", "q4_0", 128, 8)["decode"]["host_seconds"] for _ in range(runs))
        figures |= rtl_build()
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


if __name__ == "__main__":
    main()
