# SPDX-License-Identifier: MIT
"""Stories and their questions, rendered from the plots and the tracked scenes."""

import re

from .cast import Stock, bind_people, pick_people
from .scene import Scene


def compile_template(text):
    """Split `text` into literal pieces and tuples of alternatives."""
    return [tuple(piece[1:-1].split("|")) if piece.startswith("[") else piece
            for piece in re.split(r"(\[[^\]]*\])", text) if piece]


def render(template, slots, rng):
    return "".join([p if type(p) is str else rng.choice(p) for p in template]).format_map(slots)


class Story:
    """title, paragraphs and (question, answer) pairs."""

    def __init__(self, title, paragraphs, questions):
        self.title = title
        # Words that begin with another vowel do not come after "a".
        self.paragraphs = [p.replace(" a o", " an o").replace(" a a", " an a") for p in paragraphs]
        self.questions = questions


class Storyteller:
    """Tells stories of one world."""

    def __init__(self, world):
        self.world = world
        self.openings, self.hobby_lines, self.days, self.later, self.asides, self.closings = (
            [compile_template(t) for t in group]
            for group in (world.openings, world.hobby_lines, world.days, world.later,
                          world.asides, world.closings))
        self.plots = [
            (title, [(s.startswith("?"), compile_template(s.lstrip("?"))) for s in body], questions)
            for title, body, questions in world.plots]

    def tell(self, rng, plots=None):
        """A story of one to three of `plots`, or a tracked scene."""
        people = pick_people(self.world, rng, 3)
        stock = Stock(self.world, rng)
        slots = {}
        bind_people(slots, people)
        slots["home"], slots["hobby"] = rng.choice(self.world.homes), rng.choice(self.world.hobbies)
        slots["hisCapA"] = slots["hisA"].capitalize()
        stock.bind(slots)

        opening = render(rng.choice(self.openings), slots, rng)
        questions = [(f"Where did {slots['A']} live?", "in " + slots["home"])]
        if rng.random() < 0.6:
            opening += " " + render(rng.choice(self.hobby_lines), slots, rng)
            questions.append((f"What did {slots['A']} love?", slots["hobby"]))
        if rng.random() < 0.25:
            return self._scene(rng, people, stock, opening, questions)

        paragraphs, title = [], None
        plots = plots or self.plots
        for number, plot in enumerate(rng.sample(plots, min(len(plots), rng.choice((1, 1, 2, 3))))):
            if number:
                stock.bind(slots)
            paragraph = self._paragraph(plot, slots, rng, number == 0)
            paragraphs.append(opening + " " + paragraph if number == 0 else paragraph)
            title = title or plot[0].format_map(slots)
            questions += [(q.format_map(slots), a.format_map(slots)) for q, a in plot[2]]
        if rng.random() < 0.7:
            paragraphs[-1] += " " + render(rng.choice(self.closings), slots, rng)
        return Story(title, paragraphs, questions)

    def _paragraph(self, plot, slots, rng, first):
        slots["day"] = render(rng.choice(self.days if first else self.later), slots, rng)
        sentences = []
        for optional, template in plot[1]:
            if optional and rng.random() < 0.4:
                continue
            sentences.append(render(template, slots, rng))
            if rng.random() < 0.06:
                sentences.append(render(rng.choice(self.asides), slots, rng))
        return " ".join(sentences)

    def _scene(self, rng, people, stock, opening, questions):
        scene = Scene(rng, people, stock)
        setting = scene.opening()       # before the steps change the state
        steps = [scene.step() for _ in range(rng.randint(3, 10))]
        names = ", ".join(p[0] for p in people[:2]) + " and " + people[2][0]
        title = f"A Day with {names}"
        return Story(title, [opening, setting + " " + " ".join(steps)], questions + scene.questions())
