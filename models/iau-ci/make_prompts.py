# SPDX-License-Identifier: MIT
"""Writes held-out.txt and the 10,000-token needle prompt, from seeds that
training never uses: `python3 make_prompts.py`."""

from pathlib import Path

from documents import generator, story_haystack
from stories import make_story
from train_tokenizer import load

HERE = Path(__file__).parent
HELD_OUT_TOKENS = 8000
NEEDLE_TOKENS = 10740


def held_out(tokenizer):
    """Titled stories, each with questions in the plain format."""
    rng, parts, count = generator("held-out"), [], 0
    while count < HELD_OUT_TOKENS:
        story = make_story(rng)
        text = f"# {story.title}\n" + "\n".join(story.paragraphs) + "\n"
        for q, a in rng.sample(story.questions, min(3, len(story.questions))):
            text += f"Question: {q}\nAnswer: {a}\n"
        parts.append(text)
        count += len(tokenizer.encode_plain(text))
    return "\n".join(parts)


def needle(tokenizer):
    """One keyed needle among 16, at a third of the way; prompt and answer."""
    doc = story_haystack(tokenizer, generator("needle-10k"), NEEDLE_TOKENS, 16, False,
                         depth=0.33, plain=True)
    ids = [t & 1023 for t in doc.tokens]
    _, _, first, last = doc.spans[0]
    return tokenizer.decode(ids[1:first]), tokenizer.decode(ids[first:last])


def main():
    tokenizer = load()
    (HERE / "held-out.txt").write_text(held_out(tokenizer))
    prompt, answer = needle(tokenizer)
    (HERE / "needle-10k.txt").write_text(prompt)
    (HERE / "needle-10k.answer").write_text(answer.strip() + "\n")
    print(f"needle prompt: {len(tokenizer.encode_plain(prompt)) + 1} tokens with bos, answer {answer.strip()}")


if __name__ == "__main__":
    main()
