# SPDX-License-Identifier: MIT
"""Documents: token ids with a loss class each, and rows packed from them.

A token travels as one uint16: its id in the low ten bits, its class above.
"""

import random

import numpy as np

import tasks
from stories import make_story

TEXT, QUESTION, ANSWER, NEEDLE, RANDOM = range(5)
ID_BITS = 10
ROW_SHARE_LONG = {1024: 0.25, 4096: 0.5, 10240: 0.6}
NEEDLES = (0, 1, 1, 2, 4, 8, 16, 32, 64)


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


def _needle_sentences(rng, count, passkey):
    """(sentence around the value, value, question, label) for each needle."""
    found = []
    if passkey:
        found.append((("The passkey is ", ". Remember it.\n"), tasks.digits(rng, 5),
                      "What is the passkey?", "passkey"))
    for key in tasks.keys(rng, count):
        found.append(((f"The code for the {key} is ", ".\n"), tasks.digits(rng, 5),
                      f"What is the code for the {key}?", "keyed"))
    return found


def _add_needle(doc, needle):
    (before, after), value = needle[0], needle[1]
    doc.add(before)
    doc.add(value, RANDOM)
    doc.add(after)


def story_haystack(tokenizer, rng, length, needle_count=None, passkey=None, questions=16,
                   depth=None, plain=None, label=None):
    """Stories up to `length` tokens with needles between them, then questions.

    `depth` (0 to 1) places the first needle; the others fall anywhere.
    """
    doc = Document(tokenizer, rng)
    if plain is not None:
        doc.plain = plain
    if needle_count is None:
        needle_count = rng.choice(NEEDLES)
    needle_count = min(needle_count, length // 60)
    passkey = rng.random() < 0.5 if passkey is None else passkey
    needles = _needle_sentences(rng, needle_count, passkey)
    room = length - 30 * (min(len(needles), questions) + questions // 2) - 120
    places = sorted([(rng.random() if depth is None or i else depth) * room, i]
                    for i in range(len(needles)))
    at, asked, titles = {}, [], set()
    while len(doc.tokens) < room:
        while places and places[0][0] <= len(doc.tokens):
            number = places.pop(0)[1]
            at[number] = len(doc.tokens)
            _add_needle(doc, needles[number])
        story = make_story(rng)
        if story.title in titles:
            continue
        titles.add(story.title)
        start = len(doc.tokens)
        doc.add_story(story, True)
        doc.add("\n")
        for q, a in story.questions:
            asked.append((f"In \"{story.title}\": {q}", a, "title", start))
    for _, number in places:
        at[number] = len(doc.tokens)
        _add_needle(doc, needles[number])
    queue = [(q, v, label or name, at[i], NEEDLE)
             for i, (_, v, q, name) in enumerate(needles)]
    if depth is None:
        rng.shuffle(queue)
        queue = queue[:questions]
        picked = rng.sample(asked, min(len(asked), max(2, questions // 2)))
        queue += [(q, a, name, start, ANSWER) for q, a, name, start in picked]
        rng.shuffle(queue)
    else:
        queue = queue[:1]
    for q, a, name, start, kind in queue:
        doc.ask(q, a, name, start / length, kind)
    doc.end()
    return doc


def recall(tokenizer, rng, pairs, queries):
    doc = Document(tokenizer, rng)
    table = [(k, tasks.digits(rng, 3)) for k in tasks.keys(rng, pairs)]
    for key, value in table:
        doc.add(f"{key}:")
        doc.add(f" {value}", RANDOM)
        doc.add("\n")
    for key, value in rng.sample(table, min(queries, pairs)):
        doc.ask(f"{key}?", value, "recall", pairs, NEEDLE)
    doc.end()
    return doc


def copying(tokenizer, rng, words):
    doc = Document(tokenizer, rng)
    pool = tasks.KEY_NOUNS + list("0123456789")
    text = " ".join(rng.choice(pool) for _ in range(words))
    doc.add("Text:")
    doc.add(f" {text}", RANDOM)
    doc.add("\n")
    doc.ask("Copy the text.", text, "copy", words)
    doc.end()
    return doc


def exercises(tokenizer, rng, name):
    """Several exercises of one sort in a row, as one document."""
    doc = Document(tokenizer, rng)
    for _ in range(rng.randint(2, 6)):
        if name == "arithmetic":
            doc.ask(*tasks.arithmetic(rng), "arithmetic")
        elif name == "brackets":
            question, answer, depth = tasks.brackets(rng)
            doc.ask(question, answer, "brackets", depth)
        else:
            lines, question, answer, hops = tasks.variables(rng)
            doc.add(lines + "\n", RANDOM)
            doc.ask(question, answer, "variables", hops)
    doc.end()
    return doc


def story(tokenizer, rng, with_questions):
    """One to three stories, each with its own questions or none."""
    doc = Document(tokenizer, rng)
    titled = rng.random() < 0.4
    for number in range(rng.choice((1, 1, 1, 2, 3)) if titled else 1):
        if number:
            doc.add("\n")
        tale = make_story(rng)
        doc.add_story(tale, titled)
        if with_questions:
            for q, a in rng.sample(tale.questions, min(len(tale.questions), rng.randint(1, 5))):
                doc.ask(q, a, "story")
    doc.end()
    return doc


def short_document(tokenizer, rng):
    draw = rng.random() * 100
    if draw < 26:
        return story(tokenizer, rng, False)
    if draw < 48:
        return story(tokenizer, rng, True)
    if draw < 68:
        return story_haystack(tokenizer, rng, rng.randint(250, 700), rng.choice((1, 1, 2, 4)),
                              questions=4)
    if draw < 77:
        return recall(tokenizer, rng, rng.randint(4, 24), rng.randint(1, 8))
    if draw < 85:
        return exercises(tokenizer, rng, "arithmetic")
    if draw < 90:
        return copying(tokenizer, rng, rng.randint(4, 60))
    if draw < 95:
        return exercises(tokenizer, rng, "variables")
    return exercises(tokenizer, rng, "brackets")


def long_document(tokenizer, rng, length):
    draw = rng.random()
    if draw < 0.82:
        return story_haystack(tokenizer, rng, length)
    if draw < 0.94:
        return recall(tokenizer, rng, min(length // 12, 400), 24)
    return copying(tokenizer, rng, length // 5)


def make_row(tokenizer, rng, length):
    """`length` + 1 tokens: one long document, or short ones end to end."""
    out = []
    if rng.random() < ROW_SHARE_LONG.get(length, 0.25):
        out += long_document(tokenizer, rng, length + 1).tokens[:length + 1]
    while len(out) <= length:
        out += short_document(tokenizer, rng).tokens
    return np.array(out[:length + 1], dtype=np.uint16)


def generator(seed, *more):
    return random.Random(":".join(map(str, (seed, *more))))
