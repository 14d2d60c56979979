# SPDX-License-Identifier: MIT
"""Writes eval.json, what `iau eval` makes its tasks of, from seeds that training never
uses: `python3 make_eval.py iau-ci`."""

import json
import sys

from common import recipe
from common.text.documents import generator
from common.text.stories import Storyteller

STORIES = 240       # a context of 10,240 tokens takes about 65


def stories(world, rng):
    """Stories whose titles differ, since questions name them by title."""
    teller, seen = Storyteller(world), set()
    while len(seen) < STORIES:
        story = teller.tell(rng)
        if story.title not in seen:
            seen.add(story.title)
            yield {"title": story.title, "text": "\n".join(story.paragraphs) + "\n",
                   "questions": story.questions}


def pool(chosen):
    """Words and limits of what the model was trained on, and stories."""
    yield "colours", chosen.world.colours
    yield "nouns", sorted(set(chosen.world.key_nouns))
    yield "brackets", chosen.deepest
    yield "hops", chosen.most_hops
    yield "two_hop_keys", min(8, max(chosen.two_hop))


def main():
    chosen = recipe.load(sys.argv[1])
    head = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pool(chosen)]
    lines = [json.dumps(story) for story in stories(chosen.world, generator("eval"))]
    # a line a story, so that a difference between two versions can be read
    text = "{\n" + ",\n".join(head) + ",\n\"stories\": [\n" + ",\n".join(lines) + "\n]\n}\n"
    (chosen.folder / "eval.json").write_text(text)


if __name__ == "__main__":
    main()
