# SPDX-License-Identifier: MIT
"""The vocabulary of a model: learnt once, then read from its tokenizer.json."""

import json

from . import bpe
from .text.documents import generator
from .text.stories import Storyteller
from .text.tasks import arithmetic, brackets, keys

SPECIALS = ["<|bos|>", "<|eos|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"]


def sample_text(recipe, stories=6000):
    teller, rng = Storyteller(recipe.world), generator("tokenizer")
    parts = []
    for _ in range(stories):
        story = teller.tell(rng)
        parts.append(f"# {story.title}\n" + "\n".join(story.paragraphs) + "\n\n")
        question, answer = rng.choice(story.questions)
        parts.append(f"Question: In \"{story.title}\": {question}\nAnswer: {answer}\n")
        key = keys(recipe.world, rng, 1)[0]
        parts.append(f"The code for the {key} is .\nQuestion: What is the code for the {key}?\n")
        if rng.random() < 0.2:
            parts.append(arithmetic(rng)[0] + "\n" + brackets(rng, recipe.deepest)[0] + "\n")
    return "".join(parts)


def learn(text, size):
    merges = bpe.train_merges(text, size - len(SPECIALS) - 256)
    tokens = SPECIALS + [bpe.BYTE_TO_CHAR[b] for b in range(256)] + [a + b for a, b in merges]
    return bpe.Tokenizer(tokens, merges, SPECIALS)


def save(tokenizer, path):
    merges = sorted(tokenizer.ranks, key=tokenizer.ranks.get)
    with open(path, "w") as f:
        json.dump({"tokens": tokenizer.tokens, "merges": [f"{a} {b}" for a, b in merges]}, f, indent=0)
        f.write("\n")


def load(recipe):
    with open(recipe.folder / "tokenizer.json") as f:
        saved = json.load(f)
    return bpe.Tokenizer(saved["tokens"], [m.split(" ") for m in saved["merges"]], SPECIALS)
