# SPDX-License-Identifier: MIT
"""Runs a GGUF file in fp32 numpy, greedily: an oracle that shares no code with
libiau. `python3 check_gguf.py FILE [--prompt TEXT] [--tokens N]`.

Knows arch llama, qwen2 and qwen3 and a gpt2-style byte-level vocabulary.
Weights are dequantised, activations and KV stay fp32.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from common.bpe import Tokenizer
from common.gguf import Reader

CONTROL = 3     # tokenizer.ggml.token_type of special tokens


class Network:
    """The weights of one file, and a forward pass with a KV cache."""

    def __init__(self, reader):
        meta, self.reader = reader.metadata, reader
        self.arch = meta["general.architecture"]
        get = lambda key: meta[f"{self.arch}.{key}"]
        self.layers = get("block_count")
        self.heads, self.kv_heads = get("attention.head_count"), get("attention.head_count_kv")
        self.head_dim = meta.get(f"{self.arch}.attention.key_length",
                                 get("embedding_length") // self.heads)
        self.epsilon = get("attention.layer_norm_rms_epsilon")
        half = np.arange(self.head_dim // 2, dtype=np.float64) * 2 / self.head_dim
        self.frequencies = get("rope.freq_base") ** -half
        self.w = {name: reader.tensor(name) for name in reader.infos}
        self.head = self.w.get("output.weight", self.w["token_embd.weight"])
        self.cache = [[np.zeros((0, self.kv_heads, self.head_dim), np.float32)] * 2
                      for _ in range(self.layers)]

    def norm(self, x, name):
        scale = 1 / np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + np.float32(self.epsilon))
        return x * scale * self.w[name]

    def rotate(self, x, positions):
        """x: [time, head, head_dim]. llama turns neighbours, qwen the two halves."""
        angle = np.outer(positions, self.frequencies)[:, None, :]
        cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        out = np.empty_like(x)
        if self.arch == "llama":
            first, second = slice(0, None, 2), slice(1, None, 2)
        else:
            middle = self.head_dim // 2
            first, second = slice(0, middle), slice(middle, None)
        a, b = x[..., first], x[..., second]
        out[..., first], out[..., second] = a * cos - b * sin, a * sin + b * cos
        return out

    def project(self, x, layer, name, heads):
        prefix = f"blk.{layer}.attn_{name}"
        y = x @ self.w[prefix + ".weight"].T
        if prefix + ".bias" in self.w:
            y = y + self.w[prefix + ".bias"]
        y = y.reshape(len(x), heads, self.head_dim)
        return self.norm(y, prefix + "_norm.weight") if prefix + "_norm.weight" in self.w else y

    def attention(self, x, layer):
        old_k, old_v = self.cache[layer]
        before = len(old_k)
        positions = np.arange(before, before + len(x))
        q = self.rotate(self.project(x, layer, "q", self.heads), positions)
        k = self.rotate(self.project(x, layer, "k", self.kv_heads), positions)
        v = self.project(x, layer, "v", self.kv_heads)
        k, v = np.concatenate([old_k, k]), np.concatenate([old_v, v])
        self.cache[layer] = [k, v]
        mixed = np.empty_like(q)
        hidden = np.arange(len(k))[None, :] > positions[:, None]
        for head in range(self.heads):
            group = head * self.kv_heads // self.heads
            score = q[:, head] @ k[:, group].T / np.float32(np.sqrt(self.head_dim))
            score[hidden] = -np.inf
            score = np.exp(score - score.max(axis=-1, keepdims=True))
            mixed[:, head] = score @ v[:, group] / score.sum(axis=-1, keepdims=True)
        return mixed.reshape(len(x), -1) @ self.w[f"blk.{layer}.attn_output.weight"].T

    def feed_forward(self, x, layer):
        gate = x @ self.w[f"blk.{layer}.ffn_gate.weight"].T
        up = x @ self.w[f"blk.{layer}.ffn_up.weight"].T
        return (gate / (1 + np.exp(-gate)) * up) @ self.w[f"blk.{layer}.ffn_down.weight"].T

    def forward(self, ids, every=False):
        """Appends `ids` to the context. Logits of the last token, or of every one."""
        x = self.w["token_embd.weight"][ids]
        for layer in range(self.layers):
            x = x + self.attention(self.norm(x, f"blk.{layer}.attn_norm.weight"), layer)
            x = x + self.feed_forward(self.norm(x, f"blk.{layer}.ffn_norm.weight"), layer)
        x = self.norm(x if every else x[-1:], "output_norm.weight")
        return x @ self.head.T


def load_tokenizer(meta):
    tokens = meta["tokenizer.ggml.tokens"]
    specials = [t for t, kind in zip(tokens, meta["tokenizer.ggml.token_type"]) if kind == CONTROL]
    return Tokenizer(tokens, [m.split(" ") for m in meta["tokenizer.ggml.merges"]], specials)


def prompt_ids(tokenizer, meta, text):
    bos = [meta["tokenizer.ggml.bos_token_id"]] if meta.get("tokenizer.ggml.add_bos_token") else []
    return bos + tokenizer.encode(text)


def generate(network, ids, count, stops, piece=512):
    """Greedy continuation of `ids`; the prompt goes in by pieces to bound memory."""
    for start in range(0, len(ids), piece):
        logits = network.forward(ids[start:start + piece])
    out = []
    for _ in range(count):
        token = int(logits[0].argmax())
        if token in stops:
            break
        out.append(token)
        logits = network.forward([token])
    return out


def perplexity(network, ids, piece=512):
    """Of one unbroken context."""
    loss = 0.0
    for start in range(0, len(ids) - 1, piece):
        part = ids[start:min(start + piece, len(ids) - 1)]
        logits = network.forward(part, every=True).astype(np.float64)
        peak = logits.max(axis=-1)
        total = peak + np.log(np.exp(logits - peak[:, None]).sum(axis=-1))
        target = ids[start + 1:start + 1 + len(part)]
        loss += (total - logits[np.arange(len(part)), target]).sum()
    return float(np.exp(loss / (len(ids) - 1)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("file")
    arguments.add_argument("--prompt", default="Once upon a time")
    arguments.add_argument("--prompt-file", type=Path)
    arguments.add_argument("--tokens", type=int, default=200)
    arguments.add_argument("--perplexity", type=Path, metavar="TEXT", help="measure, do not generate")
    args = arguments.parse_args()

    reader = Reader(args.file)
    meta, network = reader.metadata, Network(reader)
    tokenizer = load_tokenizer(meta)
    if args.perplexity:
        ids = prompt_ids(tokenizer, meta, args.perplexity.read_text())
        print(f"{len(ids)} tokens, perplexity {perplexity(network, ids):.4f}")
        return
    text = args.prompt_file.read_text() if args.prompt_file else args.prompt
    stops = {meta.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")}
    out = generate(network, prompt_ids(tokenizer, meta, text), args.tokens, stops)
    sys.stdout.write(("" if args.prompt_file else text) + tokenizer.decode(out) + "\n")


if __name__ == "__main__":
    main()
