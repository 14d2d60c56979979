# SPDX-License-Identifier: MIT
"""The schedule, run by each of the processes that train one model together."""

import time

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from .group import Gradients, join
from .loss import class_weights, loss_of
from .model import Model
from .optimizer import Optimizer

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
        self.model = Model(args.recipe, compiled=True).to(self.device)
        self.gradients = Gradients(self.model, args.gpus)
        self.optimizer = Optimizer(self.model)
        self.rng = np.random.default_rng((args.seed, rank))
        self.step, self.tokens, self.told = 0, 0, 0.0

    def backward(self, stage, weights, quantised, finish):
        """`finish`: train one of the exits too, if there are any."""
        chosen = self.args.recipe
        exit_layer = chosen.exits[self.step // 4 % len(chosen.exits)] if finish and chosen.exits else None
        rows = chosen.phases[stage].rows // self.args.gpus
        batch = torch.from_numpy(self.supply.batch(stage, rows, self.rng).astype(np.int64)).to(self.device)
        loss = loss_of(self.model, batch, weights, quantised, exit_layer)
        loss.backward()
        self.gradients.average()
        return loss

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
        chosen, seconds = self.args.recipe, self.args.seconds
        last = phase is chosen.phases[-1]
        weights = class_weights(phase, self.device)
        for quantised in ((False, True) if last else (False,)):     # compile off the clock
            self.backward(stage, weights, quantised, False).item()
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
