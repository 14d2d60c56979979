# SPDX-License-Identifier: MIT
"""Trains the vocabulary on generated stories: `python3 train_tokenizer.py`.

Writes tokenizer.json, which is committed: ids must never move under a model.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from common import bpe
from documents import generator
from stories import make_story
from tasks import arithmetic, brackets, keys

SPECIALS = ["<|bos|>", "<|eos|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"]
VOCABULARY = 1024


def sample_text(stories=6000):
    rng = generator("tokenizer")
    parts = []
    for _ in range(stories):
        story = make_story(rng)
        parts.append(f"# {story.title}\n" + "\n".join(story.paragraphs) + "\n\n")
        question, answer = rng.choice(story.questions)
        parts.append(f"Question: In \"{story.title}\": {question}\nAnswer: {answer}\n")
        key = keys(rng, 1)[0]
        parts.append(f"The code for the {key} is .\nQuestion: What is the code for the {key}?\n")
        if rng.random() < 0.2:
            parts.append(arithmetic(rng)[0] + "\n" + brackets(rng)[0] + "\n")
    return "".join(parts)


def load():
    with open(HERE / "tokenizer.json") as f:
        saved = json.load(f)
    return bpe.Tokenizer(saved["tokens"], [m.split(" ") for m in saved["merges"]], SPECIALS)


def main():
    text = sample_text()
    merges = bpe.train_merges(text, VOCABULARY - len(SPECIALS) - 256)
    tokens = SPECIALS + [bpe.BYTE_TO_CHAR[b] for b in range(256)] + [a + b for a, b in merges]
    with open(HERE / "tokenizer.json", "w") as f:
        json.dump({"tokens": tokens, "merges": [f"{a} {b}" for a, b in merges]}, f, indent=0)
        f.write("\n")
    count = len(load().encode(text))
    print(f"{len(text)} characters, {count} tokens, {len(text) / count:.2f} characters a token")


if __name__ == "__main__":
    main()
