# SPDX-License-Identifier: MIT
"""A document: token ids with a loss class each, and where its answers stand.

A token travels as one uint16: its id in the low bits, its class above.
"""

import random

TEXT, QUESTION, ANSWER, NEEDLE, TITLE, RANDOM = range(6)
ID_BITS = 11
ID_MASK = (1 << ID_BITS) - 1


def generator(seed, *more):
    """A source of random numbers for each purpose, the same everywhere."""
    return random.Random(":".join(map(str, (seed, *more))))


class Document:
    """Collects ids and classes. `spans` names each answer for evaluation:
    (kind, depth, first, last); depth is where the fact stands, 0 to 1, or the
    difficulty of the exercise."""

    def __init__(self, tokenizer, rng):
        self.tokenizer, self.rng = tokenizer, rng
        self.special = tokenizer.ids
        self.tokens = [self.special["<|bos|>"]]
        self.spans = []
        self.plain = rng.random() < 0.4

    def add(self, text, kind=TEXT):
        ids = self.tokenizer.encode_plain(text)
        self.tokens += ids if kind == TEXT else [i | kind << ID_BITS for i in ids]

    def mark(self, name, kind):
        self.tokens.append(self.special[name] | kind << ID_BITS)

    def ask(self, question, answer, label, depth=0.0, kind=ANSWER):
        """One question in the chat format, or in the plain one."""
        if self.plain:
            self.add(f"Question: {question}\nAnswer:", QUESTION)
            first = len(self.tokens)
            self.add(f" {answer}\n", kind)
        else:
            self.mark("<|user|>", QUESTION)
            self.add(question, QUESTION)
            self.mark("<|assistant|>", QUESTION)
            first = len(self.tokens)
            self.add(answer, kind)
            self.mark("<|end|>", kind)
        self.spans.append((label, depth, first, len(self.tokens)))

    def end(self):
        self.mark("<|eos|>", TEXT)

    def add_story(self, story, titled):
        if titled:
            self.add(f"# {story.title}\n")
        self.add("\n".join(story.paragraphs) + "\n")
