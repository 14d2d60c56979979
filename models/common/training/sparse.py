# SPDX-License-Identifier: MIT
"""Attention to a choice of blocks, as libiau's `--attention=sparse` makes it: see
docs/long-context.md. Here it is a mask, so that a model can learn under it."""

from dataclasses import dataclass

import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention

BLOCK = 32      # keys that are chosen together; tokens of a prompt that choose together
CHUNK = 8       # blocks that are computed together; the newest chunk is always chosen
TAIL = 1024     # last tokens of a row, the questions of a long document: each chooses for itself
TILE = 128      # side of the squares that the kernel computes or leaves out

attend = torch.compile(flex_attention, dynamic=False)


@dataclass(frozen=True)
class Choice:
    """Keys that are attended to at most: by a token of the tail, as in decoding, and by one before."""
    budget: int
    prompt_budget: int


def best_blocks(score, first, step, budget):
    """bool, as `score`, [..., rows, blocks]: what the tokens at `first`, `first` + `step` ... choose."""
    rows, blocks = score.shape[-2:]
    chunk = (first + torch.arange(rows, device=score.device)[:, None] * step) // (BLOCK * CHUNK)
    block = torch.arange(blocks, device=score.device)[None]
    older = block // CHUNK < chunk
    score = score.masked_fill(block == 0, torch.inf).masked_fill(~older, -torch.inf)
    best = score.topk(min(budget // BLOCK - CHUNK, blocks), sorted=False).indices
    return torch.zeros_like(score, dtype=torch.bool).scatter_(-1, best, True) & older | (block // CHUNK == chunk)


@torch.no_grad()
def chosen_blocks(q, k, choice):
    """bool [batch, KV head, rows, blocks] of q and k [batch, heads, time, head_dim]: a row for
    each block of tokens before the tail, then one for each token."""
    kv_heads, cut = k.shape[1], k.shape[2] - TAIL
    keys = k.unflatten(2, (-1, BLOCK))
    q = q.unflatten(1, (kv_heads, -1))
    positive = q.clamp(min=0)
    score = positive @ keys.amax(3).mT.unsqueeze(2) + (q - positive) @ keys.amin(3).mT.unsqueeze(2)
    score = score.amax(2)
    tiles = score[:, :, :cut].unflatten(2, (-1, BLOCK)).amax(3)
    return torch.cat((best_blocks(tiles, 0, BLOCK, choice.prompt_budget),
                      best_blocks(score[:, :, cut:], cut, 1, choice.budget)), 2)


def block_mask(blocks, cut, group):
    """For flex_attention; `cut` tokens are before the tail, `group` query heads share a KV head."""
    tiles = cut // BLOCK

    def mask(b, h, query, key):
        row = torch.where(query < cut, query // BLOCK, query - (cut - tiles))
        return blocks[b, h // group, row, key // BLOCK] & (query >= key)

    squares = torch.cat((blocks[:, :, :tiles].unflatten(2, (-1, TILE // BLOCK)).any(3),
                         blocks[:, :, tiles:].unflatten(2, (-1, TILE)).any(3)), 2)
    squares = squares.unflatten(3, (-1, TILE // BLOCK)).any(4)
    squares = squares.tril().repeat_interleave(group, dim=1).to(torch.int32)
    order = squares.argsort(dim=-1, descending=True, stable=True).to(torch.int32)
    return BlockMask.from_kv_blocks(squares.sum(-1, dtype=torch.int32), order, BLOCK_SIZE=TILE, mask_mod=mask)


def sparse_attention(q, k, v, choice):
    """As scaled_dot_product_attention, causal; time is a multiple of a chunk."""
    mask = block_mask(chosen_blocks(q, k, choice), k.shape[2] - TAIL, q.shape[1] // k.shape[1])
    return attend(q, k, v, block_mask=mask, enable_gqa=True)
