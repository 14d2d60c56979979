# SPDX-License-Identifier: MIT
"""Attention to a choice of blocks, as libiau's `--attention=sparse` makes it: see
docs/long-context.md. Here it is a mask, so that a model can learn under it."""

from dataclasses import dataclass

import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention

BLOCK = 32      # keys that are chosen together
CHUNK = 8       # blocks that are computed together; the newest chunk is always chosen
TILE = 128      # side of the squares that the kernel computes or leaves out

attend = torch.compile(flex_attention, dynamic=False)


@dataclass(frozen=True)
class Choice:
    """`budget` keys a query at most; `rows` neighbouring queries choose together: one as in
    decoding, a tile of 32 as in prefill."""
    budget: int
    rows: int


@torch.no_grad()
def chosen_blocks(q, k, choice):
    """bool [batch, KV head, time / rows, blocks]: q and k are [batch, heads, time, head_dim]."""
    kv_heads, time = k.shape[1], k.shape[2]
    keys = k.unflatten(2, (-1, BLOCK))
    q = q.unflatten(1, (kv_heads, -1))
    positive = q.clamp(min=0)
    score = positive @ keys.amax(3).mT.unsqueeze(2) + (q - positive) @ keys.amin(3).mT.unsqueeze(2)
    score = score.amax(2).unflatten(2, (-1, choice.rows)).amax(3)
    chunk = torch.arange(time // choice.rows, device=q.device)[:, None] * choice.rows // (BLOCK * CHUNK)
    own = torch.arange(time // BLOCK, device=q.device)[None] // CHUNK
    older = own < chunk
    count = min(choice.budget // BLOCK - CHUNK, time // BLOCK)
    best = score.masked_fill(~older, -torch.inf).topk(count, sorted=False).indices
    return torch.zeros_like(score, dtype=torch.bool).scatter_(3, best, True) & older | (own == chunk)


def block_mask(blocks, choice, group):
    """For flex_attention; `group` query heads share a KV head."""
    def mask(b, h, query, key):
        return blocks[b, h // group, query // choice.rows, key // BLOCK] & (query >= key)

    squares = blocks.unflatten(2, (-1, TILE // choice.rows)).any(3).unflatten(3, (-1, TILE // BLOCK)).any(4)
    squares = squares.tril().repeat_interleave(group, dim=1).to(torch.int32)
    order = squares.argsort(dim=-1, descending=True, stable=True).to(torch.int32)
    return BlockMask.from_kv_blocks(squares.sum(-1, dtype=torch.int32), order, BLOCK_SIZE=TILE, mask_mod=mask)


def sparse_attention(q, k, v, choice):
    """As scaled_dot_product_attention, causal; time is a multiple of a chunk."""
    mask = block_mask(chosen_blocks(q, k, choice), choice, q.shape[1] // k.shape[1])
    return attend(q, k, v, block_mask=mask, enable_gqa=True)
