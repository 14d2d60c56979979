# SPDX-License-Identifier: MIT
"""compare.py DIR: the reference model against llama.cpp, through the two probes in DIR.

Prints TAP and a table; writes build/bench/figures-llama.json. LLAMA_SEED chooses the texts.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

import lines
import probes

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
DIR = Path(sys.argv[1]).resolve()
SEED = int(os.environ.get("LLAMA_SEED", 1))
LINES = 10000
WINDOW_TOKENS, WINDOWS, RANDOM_TOKENS = 4000, 2, 64
DECODE_TOKENS, WARM_TOKENS, SPEED_RUNS = 256, 32, 7
PRE = ["llama-bpe", "qwen2", "smollm", "gpt-2"]

figures, results = {}, []


def check(name, ok, value=None):
    """One line of TAP, and a figure if there is a value."""
    results.append(ok)
    if value is not None:
        figures[name] = value
        name += f" = {value:.6g}"
    print(f"{'ok' if ok else 'not ok'} {len(results)} - {name}", flush=True)


def probe(engine, *args, stdin):
    return probes.run(DIR, engine, *args, stdin=stdin)


def both(*args, stdin):
    return [probe(engine, *args, stdin=stdin) for engine in ("iau", "llama")]


def logits(engine, model, tokens):
    """fp64 [token][vocabulary]"""
    raw = probe(engine, "logits", model, stdin=probes.pack(tokens))
    return np.frombuffer(raw, "<f4").reshape(len(tokens), -1).astype(np.float64)


def perplexity(rows, windows):
    """Of all tokens but the first of each window; rows are the windows' one after the other."""
    last = np.cumsum([len(w) for w in windows]) - 1
    rows = np.delete(rows, last, axis=0)
    top = rows.max(axis=1)
    log_sum = top + np.log(np.exp(rows - top[:, None]).sum(axis=1))
    return np.exp(np.mean(log_sum - rows[np.arange(len(rows)), np.concatenate([w[1:] for w in windows])]))


def agreement(a, b):
    """Share of positions with the same likeliest token."""
    return float(np.mean(a.argmax(axis=1) == b.argmax(axis=1)))


def nmse(a, b):
    """Squared error of a over the squares of b."""
    return float(np.sum((a - b) ** 2) / np.sum(b ** 2))


def shipped(form, limit):
    """The trained model on text that it has not seen, in windows of tokens from its start.

    Near ties make agreement a matter of luck, some 0.0015 of 8,000 positions; nmse is not.
    """
    model = MODELS / f"iau-ci/iau-ci-{form}.gguf"
    text = (MODELS / "iau-ci/held-out.txt").read_bytes()
    ours, theirs = both("tokenize", model, stdin=text)
    check(f"held-out.txt has the same tokens for {form}", ours == theirs)
    tokens = [int(t) for t in theirs.split()]
    windows = [tokens[i * WINDOW_TOKENS:(i + 1) * WINDOW_TOKENS] for i in range(WINDOWS)]
    ours, theirs, flash = (np.concatenate([logits(e, model, w) for w in windows]) for e in ("iau", "llama", "flash"))
    a, b = perplexity(ours, windows), perplexity(theirs, windows)
    print(f"# {form}: perplexity of {len(ours) - len(windows)} tokens {a:.5f}, llama.cpp {b:.5f}")
    check(f"ppl_ratio_{form}", abs(a / b - 1) <= limit, a / b)
    check(f"nmse_{form}", nmse(ours, theirs) <= 4e-5, nmse(ours, theirs))
    check(f"greedy_agreement_{form}", agreement(ours, theirs) >= 0.98, agreement(ours, theirs))
    # How far apart llama.cpp's own two ways are, and we from the other one.
    figures[f"greedy_agreement_flash_{form}"] = agreement(ours, flash)
    figures[f"nmse_llamacpp_itself_{form}"] = nmse(flash, theirs)
    figures[f"greedy_agreement_llamacpp_itself_{form}"] = agreement(theirs, flash)


