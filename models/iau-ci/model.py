# SPDX-License-Identifier: MIT
"""The network, as llama.cpp's arch `llama` computes it."""

import torch
import torch.nn.functional as F
from torch import nn

DIM, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FFN = 128, 4, 2, 1, 64, 384
VOCABULARY, CONTEXT, ROPE_BASE, EPSILON = 1024, 10240, 500000.0, 1e-5


def straight_through(weight, rounded):
    """The rounded value forwards, the gradient of the plain one backwards."""
    return weight + (rounded - weight).detach()


def round_q4_0(weight):
    """What dequantising ggml's Q4_0 gives; see common/quant.py."""
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


def rms_norm(x, weight):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPSILON) * weight).to(x.dtype)


def rotate(x, cos, sin):
    """RoPE on neighbouring pairs; x is [batch, head, time, HEAD_DIM]."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).to(x.dtype)


class Model(nn.Module):
    """Weights carry llama.cpp's tensor names, with `.` written as `_`."""

    def __init__(self):
        super().__init__()
        self.token_embd = nn.Parameter(torch.randn(VOCABULARY, DIM) * 0.02)
        self.output_norm = nn.Parameter(torch.ones(DIM))
        shapes = {"attn_q": (HEADS * HEAD_DIM, DIM), "attn_k": (KV_HEADS * HEAD_DIM, DIM),
                  "attn_v": (KV_HEADS * HEAD_DIM, DIM), "attn_output": (DIM, HEADS * HEAD_DIM),
                  "ffn_gate": (FFN, DIM), "ffn_up": (FFN, DIM), "ffn_down": (DIM, FFN)}
        for layer in range(LAYERS):
            for name, (rows, columns) in shapes.items():
                deviation = 0.6 / columns ** 0.5
                if name in ("attn_output", "ffn_down"):
                    deviation /= (2 * LAYERS) ** 0.5
                self.register_parameter(f"blk_{layer}_{name}",
                                        nn.Parameter(torch.randn(rows, columns) * deviation))
            for name in ("attn_norm", "ffn_norm"):
                self.register_parameter(f"blk_{layer}_{name}", nn.Parameter(torch.ones(DIM)))
        angle = torch.outer(torch.arange(CONTEXT + 1).float(),
                            ROPE_BASE ** (-torch.arange(0, HEAD_DIM, 2).float() / HEAD_DIM))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, quantised=False, dtype=torch.bfloat16):
        """Logits [batch, time, vocabulary] in `dtype`."""
        batch, time = ids.shape
        cos, sin = self.cos[:time], self.sin[:time]

        def matrix(layer, name):
            weight = getattr(self, f"blk_{layer}_{name}")
            if quantised:
                weight = straight_through(weight, round_q4_0(weight))
            return weight.to(dtype)

        def heads(x, count):
            return x.view(batch, time, count, HEAD_DIM).transpose(1, 2)

        embedding = self.token_embd
        if quantised:
            embedding = straight_through(embedding, round_q8_0(embedding))
        embedding = embedding.to(dtype)
        x = F.embedding(ids, embedding)
        for layer in range(LAYERS):
            h = rms_norm(x, getattr(self, f"blk_{layer}_attn_norm"))
            q = rotate(heads(h @ matrix(layer, "attn_q").T, HEADS), cos, sin)
            k = rotate(heads(h @ matrix(layer, "attn_k").T, KV_HEADS), cos, sin)
            v = heads(h @ matrix(layer, "attn_v").T, KV_HEADS)
            shared = (batch, HEADS, time, HEAD_DIM)      # one KV head serves every query head
            h = F.scaled_dot_product_attention(q, k.expand(shared), v.expand(shared), is_causal=True)
            h = h.transpose(1, 2).reshape(batch, time, HEADS * HEAD_DIM)
            x = x + h @ matrix(layer, "attn_output").T
            h = rms_norm(x, getattr(self, f"blk_{layer}_ffn_norm"))
            h = F.silu(h @ matrix(layer, "ffn_gate").T) * (h @ matrix(layer, "ffn_up").T)
            x = x + h @ matrix(layer, "ffn_down").T
        return rms_norm(x, self.output_norm) @ embedding.T


def gguf_name(parameter):
    """blk_0_attn_q -> blk.0.attn_q.weight"""
    if parameter.startswith("blk_"):
        _, layer, name = parameter.split("_", 2)
        return f"blk.{layer}.{name}.weight"
    return parameter + ".weight"
