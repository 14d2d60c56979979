# SPDX-License-Identifier: MIT
"""Trains a model and evaluates it: `python3 train.py iau-ci --out DIR`.

The schedule is in seconds, since the hardware decides how many tokens that is.
Writes weights.npz (fp32) after each phase, then results.json.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import evaluate
from common import recipe, vocabulary
from common.text.writer import Writer
from common.training.group import Clock, Gradients, join
from common.training.loss import class_weights, loss_of
from common.training.model import Model
from common.training.optimizer import Optimizer
from common.training.supply import Supply

COOL_FROM, COOL_TO = 0.60, 0.03
WARM_UP_STEPS = 100


def learning_rate(done, step):
    if step < WARM_UP_STEPS:
        return (step + 1) / WARM_UP_STEPS
    if done < COOL_FROM:
        return 1.0
    return COOL_TO + (1 - COOL_TO) * max(0.0, 1 - done) / (1 - COOL_FROM)


def save(model, path):
    np.savez(path, **{name: p.detach().float().cpu().numpy() for name, p in model.named_parameters()})


class Trainer:
    """One of the processes that train together; `rank` 0 keeps time and saves."""

    def __init__(self, args, supply, clock, rank):
        self.args, self.supply, self.clock, self.rank = args, supply, clock, rank
        self.device = join(rank, args.gpus)
        torch.manual_seed(args.seed)
        self.model = Model(args.recipe).to(self.device)
        self.gradients = Gradients(self.model, args.gpus)
        self.optimizer = Optimizer(self.model)
        self.rng = np.random.default_rng((args.seed, rank))
        self.loss = torch.compile(loss_of, dynamic=False)
        self.step, self.tokens, self.told = 0, 0, 0.0

    def backward(self, stage, weights, quantised, finish):
        """`finish`: train one of the exits too, if there are any."""
        exits = len(self.args.recipe.exits)
        early = torch.tensor([self.step // 4 % exits], device=self.device) if finish and exits else None
        rows = self.args.recipe.phases[stage].rows // self.args.gpus
        batch = self.supply.batch(stage, rows, self.rng).astype(np.int64)
        loss = self.loss(self.model, torch.from_numpy(batch).to(self.device), weights, quantised, early)
        loss.backward()
        self.gradients.average()
        return loss

    def run(self):
        before = 0.0
        for stage, phase in enumerate(self.args.recipe.phases):
            self.supply.open_stage(stage)
            self.phase(stage, phase, before)
            before += phase.share
            if self.rank == 0:
                save(self.model, self.args.out / "weights.npz")

    def phase(self, stage, phase, before):
        chosen, seconds = self.args.recipe, self.args.seconds
        last = phase is chosen.phases[-1]
        steps = [(False, False), (False, True), (True, True)] if last else [(False, False)]
        weights = class_weights(phase, self.device)
        for quantised, finish in steps:     # compile off the clock
            self.backward(stage, weights, quantised, finish).item()
            self.gradients.clear()
        start = time.time()
        while True:
            if self.rank == 0:
                self.clock.tell(self.step, before + (time.time() - start) / seconds)
            done = self.clock.read(self.step)
            if done >= before + phase.share:
                return
            # One step in four stays unquantised, so that F16 and Q8_0 stay good too.
            finish = last and done > chosen.finish_from
            quantised = finish and self.step % 4 != 0
            loss = self.backward(stage, weights, quantised, finish)
            self.optimizer.step(learning_rate(done, self.step), self.step)
            self.gradients.clear()
            self.step, self.tokens = self.step + 1, self.tokens + phase.rows * phase.context
            if self.step % 20 == 0:
                self.report(done, phase, loss.item())   # also keeps the queue of launches short

    def report(self, done, phase, loss):
        if self.rank == 0 and time.time() - self.told > 10:
            self.told = time.time()
            print(f"{done:.2f} context {phase.context} step {self.step} loss {loss:.4f} "
                  f"tokens {self.tokens / 1e6:.0f}M rows made {self.supply.made.sum()}", flush=True)


def work(args, supply, clock, rank):
    trainer = Trainer(args, supply, clock, rank)
    start = time.time()
    with sdpa_kernel([SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION], set_priority=True):
        trainer.run()
    if rank == 0:
        (args.out / "training.json").write_text(json.dumps({
            "steps": trainer.step, "tokens": trainer.tokens, "seconds": args.seconds,
            "seconds_with_compilation": round(time.time() - start), "gpus": args.gpus, "seed": args.seed}))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("recipe", type=recipe.load)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--seconds", type=float, help="the recipe's unless given")
    arguments.add_argument("--gpus", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--scale", type=float, default=1.0, help="share of the evaluation to run")
    args = arguments.parse_args()
    args.seconds = args.seconds or args.recipe.seconds
    args.out.mkdir(parents=True, exist_ok=True)

    writer = Writer(args.recipe, vocabulary.load(args.recipe))
    supply = Supply(writer, [p.context for p in args.recipe.phases], args.seed,
                    max(1, os.cpu_count() - 2 * args.gpus))
    clock = Clock()
    # Forked, before CUDA starts, so that all of them read the same pools.
    group = [multiprocessing.get_context("fork").Process(target=work, args=(args, supply, clock, rank))
             for rank in range(args.gpus)]
    for process in group:
        process.start()
    while any(process.is_alive() for process in group):
        time.sleep(0.2)
        if any(process.exitcode for process in group):
            for process in group:
                process.terminate()
            sys.exit("a training process failed")
    supply.stop()
    training = json.loads((args.out / "training.json").read_text())
    print(f"trained: {training}", flush=True)
    results = evaluate.run(args.out / "weights.npz", writer, args.scale)
    results["training"] = training
    (args.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
