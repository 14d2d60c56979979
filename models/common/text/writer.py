# SPDX-License-Identifier: MIT
"""Writes every sort of document of one recipe, and packs rows from them."""

import numpy as np

from . import tasks
from .documents import NEEDLE, RANDOM, Document
from .haystack import haystack
from .stories import Storyteller


class Writer:
    def __init__(self, recipe, tokenizer):
        self.recipe, self.tokenizer = recipe, tokenizer
        self.teller = Storyteller(recipe.world)
        self.long_share = {phase.context: phase.long for phase in recipe.phases}

    def haystack(self, rng, length, *args, **more):
        return haystack(self.teller, self.tokenizer, rng, length, *args, **more)

    def recall(self, rng, pairs, queries):
        doc = Document(self.tokenizer, rng)
        table = [(k, tasks.digits(rng, 3)) for k in tasks.keys(self.recipe.world, rng, pairs)]
        for key, value in table:
            doc.add(f"{key}:")
            doc.add(f" {value}", RANDOM)
            doc.add("\n")
        for key, value in rng.sample(table, min(queries, pairs)):
            doc.ask(f"{key}?", value, "recall", pairs, NEEDLE)
        doc.end()
        return doc

    def copying(self, rng, words):
        doc = Document(self.tokenizer, rng)
        pool = self.recipe.world.key_nouns + list("0123456789")
        text = " ".join(rng.choice(pool) for _ in range(words))
        doc.add("Text:")
        doc.add(f" {text}", RANDOM)
        doc.add("\n")
        doc.ask("Copy the text.", text, "copy", words)
        doc.end()
        return doc

    def exercises(self, rng, name):
        """Several exercises of one sort in a row, as one document."""
        doc = Document(self.tokenizer, rng)
        for _ in range(rng.randint(2, 6)):
            if name == "arithmetic":
                doc.ask(*tasks.arithmetic(rng), "arithmetic")
            elif name == "brackets":
                question, answer, depth = tasks.brackets(rng, self.recipe.deepest)
                doc.ask(question, answer, "brackets", depth)
            else:
                lines, values, hops = tasks.variables(rng, self.recipe.most_hops)
                doc.add(lines + "\n", RANDOM)
                names = list(values)
                if self.recipe.even_hops:
                    wanted = rng.choice(sorted(set(hops.values())))
                    names = [name for name in names if hops[name] == wanted]
                asked = rng.choice(names)
                doc.ask(f"What is {asked}?", values[asked], "variables", hops[asked])
        doc.end()
        return doc

    def story(self, rng, with_questions):
        """One to three stories, each with its own questions or none."""
        doc = Document(self.tokenizer, rng)
        titled = rng.random() < 0.4
        for number in range(rng.choice((1, 1, 1, 2, 3)) if titled else 1):
            if number:
                doc.add("\n")
            tale = self.teller.tell(rng)
            doc.add_story(tale, titled)
            if with_questions:
                for q, a in rng.sample(tale.questions, min(len(tale.questions), rng.randint(1, 5))):
                    doc.ask(q, a, "story")
        doc.end()
        return doc

    def short(self, rng):
        """A short document, of a sort drawn by the recipe's shares."""
        shares = self.recipe.shares
        sort = rng.choices(list(shares), shares.values())[0]
        if sort in ("story", "story with questions"):
            return self.story(rng, sort != "story")
        if sort == "needles":
            return self.haystack(rng, rng.randint(250, 700), rng.choice((1, 1, 2, 4)), questions=4, titles=2,
                                 two_hop=min(4, rng.choice(self.recipe.two_hop)), once=self.recipe.ask_once)
        if sort == "recall":
            return self.recall(rng, rng.randint(4, 24), rng.randint(1, 8))
        if sort == "copy":
            return self.copying(rng, rng.randint(4, 60))
        return self.exercises(rng, sort)

    def long(self, rng, length):
        draw, r = rng.random(), self.recipe
        if draw < 0.82:
            return self.haystack(rng, length, titles=r.titles, two_hop=rng.choice(r.two_hop),
                                 plots=rng.choice(r.few_plots), once=r.ask_once)
        if draw < 0.94:
            return self.recall(rng, min(length // 12, 400), 24)
        return self.copying(rng, length // 5)

    def row(self, rng, length):
        """`length` + 1 tokens: one long document, or short ones end to end."""
        out = []
        if rng.random() < self.long_share[length]:
            out += self.long(rng, length + 1).tokens[:length + 1]
        while len(out) <= length:
            out += self.short(rng).tokens
        return np.array(out[:length + 1], dtype=np.uint16)
