#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How cycles grow with context, batch, width and the width of the bus, against a model of them.

Runs iau bench on the Verilated device, writes build/bench/scaling.json, and puts tables into
docs/performance.md and plots into docs/plots. The model has three numbers that are fitted, two to the three
shortest rows of the first table, one to the last of that of batches; everything else follows from sizes.
"""
import json, os, subprocess, sys

from bench import PEAK_BYTES, PEAK_MACS, bench, keys, prompt_macs

PAGE, PLOTS = "docs/performance.md", "docs/plots"
REFRESH = 3900 / (3900 - 16)  # the memory pauses for 16 cycles in 3,900
DECODED = 8
KV_HEADS = 2  # of 14m
RING_BYTES = 148 << 10  # weights at hand


def run(model, q, prompt, gen=DECODED, batch=1, bus=64, latency=100):
    return bench(model, q, prompt, gen, "-B", str(batch), "--bus", str(bus), "-L", str(latency))


def decode_bytes(b, prompt):
    """Of a step: each weight once, and of each sequence whole blocks of keys"""
    steps = range(prompt, prompt + DECODED)
    return b["matrix_bytes"] + b["batch"] * b["kv_bytes_per_key"] * sum(map(keys, steps)) / DECODED


def decode_moved(b, prompt, bus):
    return decode_bytes(b, prompt) / bus * REFRESH


def decode_cycles(b):
    return b["decode"]["cycles"] / DECODED


def fit(samples):
    """Cycles a layer and a step that are not the memory's: least squares over (layers, cycles)"""
    n = len(samples)
    mx, my = (sum(s[i] for s in samples) / n for i in (0, 1))
    slope = sum((x - mx) * (y - my) for x, y in samples) / sum((x - mx) ** 2 for x, _ in samples)
    return slope, my - slope * mx


def attention_hidden(b, prompt):
    """Cycles of a layer's attention in a batch in which memory has something to do: keys, and weights ahead"""
    key_bytes = decode_bytes(b, prompt) - b["matrix_bytes"]
    return (key_bytes / b["layers"] + RING_BYTES) / PEAK_BYTES * REFRESH


def attention_waits(b, prompt, pass_cycles):
    """Cycles of all layers in which memory waits for passes of attention, each of a sequence and KV head"""
    passes = b["batch"] * KV_HEADS
    return b["layers"] * max(0, passes * pass_cycles - attention_hidden(b, prompt))


def prefill_cycles(b, q, prompt, rows=32):
    """Of the matrix engine at its peak: products of all tokens, and attention over whole blocks. Of one token, in the last
    layer and the head, what the bus takes to bring the weights"""
    weights, attention = prompt_macs(b, prompt, keys)
    alone = b["spared_macs"] + b["head_macs"]
    products = (weights - b["spared_macs"]) / PEAK_MACS[q] + attention / PEAK_MACS["q8_0"]
    return products * 32 / rows + b["matrix_bytes"] * alone / b["matrix_macs"] / PEAK_BYTES * REFRESH


def array_rows():
    """Of devices with a smaller matrix engine, which are built for it"""
    for rows in (8, 16, 32):
        tool = "build/iau"
        if rows < 32:
            tool = f"build/rows{rows}/iau"
            subprocess.run(["make", f"ROWS={rows}", f"B=build/rows{rows}", tool], check=True, stdout=subprocess.DEVNULL)
        for q in ("q8_0", "q4_0"):
            b = bench("14m", q, 256, DECODED, tool=tool)
            got, want = b["prefill"]["cycles"] / 256, prefill_cycles(b, q, 256, rows) / 256
            yield [rows, q.upper(), got, want / got, want, percent(got, want), decode_cycles(b)]


class Tables:
    def __init__(self):
        self.text, self.cells = {}, []

    def add(self, name, head, rows):
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        lines += ["| " + " | ".join(f"{c:,.0f}" if isinstance(c, (int, float)) and abs(c) >= 100 else
                                    f"{c:.3f}" if isinstance(c, float) else str(c) for c in row) + " |" for row in rows]
        self.text[name] = "\n".join(lines)
        self.cells.append({"table": name, "head": head, "rows": rows})

    def insert(self):
        page = open(PAGE).read()
        for name, text in self.text.items():
            begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
            if begin not in page or end not in page:
                sys.exit(f"{PAGE} has no place for the table of {name}")
            page = page[:page.index(begin) + len(begin)] + text + "\n" + page[page.index(end):]
        open(PAGE, "w").write(page)


def percent(got, want):
    return f"{100 * (want / got - 1):+.1f}%"


def decode_want(constants, b, prompt, bus):
    per_layer, per_step = constants
    return decode_moved(b, prompt, bus) + per_layer * b["layers"] + per_step


