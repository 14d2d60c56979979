# SPDX-License-Identifier: MIT
"""Trains a model and evaluates it: `python3 train.py iau-ci --out DIR`.

The schedule is in seconds, since the hardware decides how many tokens that is.
Writes weights.npz (fp32) after each phase, then results.json.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import evaluate
from common import recipe, vocabulary
from common.text.documents import ANSWER, ID_BITS, ID_MASK, NEEDLE, QUESTION, RANDOM, TEXT
from common.text.writer import Writer
from common.training.model import Model
from common.training.optimizer import Optimizer
from common.training.supply import Supply

COOL_FROM, COOL_TO = 0.60, 0.03
WARM_UP_STEPS = 100
Z_LOSS = 1e-4


def learning_rate(done, step):
    if step < WARM_UP_STEPS:
        return (step + 1) / WARM_UP_STEPS
    if done < COOL_FROM:
        return 1.0
    return COOL_TO + (1 - COOL_TO) * max(0.0, 1 - done) / (1 - COOL_FROM)


def loss_of(model, batch, weights, quantised):
    """Weighted cross-entropy plus a pull of the log-normaliser towards zero."""
    ids = batch & ID_MASK
    logits = model(ids[:, :-1], quantised).float().flatten(0, 1)
    weight = weights[batch[:, 1:] >> ID_BITS].reshape(-1)
    normaliser = logits.logsumexp(-1)
    target = logits.gather(1, ids[:, 1:].reshape(-1, 1)).squeeze(1)
    return (weight * (normaliser - target + Z_LOSS * normaliser.square())).sum() / weight.sum()


def save(model, path):
    np.savez(path, **{name: p.detach().float().cpu().numpy() for name, p in model.named_parameters()})


def train(model, supply, seconds, out, seed):
    phases = model.recipe.phases
    optimizer = Optimizer(model)
    rng = np.random.default_rng(seed)
    compiled = torch.compile(loss_of, dynamic=False)
    done_before, step, tokens = 0.0, 0, 0
    for stage, phase in enumerate(phases):
        supply.open_stage(stage)
        weights = torch.zeros(8, device="cuda")
        for kind, value in ((TEXT, 1), (QUESTION, 0.3), (ANSWER, 2), (NEEDLE, phase.needle), (RANDOM, 0)):
            weights[kind] = value

        def next_batch():
            return torch.from_numpy(supply.batch(stage, phase.rows, rng).astype(np.int64)).cuda()

        last_phase = stage == len(phases) - 1
        for quantised in ((False, True) if last_phase else (False,)):     # compile off the clock
            compiled(model, next_batch(), weights, quantised).backward()
            model.zero_grad()
        torch.cuda.synchronize()
        start = told = time.time()
        while time.time() - start < phase.share * seconds:
            done = done_before + (time.time() - start) / seconds
            # One step in four stays unquantised, so that F16 and Q8_0 stay good too.
            quantised = last_phase and done > model.recipe.quantised_from and step % 4 != 0
            loss = compiled(model, next_batch(), weights, quantised)
            loss.backward()
            optimizer.step(learning_rate(done, step), step)
            model.zero_grad()
            step, tokens = step + 1, tokens + phase.rows * phase.context
            if step % 20 == 0:
                loss_value = loss.item()        # also keeps the queue of launches short
                if time.time() - told > 10:
                    told = time.time()
                    print(f"{done:.2f} context {phase.context} step {step} loss {loss_value:.4f} "
                          f"tokens {tokens / 1e6:.0f}M rows made {supply.made[stage].sum()}", flush=True)
        done_before += phase.share
        save(model, out / "weights.npz")
    return step, tokens


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--seconds", type=float, help="the recipe's unless given")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--scale", type=float, default=1.0, help="share of the evaluation to run")
    args = arguments.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    chosen = recipe.load(args.model)
    seconds = args.seconds or chosen.seconds
    writer = Writer(chosen, vocabulary.load(chosen))
    supply = Supply(writer, [p.context for p in chosen.phases], args.seed, max(1, os.cpu_count() - 2))
    torch.manual_seed(args.seed)
    model = Model(chosen).cuda()
    start = time.time()
    with sdpa_kernel([SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION], set_priority=True):
        step, tokens = train(model, supply, seconds, args.out, args.seed)
    supply.stop()
    elapsed = time.time() - start
    print(f"trained: {step} steps, {tokens / 1e6:.0f}M tokens, {elapsed:.0f} s with compilation", flush=True)
    results = evaluate.run(args.out / "weights.npz", writer, args.scale)
    results["training"] = {"steps": step, "tokens": tokens, "seconds": seconds,
                           "seconds_with_compilation": round(elapsed), "seed": args.seed}
    (args.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
