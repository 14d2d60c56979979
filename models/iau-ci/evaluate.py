# SPDX-License-Identifier: MIT
"""Exact match of every sort of answer, and perplexity, in each weight format:
`python3 evaluate.py weights.npz`.

Answers are checked in one pass: an answer counts when every token of it, the
end marker included, is the most probable one, which is when greedy decoding
would have written it. Activations and KV are fp32.
"""

import json
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import documents as D
from model import Model, round_q4_0, round_q8_0

ID_MASK = (1 << D.ID_BITS) - 1
HELD_OUT = Path(__file__).parent / "held-out.txt"


def suite():
    """(name, documents, maker(tokenizer, rng, number), kinds of answer kept)"""
    def at_depth(length, tokenizer, rng, number):
        return D.story_haystack(tokenizer, rng, length, 0, True, depth=number % 10 / 10 + 0.05)

    def keyed(length, count, tokenizer, rng, number):
        return D.story_haystack(tokenizer, rng, length, count, False)

    for length in (1024, 4096, 10240):
        tag = f"{length // 1024}K"
        yield f"passkey {tag}", 100, partial(at_depth, length), ("passkey",)
        yield f"8 keys {tag}", 60, partial(keyed, length, 8), ("keyed",)
        if length > 1024:
            yield f"32 keys {tag}", 40, partial(keyed, length, 32), ("keyed", "title")
    yield "recall, 24 pairs", 60, lambda t, r, n: D.recall(t, r, 24, 8), ("recall",)
    yield "recall, 200 pairs", 30, lambda t, r, n: D.recall(t, r, 200, 16), ("recall",)
    yield "copy, 40 words", 200, lambda t, r, n: D.copying(t, r, 40), ("copy",)
    yield "story questions", 250, lambda t, r, n: D.story(t, r, True), ("story",)
    for name in ("arithmetic", "brackets", "variables"):
        yield name, 150, lambda t, r, n, name=name: D.exercises(t, r, name), (name,)


def formats(model):
    """The model's parameters as each file would hold them."""
    plain = {n: p.detach().clone() for n, p in model.named_parameters()}

    def each(matrix, embedding):
        return {n: p if p.ndim < 2 else (embedding if n == "token_embd" else matrix)(p)
                for n, p in plain.items()}

    yield "fp32", plain
    yield "F16", each(lambda p: p.half().float(), lambda p: p.half().float())
    yield "Q8_0", each(round_q8_0, round_q8_0)
    yield "Q4_0", each(round_q4_0, round_q8_0)


@torch.no_grad()
def hits(model, docs):
    """(label, difficulty, right) for each answer in `docs`."""
    for doc in docs:
        ids = torch.tensor([[t & ID_MASK for t in doc.tokens[:10241]]], device=model.cos.device)
        guess = model(ids, dtype=torch.float32).argmax(-1)[0, :-1] == ids[0, 1:]
        guess = guess.cpu()
        for label, difficulty, first, last in doc.spans:
            if last <= ids.shape[1]:
                yield label, difficulty, bool(guess[first - 1:last - 1].all())


@torch.no_grad()
def perplexity(model, ids):
    ids = torch.tensor([ids], device=model.cos.device)
    logits = model(ids, dtype=torch.float32)[0, :-1]
    return F.cross_entropy(logits, ids[0, 1:]).exp().item()


def run(path, tokenizer, scale=1.0):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Model().to(device)
    with np.load(path) as saved:
        for name, parameter in model.named_parameters():
            parameter.data.copy_(torch.from_numpy(saved[name]))
    held_out = tokenizer.encode("<|bos|>" + HELD_OUT.read_text())
    tests = []
    for name, count, maker, kinds in suite():
        rng = D.generator("evaluate", name)
        tests.append((name, [maker(tokenizer, rng, i) for i in range(max(1, int(count * scale)))], kinds))
    results = {"held-out tokens": len(held_out), "perplexity": {}, "exact match": {}, "samples": {},
               "by difficulty": {}}
    for form, weights in formats(model):
        for name, parameter in model.named_parameters():
            parameter.data.copy_(weights[name])
        results["perplexity"][form] = round(perplexity(model, held_out), 4)
        if form == "fp32":
            continue
        for name, docs, kinds in tests:
            tally = defaultdict(list)
            for label, difficulty, right in hits(model, docs):
                if label in kinds:
                    key = name if label != "title" else f"title questions {name.split()[-1]}"
                    tally[key].append((difficulty, right))
            for key, found in tally.items():
                results["samples"][key] = len(found)
                results["exact match"].setdefault(key, {})[form] = round(
                    100 * sum(r for _, r in found) / len(found), 1)
                if form != "F16" and not key.startswith("copy"):
                    _split(results["by difficulty"].setdefault(key, {}), form, found)
        print(form, results["perplexity"][form],
              {k: v[form] for k, v in results["exact match"].items()}, flush=True)
    return results


def _split(into, form, found):
    """Depth in tenths of the context, or the exercise's own difficulty."""
    groups = defaultdict(list)
    for difficulty, right in found:
        groups[str(difficulty if difficulty >= 1 or difficulty == 0 else int(difficulty * 10) / 10)].append(right)
    into[form] = {k: [sum(v), len(v)] for k, v in sorted(groups.items(), key=lambda i: float(i[0]))}


if __name__ == "__main__":
    from train_tokenizer import load
    print(json.dumps(run(sys.argv[1], load()), indent=1))
