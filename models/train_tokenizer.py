# SPDX-License-Identifier: MIT
"""Learns a model's vocabulary from its stories: `python3 train_tokenizer.py iau-ci`.

Writes tokenizer.json, which is committed: ids must never move under a model.
"""

import sys

from common import recipe, vocabulary


def main():
    chosen = recipe.load(sys.argv[1])
    text = vocabulary.sample_text(chosen)
    tokenizer = vocabulary.learn(text, chosen.vocabulary)
    vocabulary.save(tokenizer, chosen.folder / "tokenizer.json")
    count = len(tokenizer.encode(text))
    print(f"{len(text)} characters, {count} tokens, {len(text) / count:.2f} characters a token")


if __name__ == "__main__":
    main()
