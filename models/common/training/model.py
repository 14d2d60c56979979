# SPDX-License-Identifier: MIT
"""The network, as llama.cpp's arch `llama` computes it."""

import torch
import torch.nn.functional as F
from torch import nn


def straight_through(weight, rounded):
    """The rounded value forwards, the gradient of the plain one backwards."""
    return weight + (rounded - weight).detach()


def round_q4_0(weight):
    """What dequantising ggml's Q4_0 gives; see ../quant.py."""
    x = weight.reshape(-1, 32)
    peak = x.gather(1, x.abs().argmax(dim=1, keepdim=True))
    scale = peak / -8
    inverse = torch.where(scale == 0, 0.0, 1 / scale)
    q = torch.trunc(x * inverse + 8.5).clamp(0, 15) - 8
    return (q * scale.half().float()).reshape(weight.shape)


def round_q8_0(weight):
    x = weight.reshape(-1, 32)
    scale = x.abs().amax(dim=1, keepdim=True) / 127
    inverse = torch.where(scale == 0, 0.0, 1 / scale)
    return (torch.round(x * inverse) * scale.half().float()).reshape(weight.shape)


def matrix(weights, name, quantised, dtype):
    """To multiply with from the right."""
    weight = weights[name]
    if quantised:
        weight = straight_through(weight, round_q4_0(weight))
    return weight.to(dtype).T


def rms_norm(x, weight, epsilon):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + epsilon) * weight).to(x.dtype)


def rotate(x, cos, sin):
    """RoPE on neighbouring pairs; x is [batch, head, time, head_dim]."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).to(x.dtype)


def read(x, norm, embedding, epsilon):
    """Logits: the final norm and the head, which is the embedding again."""
    return rms_norm(x, norm, epsilon) @ embedding.T


def embed(ids, embedding, quantised, dtype):
    """[batch, time, dim], and the embedding as it is to be read with."""
    if quantised:
        embedding = straight_through(embedding, round_q8_0(embedding))
    embedding = embedding.to(dtype)
    return F.embedding(ids, embedding), embedding


def project(x, weights, cos, sin, r, quantised):
    """Queries, keys and values of one layer of recipe `r`, [batch, heads, time, head_dim]."""
    h = rms_norm(x, weights["attn_norm"], r.epsilon)

    def heads(name, count):
        return (h @ matrix(weights, name, quantised, x.dtype)).unflatten(-1, (count, r.head_dim)).transpose(1, 2)

    return (rotate(heads("attn_q", r.heads), cos, sin), rotate(heads("attn_k", r.kv_heads), cos, sin),
            heads("attn_v", r.kv_heads))


def mix(x, found, weights, r, quantised):
    """What the layer adds to `x`, given what attention has found."""
    def by(h, name):
        return h @ matrix(weights, name, quantised, x.dtype)

    x = x + by(found.transpose(1, 2).flatten(2), "attn_output")
    h = rms_norm(x, weights["ffn_norm"], r.epsilon)
    return x + by(F.silu(by(h, "ffn_gate")) * by(h, "ffn_up"), "ffn_down")


def dense_attention(q, k, v):
    """Each KV head serves a group of neighbouring query heads."""
    k, v = (x.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for x in (k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


class Model(nn.Module):
    """Weights carry llama.cpp's tensor names, with `.` written as `_`.

    `compiled`: for training. A layer is compiled once and serves as every layer,
    which takes an eighth of the time of compiling eight.
    """

    def __init__(self, recipe, compiled=False):
        super().__init__()
        self.recipe = r = recipe
        self.embed, self.project, self.mix = embed, project, mix
        if compiled:
            self.embed, self.project, self.mix = (torch.compile(f, dynamic=False) for f in (embed, project, mix))
        self.token_embd = nn.Parameter(torch.randn(r.vocabulary, r.dim) * 0.02)
        self.output_norm = nn.Parameter(torch.ones(r.dim))
        self.shapes = {"attn_norm": (r.dim,), "attn_q": (r.heads * r.head_dim, r.dim),
                       "attn_k": (r.kv_heads * r.head_dim, r.dim), "attn_v": (r.kv_heads * r.head_dim, r.dim),
                       "attn_output": (r.dim, r.heads * r.head_dim), "ffn_norm": (r.dim,),
                       "ffn_gate": (r.ffn, r.dim), "ffn_up": (r.ffn, r.dim), "ffn_down": (r.dim, r.ffn)}
        for layer in range(r.layers):
            for name, shape in self.shapes.items():
                self.register_parameter(f"blk_{layer}_{name}", nn.Parameter(self._start(name, shape)))
        angle = torch.outer(torch.arange(r.context + 1).float(),
                            r.rope_base ** (-torch.arange(0, r.head_dim, 2).float() / r.head_dim))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def _start(self, name, shape):
        if len(shape) == 1:
            return torch.ones(shape)
        deviation = 0.6 / shape[1] ** 0.5
        if name in ("attn_output", "ffn_down"):
            deviation /= (2 * self.recipe.layers) ** 0.5
        return torch.randn(shape) * deviation

    def hidden(self, ids, quantised=False, dtype=torch.bfloat16, attention=dense_attention):
        """What each layer gives, and the embedding to read it with."""
        time = ids.shape[1]
        cos, sin = self.cos[:time], self.sin[:time]
        x, embedding = self.embed(ids, self.token_embd, quantised, dtype)
        after = []
        for layer in range(self.recipe.layers):
            weights = {name: getattr(self, f"blk_{layer}_{name}") for name in self.shapes}
            found = attention(*self.project(x, weights, cos, sin, self.recipe, quantised))
            x = self.mix(x, found, weights, self.recipe, quantised)
            after.append(x)
        return after, embedding

    def forward(self, ids, layers=None):
        """Logits [batch, time, vocabulary] in fp32, read after `layers` layers, or after all."""
        after, embedding = self.hidden(ids, dtype=torch.float32)
        return read(after[(layers or self.recipe.layers) - 1], self.output_norm, embedding, self.recipe.epsilon)
