# SPDX-License-Identifier: MIT
"""What tells one trained model from another."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from .text.world import World

MODELS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Phase:
    """A part of the training at one length of context."""
    context: int
    rows: int           # a step, over all GPUs
    share: float        # of the time
    long: float         # share of the rows that are one long document
    needle: float       # weight of the loss on the answers about needles
    title: float = 2    # ... on the answers about one story among many


@dataclass(frozen=True)
class Tuning:
    """Further training of a trained model, in which it learns to do with a choice of keys."""
    phase: Phase
    seconds: float
    rate: float         # at its start, of the rates of the training; falls to none
    # by turns: keys that a token of the questions and one of the context may choose; None: all
    budgets: tuple
    text: dict          # of the recipe, what is different


@dataclass(frozen=True)
class Recipe:
    name: str
    # the network
    dim: int
    layers: int
    heads: int
    kv_heads: int
    ffn: int
    vocabulary: int
    # the text
    world: World
    shares: dict            # of the sorts of short documents, see text/writer.py
    # the training
    phases: tuple           # the longest context last: a length is forgotten when left
    seconds: float
    finish_from: float      # share of the time after which Q4_0 weights and exits are trained
    # the files: the first is the checkpoint, from which the others follow
    forms: tuple

    tuning: Tuning | None = None
    exits: tuple = ()       # numbers of layers after which the head may read
    deepest: int = 24       # brackets
    most_hops: int = 2      # copies behind a variable
    even_hops: bool = False     # ask for each number of copies as often as for any other
    titles: int = 8         # questions by title at the end of a long document
    # What long documents choose from; two-hop needles, and plots (None: all), since
    # stories of few plots have titles that differ in a name or a colour only.
    two_hop: tuple = (0,)
    few_plots: tuple = (None,)
    ask_once: bool = False      # no two keys with the same code, or the first answer gives the second away
    head_dim: int = 64
    context: int = 10240
    rope_base: float = 500000.0
    epsilon: float = 1e-5

    @property
    def folder(self):
        return MODELS / self.name


def load(name):
    """The recipe in models/NAME/recipe.py."""
    sys.path.insert(0, str(MODELS / name))
    return importlib.import_module("recipe").RECIPE
