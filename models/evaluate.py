# SPDX-License-Identifier: MIT
"""Exact match of every sort of answer, and perplexity, in each weight format:
`python3 evaluate.py iau-ci weights.npz`.

Answers are checked in one pass: an answer counts when every token of it, the
end marker included, is the most probable one, which is when greedy decoding
would have written it. Activations and KV are fp32.
"""

import json
import queue
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from common import recipe, vocabulary
from common.text.documents import ID_MASK, generator
from common.text.writer import Writer
from common.training.model import Model, round_q4_0, round_q8_0

ROUND = {"f16": lambda p: p.half().float(), "q8_0": round_q8_0, "q4_0": round_q4_0}


def suite(writer):
    """(documents, maker(rng, number), {kind of answer: the name of its figure})"""
    chosen = writer.recipe

    def at_depth(length, rng, number):
        return writer.haystack(rng, length, 0, True, depth=number % 10 / 10 + 0.05)

    def keyed(length, count, rng, number, **more):
        return writer.haystack(rng, length, count, False, **more)

    for length in (1024, 4096, 10240):
        tag = f"{length // 1024}K"
        yield 100, partial(at_depth, length), {"passkey": f"passkey {tag}"}
        yield 60, partial(keyed, length, 8), {"keyed": f"8 keys {tag}"}
        if length > 1024:
            yield 40, partial(keyed, length, 32), {"keyed": f"32 keys {tag}",
                                                   "title": f"title questions {tag}"}
        if any(chosen.two_hop):
            yield 40, partial(keyed, length, 8, two_hop=8), {"two-hop": f"two-hop keys {tag}"}
        if any(chosen.few_plots) and length > 1024:
            yield 40, partial(keyed, length, 0, plots=6), {"title": f"similar titles {tag}"}
    yield 60, lambda r, n: writer.recall(r, 24, 8), {"recall": "recall, 24 pairs"}
    yield 30, lambda r, n: writer.recall(r, 200, 16), {"recall": "recall, 200 pairs"}
    yield 200, lambda r, n: writer.copying(r, 40), {"copy": "copy, 40 words"}
    yield 250, lambda r, n: writer.story(r, True), {"story": "story questions"}
    for name in ("arithmetic", "brackets", "variables"):
        yield 150, lambda r, n, name=name: writer.exercises(r, name), {name: name}


def formats(recipe, weights):
    """The weights as trained, and as each file holds them."""
    yield "fp32", weights
    for number, form in enumerate(recipe.forms):
        rounded = {n: p if p.ndim < 2 else ROUND["q8_0" if form == "q4_0" and n == "token_embd" else form](p)
                   for n, p in weights.items()}
        if number == 0:
            weights = rounded       # the checkpoint, from which the other files follow
        yield form.upper(), rounded


@torch.no_grad()
def hits(model, docs, layers):
    """(label, difficulty, right) for each answer in `docs`."""
    for doc in docs:
        ids = torch.tensor([[t & ID_MASK for t in doc.tokens[:model.recipe.context + 1]]],
                           device=model.cos.device)
        guess = model(ids, layers)[0].argmax(-1)[:-1] == ids[0, 1:]
        guess = guess.cpu()
        for label, difficulty, first, last in doc.spans:
            if last <= ids.shape[1]:
                yield label, difficulty, bool(guess[first - 1:last - 1].all())


@torch.no_grad()
def perplexity(model, ids, layers=None):
    ids = torch.tensor([ids], device=model.cos.device)
    return F.cross_entropy(model(ids, layers)[0, :-1], ids[0, 1:]).exp().item()


@torch.no_grad()
def agreement(model, ids, layers):
    """How often an exit's first choice is that of the last layer; how often the exit is
    sure (above 0.9), and how often it is right then."""
    ids = torch.tensor([ids], device=model.cos.device)
    early = model(ids, layers)[0]
    same = early.argmax(-1) == model(ids)[0].argmax(-1)
    sure = early.softmax(-1).amax(-1) > 0.9
    return {name: round(100 * share.float().mean().item(), 2)
            for name, share in (("agrees", same), ("sure", sure), ("agrees when sure", same[sure]))}


def readings(recipe):
    """(name, form, layers or None): every file, and every exit of the first."""
    for form in recipe.forms:
        yield form.upper(), form.upper(), None
    for layers in recipe.exits:
        yield f"exit {layers}", recipe.forms[0].upper(), layers


def measure(model, tests, held_out, layers):
    """Perplexity, and (difficulty, right) of every answer by the name of its figure."""
    tally = defaultdict(list)
    for docs, figures in tests:
        for label, difficulty, right in hits(model, docs, layers):
            if label in figures:
                tally[figures[label]].append((difficulty, right))
    return round(perplexity(model, held_out, layers), 4), tally


def run(path, writer, scale=1.0):
    chosen, tokenizer = writer.recipe, writer.tokenizer
    with np.load(path) as saved:
        trained = {name: torch.from_numpy(saved[name]) for name in saved}
    weights = dict(formats(chosen, trained))
    held_out = tokenizer.encode("<|bos|>" + (chosen.folder / "held-out.txt").read_text())
    tests = []
    for count, maker, figures in suite(writer):
        rng = generator("evaluate", next(iter(figures.values())))
        tests.append(([maker(rng, i) for i in range(max(1, int(count * scale)))], figures))
    devices = [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]
    idle = queue.SimpleQueue()
    for device in devices:
        idle.put(Model(chosen).to(device))

    def job(reading):
        name, form, layers = reading
        model = idle.get()
        try:
            model.load_state_dict(weights[form])
            found = (name, *measure(model, tests, held_out, layers),
                     {} if layers is None else agreement(model, held_out, layers))
        finally:
            idle.put(model)
        print(name, found[1], {k: percent(v) for k, v in found[2].items()}, *found[3:], flush=True)
        return found

    with ThreadPoolExecutor(len(devices)) as pool:
        found = list(pool.map(job, readings(chosen)))
    model = idle.get()
    model.load_state_dict(weights["fp32"])
    results = {"held-out tokens": len(held_out), "perplexity": {"fp32": round(perplexity(model, held_out), 4)},
               "exact match": {}, "samples": {}, "by difficulty": {}, "exits": {}}
    for name, loss, tally, exit_figures in found:
        results["perplexity"][name] = loss
        for key, answers in tally.items():
            results["samples"][key] = len(answers)
            results["exact match"].setdefault(key, {})[name] = percent(answers)
            if name in ("Q8_0", "Q4_0") and not key.startswith("copy"):
                _split(results["by difficulty"].setdefault(key, {}), name, answers)
        if exit_figures:
            results["exits"][name] = exit_figures
    return results


def percent(answers):
    return round(100 * sum(right for _, right in answers) / len(answers), 1)


def _split(into, form, found):
    """Depth in tenths of the context, or the exercise's own difficulty."""
    groups = defaultdict(list)
    for difficulty, right in found:
        groups[str(difficulty if difficulty >= 1 or difficulty == 0 else int(difficulty * 10) / 10)].append(right)
    into[form] = {k: [sum(v), len(v)] for k, v in sorted(groups.items(), key=lambda i: float(i[0]))}


if __name__ == "__main__":
    chosen = recipe.load(sys.argv[1])
    print(json.dumps(run(sys.argv[2], Writer(chosen, vocabulary.load(chosen))), indent=1))
