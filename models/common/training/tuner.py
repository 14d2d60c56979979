# SPDX-License-Identifier: MIT
"""Further training of a trained model, under attention to a choice of blocks."""

from functools import partial

import numpy as np
import torch

from .model import dense_attention
from .sparse import Choice, sparse_attention
from .trainer import WARM_UP_STEPS, Manner, Trainer

# Queries that choose together, by turns; None: all attend to all keys. Tiles are the harder
# task, since one choice serves 32 tokens, and dense attention must stay as good as it was.
ROWS = (None, 32, 1, 32)


def attention_of(turn, budgets):
    rows = ROWS[turn % len(ROWS)]
    if rows is None:
        return dense_attention
    return partial(sparse_attention, choice=Choice(budgets[turn // len(ROWS) % len(budgets)], rows))


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
        return Manner(self.step % 4 != 0, self.an_exit(),
                      attention_of(self.step // 4, self.args.recipe.tuning.budgets))

    def manners(self, phase):
        budgets = self.args.recipe.tuning.budgets
        return [Manner(quantised, None, attention_of(turn, budgets))
                for turn in range(len(ROWS)) for quantised in (False, True)]
