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


def rms_norm(x, weight, epsilon):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + epsilon) * weight).to(x.dtype)


def rotate(x, cos, sin):
    """RoPE on neighbouring pairs; x is [batch, head, time, head_dim]."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).to(x.dtype)


class Model(nn.Module):
    """Weights carry llama.cpp's tensor names, with `.` written as `_`."""

    def __init__(self, recipe):
        super().__init__()
        self.recipe = r = recipe
        self.token_embd = nn.Parameter(torch.randn(r.vocabulary, r.dim) * 0.02)
        self.output_norm = nn.Parameter(torch.ones(r.dim))
        shapes = {"attn_q": (r.heads * r.head_dim, r.dim), "attn_k": (r.kv_heads * r.head_dim, r.dim),
                  "attn_v": (r.kv_heads * r.head_dim, r.dim), "attn_output": (r.dim, r.heads * r.head_dim),
                  "ffn_gate": (r.ffn, r.dim), "ffn_up": (r.ffn, r.dim), "ffn_down": (r.dim, r.ffn)}
        for layer in range(r.layers):
            for name, (rows, columns) in shapes.items():
                deviation = 0.6 / columns ** 0.5
                if name in ("attn_output", "ffn_down"):
                    deviation /= (2 * r.layers) ** 0.5
                self.register_parameter(f"blk_{layer}_{name}",
                                        nn.Parameter(torch.randn(rows, columns) * deviation))
            for name in ("attn_norm", "ffn_norm"):
                self.register_parameter(f"blk_{layer}_{name}", nn.Parameter(torch.ones(r.dim)))
        angle = torch.outer(torch.arange(r.context + 1).float(),
                            r.rope_base ** (-torch.arange(0, r.head_dim, 2).float() / r.head_dim))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, quantised=False, dtype=torch.bfloat16, early=None):
        """Logits [batch, time, vocabulary] in `dtype`, and, if `early` is the number of
        an exit as a tensor of one element, those that are read there."""
        r = self.recipe
        batch, time = ids.shape
        cos, sin = self.cos[:time], self.sin[:time]

        def matrix(layer, name):
            weight = getattr(self, f"blk_{layer}_{name}")
            if quantised:
                weight = straight_through(weight, round_q4_0(weight))
            return weight.to(dtype)

        def norm(x, name):
            return rms_norm(x, getattr(self, name), r.epsilon)

        def heads(x, count):
            return x.view(batch, time, count, r.head_dim).transpose(1, 2)

        def shared(x):
            """Each KV head serves a group of neighbouring query heads."""
            return x.repeat_interleave(r.heads // r.kv_heads, dim=1)

        embedding = self.token_embd
        if quantised:
            embedding = straight_through(embedding, round_q8_0(embedding))
        embedding = embedding.to(dtype)

        def read(x):
            return norm(x, "output_norm") @ embedding.T

        x, exits = F.embedding(ids, embedding), []
        for layer in range(r.layers):
            h = norm(x, f"blk_{layer}_attn_norm")
            q = rotate(heads(h @ matrix(layer, "attn_q").T, r.heads), cos, sin)
            k = rotate(heads(h @ matrix(layer, "attn_k").T, r.kv_heads), cos, sin)
            v = heads(h @ matrix(layer, "attn_v").T, r.kv_heads)
            h = F.scaled_dot_product_attention(q, shared(k), shared(v), is_causal=True)
            h = h.transpose(1, 2).reshape(batch, time, r.heads * r.head_dim)
            x = x + h @ matrix(layer, "attn_output").T
            h = norm(x, f"blk_{layer}_ffn_norm")
            h = F.silu(h @ matrix(layer, "ffn_gate").T) * (h @ matrix(layer, "ffn_up").T)
            x = x + h @ matrix(layer, "ffn_down").T
            if layer + 1 in r.exits:
                exits.append(x)
        if early is None:
            return read(x)
        # Chosen by a tensor, so that one compilation serves every exit.
        return read(x), read(torch.stack(exits).index_select(0, early)[0])
