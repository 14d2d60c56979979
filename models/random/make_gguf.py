# SPDX-License-Identifier: MIT
"""Writes a GGUF with random weights, to test shapes that no shipped model has:
`python3 make_gguf.py --shape qwen3-0.6b --type q8_0 --out FILE`.

The text it generates means nothing; its sizes, tensor names and arithmetic are
those of the real thing. The same arguments always give the same bytes.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from common import bpe, gguf

# The qwen shapes are the published ones but for the number of layers and the
# vocabulary.
SHAPES = {
    "qwen2-0.5b": dict(arch="qwen2", hidden=896, layers=2, heads=14, kv_heads=2, head_dim=64,
                       ffn=4864, vocab=4096, rope_base=1e6, epsilon=1e-6),
    "qwen3-0.6b": dict(arch="qwen3", hidden=1024, layers=2, heads=16, kv_heads=8, head_dim=128,
                       ffn=3072, vocab=4096, rope_base=1e6, epsilon=1e-6),
    "qwen3-1.7b": dict(arch="qwen3", hidden=2048, layers=2, heads=16, kv_heads=8, head_dim=128,
                       ffn=6144, vocab=4096, rope_base=1e6, epsilon=1e-6),
    # so many heads that 16 rows fill the scratchpad
    "wide": dict(arch="qwen3", hidden=1024, layers=2, heads=32, kv_heads=8, head_dim=128,
                 ffn=512, vocab=4096, rope_base=1e6, epsilon=1e-6),
    "6m": dict(arch="llama", hidden=256, layers=8, heads=4, kv_heads=2, head_dim=64,
               ffn=704, vocab=2048, rope_base=5e5, epsilon=1e-5),
    "14m": dict(arch="llama", hidden=384, layers=8, heads=6, kv_heads=2, head_dim=64,
                ffn=1024, vocab=2048, rope_base=5e5, epsilon=1e-5),
    # fast, for tests of what is around a model
    "tiny": dict(arch="llama", hidden=64, layers=2, heads=2, kv_heads=1, head_dim=64,
                 ffn=64, vocab=320, rope_base=5e5, epsilon=1e-5),
    # one layer of a model of a billion parameters
    "1b-layer": dict(arch="llama", hidden=2048, layers=1, heads=32, kv_heads=8, head_dim=64,
                     ffn=8192, vocab=2048, rope_base=5e5, epsilon=1e-5),
}
CONTEXT = 10240
SPECIALS = ["<|bos|>", "<|eos|>"]


def vocabulary(size):
    """Two specials, the 256 bytes, then merges: pairs of letters, then pairs of
    those, in a fixed order that a real tokenizer can read."""
    tokens = SPECIALS + [bpe.BYTE_TO_CHAR[b] for b in range(256)]
    if size < len(tokens):
        raise SystemExit(f"--vocab must be at least {len(tokens)}")
    letters = "etaoinshrdlucmfwypvbgk"
    singles = [bpe.BYTE_TO_CHAR[32], *letters]
    pairs = [(a, b) for a in singles for b in letters]
    doubles = ["".join(p) for p in pairs]
    pairs += [(a, b) for a in doubles for b in doubles if b[0] in letters]
    merges = pairs[:size - len(tokens)]
    if len(tokens) + len(merges) < size:
        raise SystemExit(f"--vocab can be at most {len(tokens) + len(merges)}")
    return tokens + [a + b for a, b in merges], merges


def tensors(shape, rng):
    """(name, weights) in file order. Deviation 1/sqrt(inputs) keeps what each
    matrix makes of a normalised input at unit scale. The two that write to the
    residual share one sum over all layers, so that depth does not make it grow,
    and that sum outweighs the embedding: the tied head would otherwise see the
    input token alone and repeat it."""
    hidden, ffn, head_dim = shape["hidden"], shape["ffn"], shape["head_dim"]
    q, kv = shape["heads"] * head_dim, shape["kv_heads"] * head_dim

    def matrix(rows, columns, gain=1.0):
        return rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(gain / columns ** 0.5)

    def near_one(size):
        return (1 + 0.1 * rng.standard_normal(size)).astype(np.float32)

    residual = 6 * (2 * shape["layers"]) ** -0.5
    # Tied to the head: 3/sqrt(hidden) gives logits a deviation of three.
    yield "token_embd.weight", matrix(shape["vocab"], hidden, 3.0)
    for layer in range(shape["layers"]):
        prefix = f"blk.{layer}."
        yield prefix + "attn_norm.weight", near_one(hidden)
        for name, rows in (("q", q), ("k", kv), ("v", kv)):
            yield f"{prefix}attn_{name}.weight", matrix(rows, hidden)
            if shape["arch"] == "qwen2":
                yield f"{prefix}attn_{name}.bias", (0.3 * rng.standard_normal(rows)).astype(np.float32)
            if shape["arch"] == "qwen3" and name != "v":
                yield f"{prefix}attn_{name}_norm.weight", near_one(head_dim)
        yield prefix + "attn_output.weight", matrix(hidden, q, residual)
        yield prefix + "ffn_norm.weight", near_one(hidden)
        yield prefix + "ffn_gate.weight", matrix(ffn, hidden)
        yield prefix + "ffn_up.weight", matrix(ffn, hidden)
        yield prefix + "ffn_down.weight", matrix(hidden, ffn, residual)
    yield "output_norm.weight", near_one(hidden)


def metadata(name, shape, form):
    tokens, merges = vocabulary(shape["vocab"])
    arch = shape["arch"]
    return {
        "general.architecture": arch,
        "general.name": f"random-{name}",
        "general.file_type": gguf.FILE_TYPES[form],
        "general.quantization_version": 2,
        "general.alignment": gguf.ALIGNMENT,
        f"{arch}.context_length": CONTEXT,
        f"{arch}.embedding_length": shape["hidden"],
        f"{arch}.block_count": shape["layers"],
        f"{arch}.feed_forward_length": shape["ffn"],
        f"{arch}.attention.head_count": shape["heads"],
        f"{arch}.attention.head_count_kv": shape["kv_heads"],
        f"{arch}.attention.layer_norm_rms_epsilon": shape["epsilon"],
        f"{arch}.attention.key_length": shape["head_dim"],
        f"{arch}.attention.value_length": shape["head_dim"],
        f"{arch}.rope.dimension_count": shape["head_dim"],
        f"{arch}.rope.freq_base": shape["rope_base"],
        f"{arch}.vocab_size": shape["vocab"],
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2" if arch.startswith("qwen") else "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if t in SPECIALS else 1 for t in tokens],
        "tokenizer.ggml.merges": [f"{a} {b}" for a, b in merges],
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.add_bos_token": True,
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--shape", choices=SHAPES, required=True)
    arguments.add_argument("--type", choices=("q8_0", "q4_0", "f16"), default="q8_0")
    arguments.add_argument("--vocab", type=int)
    arguments.add_argument("--layers", type=int)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, required=True)
    args = arguments.parse_args()

    shape = dict(SHAPES[args.shape])
    shape["vocab"] = args.vocab or shape["vocab"]
    shape["layers"] = args.layers or shape["layers"]

    def kind(name, weights):
        if weights.ndim == 1:
            return gguf.F32
        if args.type == "q4_0" and name == "token_embd.weight":
            return gguf.Q8_0        # also the head, as in the shipped models
        return gguf.TYPE_NAMES[args.type]

    rng = np.random.Generator(np.random.PCG64(args.seed))
    gguf.write(args.out, metadata(args.shape, shape, args.type),
               [(n, w, kind(n, w)) for n, w in tensors(shape, rng)])
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