def shape(name, *more):
    """A file of a shape that no shipped model has"""
    model = DIR / f"{name}.gguf"
    subprocess.run([sys.executable, MODELS / "random/make_gguf.py", "--shape", name, *more, "--out", model],
                   check=True, stdout=subprocess.DEVNULL)
    return model


def random_weights(name, of):
    """Shapes of published models; weights are random, so that every error shows."""
    model = shape(of, "--layers", "2")
    rng = np.random.Generator(np.random.PCG64(SEED))
    tokens = [0, *rng.integers(258, 4096, RANDOM_TOKENS - 1).tolist()]
    ours, theirs = (logits(e, model, tokens) for e in ("iau", "llama"))
    check(f"nmse_{name}", nmse(ours, theirs) <= 1e-3, nmse(ours, theirs))


def tokenizer(name, path, texts):
    """Each text has the same tokens."""
    ours, theirs = (r.split(b"\n") for r in both("tokenize", path, stdin="".join(t + "\0" for t in texts).encode()))
    bad = [i for i in range(len(texts)) if ours[i] != theirs[i]]
    for i in bad[:3]:
        print(f"# {texts[i]!r}\n#   ours   {ours[i].decode()}\n#   theirs {theirs[i].decode()}")
    check(f"tokenizer_lines_differ_{name} in {len(texts)}", not bad)
    figures[f"tokenizer_lines_differ_{name.replace('-', '_')}"] = len(bad)


def tokenizers():
    print(f"# texts of seed {SEED}")
    texts = lines.lines(SEED, LINES)
    path = DIR / "vocabulary.gguf"
    # This expression tells a letter, a number, a space and the rest apart.
    lines.write_bpe(path, "gpt-2", SEED)
    tokenizer("code-points", path, [f"a{c}a!{c}!1{c}1" for c in lines.code_points()])
    for pre in PRE:
        lines.write_bpe(path, pre, SEED)
        tokenizer(pre, path, texts)
    lines.write_spm(path, texts, SEED)
    tokenizer("llama", path, texts)


def speed(name, model, command, count, tokens, evaluated):
    """One thread each, turn by turn; the ratio is the median of those of a turn."""
    rates = []
    for _ in range(SPEED_RUNS):
        out = (probe(e, command, model, str(count), stdin=probes.pack(tokens)) for e in ("iau", "flash"))
        rates.append([evaluated / float(o.split()[0]) for o in out])
    figures[f"ref_{name}_tokens_per_s"], figures[f"llamacpp_{name}_tokens_per_s"] = (
        statistics.median(r) for r in zip(*rates))
    figures[f"ref_vs_llamacpp_{name}"] = statistics.median(a / b for a, b in rates)


def speeds():
    """Greedy decoding after a short prompt; prefill, after 32 tokens that warm up"""
    prompt = [0, *range(300, 304)]
    models = {"iau_ci": MODELS / "iau-ci/iau-ci-q8_0.gguf", "6m": shape("6m"), "14m": shape("14m")}
    for name, model in models.items():
        speed(f"decode_{name}_q8_0", model, "decode", DECODE_TOKENS, prompt, DECODE_TOKENS)
    tokens = np.random.Generator(np.random.PCG64(SEED)).integers(258, 2048, WARM_TOKENS + 512).tolist()
    speed("prefill512_14m_q8_0", models["14m"], "prefill", WARM_TOKENS, tokens, 512)
    check("decoding is at least half as fast as llama.cpp's", figures["ref_vs_llamacpp_decode_iau_ci_q8_0"] >= 0.5)


def main():
    print("# " + (DIR / "versions").read_text().strip().replace("\n", ", "))
    shipped("q8_0", 0.005)
    shipped("q4_0", 0.01)
    random_weights("qwen2", "qwen2-0.5b")
    random_weights("qwen3", "qwen3-0.6b")
    tokenizers()
    speeds()
    print(f"1..{len(results)}")
    out = ROOT / "build/bench/figures-llama.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n")
    for name, value in figures.items():
        print(f"# {name:45} {value:12.6g}")
    sys.exit(0 if all(results) else 1)


main()
