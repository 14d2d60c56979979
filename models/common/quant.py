# SPDX-License-Identifier: MIT
"""Q8_0 and Q4_0 blocks of 32, rounded as ggml's reference code rounds them."""

import numpy as np

BLOCK = 32


def _blocks(weights):
    return np.ascontiguousarray(weights, dtype=np.float32).reshape(-1, BLOCK)


def _inverse(scale):
    safe = np.where(scale == 0, np.float32(1), scale)
    return np.where(scale == 0, np.float32(0), np.float32(1) / safe)


def _round_half_away(x):
    return np.trunc(x + np.copysign(np.float32(0.5), x))


def quantize_q8_0(weights):
    """34 bytes a block: fp16 scale, 32 signed bytes."""
    x = _blocks(weights)
    scale = np.abs(x).max(axis=1, keepdims=True) / np.float32(127)
    q = _round_half_away(x * _inverse(scale)).astype(np.int8)
    return np.concatenate([scale.astype("<f2").view(np.uint8), q.view(np.uint8)], axis=1).tobytes()


def quantize_q4_0(weights):
    """18 bytes a block: fp16 scale, then value i in the low half of byte i and
    value i + 16 in its high half. The largest magnitude always becomes -8."""
    x = _blocks(weights)
    peak = np.take_along_axis(x, np.abs(x).argmax(axis=1)[:, None], axis=1)
    scale = peak / np.float32(-8)
    q = np.minimum((x * _inverse(scale) + np.float32(8.5)).astype(np.int8), 15).astype(np.uint8)
    packed = q[:, :16] | (q[:, 16:] << 4)
    return np.concatenate([scale.astype("<f2").view(np.uint8), packed], axis=1).tobytes()


def dequantize_q8_0(raw):
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 34)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    values = scale * blocks[:, 2:].copy().view(np.int8).astype(np.float32)
    return values + np.float32(0)       # no -0, whose sign a scale made of it would keep


def dequantize_q4_0(raw):
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 18)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    q = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.int8) - 8
    return scale * q.astype(np.float32)
