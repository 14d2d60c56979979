# SPDX-License-Identifier: MIT
"""The schedule, run by each of the processes that train one model together."""

import time
from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from .group import Gradients, join
from .loss import class_weights, loss_of
from .model import Model, dense_attention
from .optimizer import Optimizer

COOL_FROM, COOL_TO = 0.60, 0.03
WARM_UP_STEPS = 100
SAVE_EVERY = 60     # seconds


def learning_rate(done, step):
    if step < WARM_UP_STEPS:
        return (step + 1) / WARM_UP_STEPS
    if done < COOL_FROM:
        return 1.0
    return COOL_TO + (1 - COOL_TO) * max(0.0, 1 - done) / (1 - COOL_FROM)


def save(model, path):
    """In one piece: whoever is stopped while writing leaves the last one."""
    unfinished = path.with_name("unfinished-" + path.name)
    np.savez(unfinished, **{name: p.detach().float().cpu().numpy() for name, p in model.named_parameters()})
    unfinished.rename(path)


@dataclass(frozen=True)
class Manner:
    """How one step is computed."""
    quantised: bool = False                 # weights rounded to Q4_0
    exit_layer: int | None = None           # whose loss is added
    attention: Callable = dense_attention


class Trainer:
    """One of the processes that train together; `rank` 0 keeps time and saves."""

    def __init__(self, args, supply, clock, rank):
        self.args, self.supply, self.clock, self.rank = args, supply, clock, rank
        self.device = join(rank, args.gpus)
        torch.manual_seed(args.seed)
        self.model = Model(args.recipe, compiled=True).to(self.device)
        self.gradients = Gradients(self.model, args.gpus)
        self.optimizer = Optimizer(self.model)
        self.rng = np.random.default_rng((args.seed, rank))
        self.step, self.tokens, self.told, self.saved = 0, 0, 0.0, time.time()

    def backward(self, stage, phase, weights, manner):
        rows = phase.rows // self.args.gpus
        batch = torch.from_numpy(self.supply.batch(stage, rows, self.rng).astype(np.int64)).to(self.device)
        loss = loss_of(self.model, batch, weights, manner.quantised, manner.exit_layer, manner.attention)
        loss.backward()
        self.gradients.average()
        return loss

    def rate(self, done):
        return learning_rate(done, self.step)

    def an_exit(self):
        exits = self.args.recipe.exits
        return exits[self.step // 4 % len(exits)] if exits else None

    def manner(self, phase, done):
        if phase is not self.args.recipe.phases[-1] or done <= self.args.recipe.finish_from:
            return Manner()
        # One step in four stays unquantised, so that F16 and Q8_0 stay good too.
        return Manner(self.step % 4 != 0, self.an_exit())

    def manners(self, phase):
        """One of each that is compiled by itself."""
        return [Manner(), Manner(True)] if phase is self.args.recipe.phases[-1] else [Manner()]

    def run(self):
        with sdpa_kernel([SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION], set_priority=True):
            self.phases()

    def phases(self):
        before = 0.0
        for stage, phase in enumerate(self.args.recipe.phases):
            self.supply.open_stage(stage)
            self.phase(stage, phase, before)
            before += phase.share
            if self.rank == 0:
                save(self.model, self.args.out / "weights.npz")

    def phase(self, stage, phase, before):
        weights = class_weights(phase, self.device)
        for manner in self.manners(phase):      # compile off the clock
            self.backward(stage, phase, weights, manner).item()
            self.gradients.clear()
        start = time.time()
        while True:
            if self.rank == 0:
                self.clock.tell(self.step, before + (time.time() - start) / self.args.seconds)
            done = self.clock.read(self.step)
            if done >= before + phase.share:
                return
            loss = self.backward(stage, phase, weights, self.manner(phase, done))
            self.optimizer.step(self.rate(done), self.step)
            self.gradients.clear()
            self.step, self.tokens = self.step + 1, self.tokens + phase.rows * phase.context
            if self.step % 20 == 0:
                self.report(done, phase, loss.item())   # also keeps the queue of launches short

    def report(self, done, phase, loss):
        if self.rank == 0 and time.time() - self.saved > SAVE_EVERY:
            self.saved = time.time()
            save(self.model, self.args.out / "weights.npz")
        if self.rank == 0 and time.time() - self.told > 10:
            self.told = time.time()
            print(f"{done:.2f} context {phase.context} step {self.step} loss {loss:.4f} "
                  f"tokens {self.tokens / 1e6:.0f}M rows made {self.supply.made.sum()}", flush=True)
