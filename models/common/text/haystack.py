# SPDX-License-Identifier: MIT
"""Long documents: stories with needles between them, then questions about both."""

from dataclasses import dataclass

from . import tasks
from .documents import NEEDLE, RANDOM, TITLE, Document

NEEDLES = (0, 1, 1, 2, 4, 8, 16, 32, 64)


@dataclass
class Needle:
    """A fact as `before`, `value`, `after`, and what is asked about it."""
    before: str
    value: str
    after: str
    question: str
    answer: str
    label: str

    def add_to(self, doc):
        doc.add(self.before)
        doc.add(self.value, RANDOM)
        doc.add(self.after)


def needles(world, rng, count, passkey, two_hop):
    """`count` codes, and `two_hop` keys whose code is that of another key."""
    found = []
    if passkey:
        value = tasks.digits(rng, 5)
        found.append(Needle("The passkey is ", value, ". Remember it.\n", "What is the passkey?",
                            value, "passkey"))
    keys = tasks.keys(world, rng, count + two_hop)
    codes = {key: tasks.digits(rng, 5) for key in keys[:count]}
    for key, value in codes.items():
        found.append(Needle(f"The code for the {key} is ", value, ".\n",
                            f"What is the code for the {key}?", value, "keyed"))
    for key in keys[count:]:
        other = rng.choice(keys[:count])
        found.append(Needle(f"The code for the {key} is the same as for the ", other, ".\n",
                            f"What is the code for the {key}?", codes[other], "two-hop"))
    return found


def haystack(teller, tokenizer, rng, length, needle_count=None, passkey=None, two_hop=0,
             questions=16, titles=8, plots=None, depth=None, plain=None, once=False):
    """Up to `length` tokens: stories of `plots` plots (None: all), needles between
    them, `questions` about needles and `titles` about stories.

    `depth` (0 to 1) places the first needle, and then it alone is asked for; the
    others fall anywhere. `once`: each code is asked for by one key, one that refers
    to another rather than its own.
    """
    doc = Document(tokenizer, rng)
    if plain is not None:
        doc.plain = plain
    if needle_count is None:
        needle_count = rng.choice(NEEDLES)
    needle_count = min(needle_count, length // 60)
    passkey = rng.random() < 0.5 if passkey is None else passkey
    hidden = needles(teller.world, rng, needle_count, passkey, two_hop if needle_count else 0)
    plots = plots and rng.sample(teller.plots, plots)
    room = length - 30 * (min(len(hidden), questions) + titles) - 120
    places = sorted([(rng.random() if depth is None or i else depth) * room, i]
                    for i in range(len(hidden)))
    at, asked, seen = {}, [], set()

    def hide(number):
        at[number] = len(doc.tokens) / length
        hidden[number].add_to(doc)

    while len(doc.tokens) < room:
        while places and places[0][0] <= len(doc.tokens):
            hide(places.pop(0)[1])
        story = teller.tell(rng, plots)
        if story.title in seen:
            continue
        seen.add(story.title)
        start = len(doc.tokens) / length
        doc.add_story(story, True)
        doc.add("\n")
        asked += [(f"In \"{story.title}\": {q}", a, "title", start, TITLE)
                  for q, a in story.questions]
    for _, number in places:
        hide(number)
    queue = [(n.question, n.answer, n.label, at[i], NEEDLE) for i, n in enumerate(hidden)]
    if depth is None:
        rng.shuffle(queue)
        if once:
            queue = list({q[1]: q for q in sorted(queue, key=lambda q: q[2] == "two-hop")}.values())
            rng.shuffle(queue)
        queue = queue[:questions]
        queue += rng.sample(asked, min(len(asked), titles))
        rng.shuffle(queue)
    else:
        queue = queue[:1]
    for question in queue:
        doc.ask(*question)
    doc.end()
    return doc