def decode_row(constants, b, prompt, bus, *first, waits=0):
    want, got = decode_want(constants, b, prompt, bus) + waits, decode_cycles(b)
    share = decode_bytes(b, prompt) / bus / got
    return [*first, got / b["batch"], share, want / b["batch"], percent(got, want)]


def gnuplot(name, xlabel, ylabel, series):
    """SERIES: title, points; the model's as lines, what was measured as points"""
    os.makedirs(PLOTS, exist_ok=True)
    data = "".join(f"$d{i} << END\n" + "".join(f"{x} {y}\n" for x, y in points) + "END\n"
                   for i, (_, points, _) in enumerate(series))
    plot = ", ".join(f"$d{i} using 1:2 with {style} title '{title}'" for i, (title, _, style) in enumerate(series))
    script = (f"set terminal svg size 640,400 font 'sans,12'\nset output '{PLOTS}/{name}.svg'\nset grid\nset key left top\n"
              f"set logscale x 2\nset xlabel '{xlabel}'\nset ylabel '{ylabel}'\n{data}plot {plot}\n")
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    t = Tables()
    fitted = {m: run(m, "q8_0", 32) for m in ("iau_ci", "6m", "14m")}
    samples = [(b["layers"], decode_cycles(b) - decode_moved(b, 32, PEAK_BYTES)) for b in fitted.values()]
    constants = fit(samples)

    head = ["cycles/token", "share of the bus", "model", "error"]
    rows = [decode_row(constants, fitted[m] if q == "q8_0" else run(m, q, 32), 32, 64, m.replace("_", "-"), q.upper())
            for m in ("iau_ci", "6m", "14m", "1b-layer") for q in ("q8_0", "q4_0") if m in fitted or q == "q4_0"]
    t.add("width", ["model", "weights", *head], rows)

    context = {p: run("14m", "q4_0", p) for p in (32, 128, 512, 2048)}
    rows = [decode_row(constants, b, p, 64, p) for p, b in context.items()]
    t.add("context", ["tokens before", *head], rows)
    gnuplot("context", "tokens before", "cycles a token", [
        ("measured", [(r[0], r[1]) for r in rows], "points pointtype 7"), ("model", [(r[0], r[3]) for r in rows], "lines")])
    rows = []
    for p, b in context.items():
        got, want = b["prefill"]["cycles"] / p, prefill_cycles(b, "q4_0", p) / p
        rows.append([p, got, want / got, want, percent(got, want)])
    t.add("prefill", ["tokens", "cycles/token", "share of the peak", "model", "error"], rows)

    batch = {n: run("14m", "q4_0", 16, batch=n) for n in (1, 2, 4, 8, 16)}
    wide = batch[16]
    waited = (decode_cycles(wide) - decode_want(constants, wide, 16, 64)) / wide["layers"]
    pass_cycles = (waited + attention_hidden(wide, 16)) / (16 * KV_HEADS)
    rows = [decode_row(constants, b, 16, 64, n, waits=attention_waits(b, 16, pass_cycles)) for n, b in batch.items()]
    one = rows[0][1]
    t.add("batch", ["sequences", *head, "speed-up"], [[*r, one / r[1]] for r in rows])
    gnuplot("batch", "sequences", "tokens a million cycles", [
        ("measured", [(r[0], 1e6 / r[1]) for r in rows], "points pointtype 7"), ("model", [(r[0], 1e6 / r[3]) for r in rows], "lines")])

    rows = [decode_row(constants, run("14m", q, 32, bus=w, latency=l), 32, w, 8 * w, l, q.upper())
            for q in ("q8_0", "q4_0") for w, l in ((16, 100), (32, 100), (64, 100), (64, 300))]
    t.add("bus", ["bits a cycle", "latency", "weights", *head], rows)
    rows = []
    for q in ("q8_0", "q4_0"):
        for w in (16, 32, 64):
            b = run("14m", q, 128, 0, bus=w)
            got, want = b["prefill"]["cycles"] / 128, prefill_cycles(b, q, 128) / 128
            rows.append([8 * w, q.upper(), got, want / got])
    t.add("bus in prefill", ["bits a cycle", "weights", "cycles/token", "share of the peak"], rows)

    t.add("array", ["rows", "weights", "prefill cycles/token", "share of the peak", "model", "error", "decode cycles/token"],
          list(array_rows()))

    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/scaling.json", "w") as f:
        json.dump({"cycles_per_layer": constants[0], "cycles_per_step": constants[1], "cycles_per_pass": pass_cycles,
                   "tables": t.cells}, f, indent=2)
    t.text["constants"] = f"{constants[0]:,.0f} cycles a layer and {constants[1]:,.0f} a step"
    t.text["pass"] = f"{pass_cycles:,.0f} cycles"
    t.insert()


if __name__ == "__main__":
    main()
