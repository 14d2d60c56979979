# SPDX-License-Identifier: MIT
"""Further training of a trained model, under attention to a choice of blocks."""

from functools import partial

import numpy as np
import torch

from .model import dense_attention
from .sparse import Choice, sparse_attention
from .trainer import WARM_UP_STEPS, Manner, Trainer


def attention_to(budgets):
    return partial(sparse_attention, choice=Choice(*budgets)) if budgets else dense_attention


class Tuner(Trainer):
    """`start`: the weights to begin with, by the names of the model's parameters."""

    def __init__(self, args, supply, clock, rank, start):
        super().__init__(args, supply, clock, rank)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(torch.from_numpy(np.array(start[name])))

    def rate(self, done):
        return self.args.recipe.tuning.rate * min(1, (self.step + 1) / WARM_UP_STEPS) * max(0.0, 1 - done)

    def manner(self, phase, done):
        # Each attention meets each exit, in both precisions.
        budgets = self.args.recipe.tuning.budgets
        return Manner(self.step // 8 % 4 != 0, self.an_exit(), attention_to(budgets[self.step % len(budgets)]))

    def manners(self, phase):
        budgets = self.args.recipe.tuning.budgets
        return [Manner(quantised, None, attention_to(of)) for of in (None, next(filter(None, budgets)))
                for quantised in (False, True)]
