# SPDX-License-Identifier: MIT
"""Writes held-out.txt and the 10,000-token needle prompt of a model, from seeds
that training never uses: `python3 make_prompts.py iau-ci`."""

import sys

from common import recipe, vocabulary
from common.text.documents import ID_MASK, generator
from common.text.writer import Writer

HELD_OUT_TOKENS = 8000
ROOM_FOR_QUESTIONS = 500    # that a haystack keeps, and one question does not need


def held_out(writer):
    """Titled stories, each with questions in the plain format."""
    rng, parts, count = generator("held-out"), [], 0
    while count < HELD_OUT_TOKENS:
        story = writer.teller.tell(rng)
        text = f"# {story.title}\n" + "\n".join(story.paragraphs) + "\n"
        for q, a in rng.sample(story.questions, min(3, len(story.questions))):
            text += f"Question: {q}\nAnswer: {a}\n"
        parts.append(text)
        count += len(writer.tokenizer.encode_plain(text))
    return "\n".join(parts)


def needle(writer):
    """One keyed needle among 16, at a third of the way; prompt and answer."""
    doc = writer.haystack(generator("needle-10k"), writer.recipe.context + ROOM_FOR_QUESTIONS, 16, False,
                          depth=0.33, plain=True)
    ids = [t & ID_MASK for t in doc.tokens]
    _, _, first, last = doc.spans[0]
    return writer.tokenizer.decode(ids[1:first]), writer.tokenizer.decode(ids[first:last])


def main():
    chosen = recipe.load(sys.argv[1])
    tokenizer = vocabulary.load(chosen)
    writer = Writer(chosen, tokenizer)
    (chosen.folder / "held-out.txt").write_text(held_out(writer))
    prompt, answer = needle(writer)
    (chosen.folder / "needle-10k.txt").write_text(prompt)
    (chosen.folder / "needle-10k.answer").write_text(answer.strip() + "\n")
    print(f"needle prompt: {len(tokenizer.encode_plain(prompt)) + 1} tokens with bos, answer {answer.strip()}")


if __name__ == "__main__":
    main()
