# SPDX-License-Identifier: MIT
"""Stories and their questions, rendered from the plots and the tracked scenes."""

import re

from plots import (ASIDES, CLOSINGS, DAYS, FRUIT, HOBBY, LATER, OPENINGS, PLOTS, SKILLS)
from world import COLOURS, HOBBIES, HOMES, Scene, Stock, bind_people, pick_people


def compile_template(text):
    """Split `text` into literal pieces and tuples of alternatives."""
    return [tuple(piece[1:-1].split("|")) if piece.startswith("[") else piece
            for piece in re.split(r"(\[[^\]]*\])", text) if piece]


def render(template, slots, rng):
    return "".join([p if type(p) is str else rng.choice(p) for p in template]).format_map(slots)


_OPENINGS, _HOBBY, _DAYS, _LATER, _ASIDES, _CLOSINGS = (
    [compile_template(t) for t in group]
    for group in (OPENINGS, HOBBY, DAYS, LATER, ASIDES, CLOSINGS))
_PLOTS = [(title, [(s.startswith("?"), compile_template(s.lstrip("?"))) for s in body], questions)
          for title, body, questions in PLOTS]


class Story:
    """title, paragraphs and (question, answer) pairs."""

    def __init__(self, title, paragraphs, questions):
        self.title = title
        # The only words after "a" that begin with a vowel are orange, owl and old.
        self.paragraphs = [p.replace(" a o", " an o") for p in paragraphs]
        self.questions = questions


def _title_case(phrase):
    return " ".join(word.capitalize() for word in phrase.split())


def _bind_plot(slots, stock, rng):
    stock.bind(slots)
    slots["paper"] = rng.choice(COLOURS)
    slots["skill"] = rng.choice(SKILLS)
    slots["fruit"] = rng.choice(FRUIT)
    slots["win"] = rng.choice((slots["A"], slots["B"]))
    slots["inpCap"] = slots["inp"].capitalize()
    slots["O"], slots["P"] = _title_case(slots["o"]), _title_case(slots["p"][4:])
    slots["P"] = "the " + slots["P"]
    slots["Box"] = slots["c"].capitalize()
    slots["An"], slots["Am"] = slots["an"].capitalize(), slots["am"].capitalize()
    slots["Skill"] = slots["skill"].capitalize()


def _plot_paragraph(plot, slots, rng, first):
    day = render(rng.choice(_DAYS if first else _LATER), slots, rng)
    slots["day"] = day
    sentences = []
    for optional, template in plot[1]:
        if optional and rng.random() < 0.4:
            continue
        sentences.append(render(template, slots, rng))
        if rng.random() < 0.06:
            sentences.append(render(rng.choice(_ASIDES), slots, rng))
    return " ".join(sentences)


def make_story(rng, most_plots=3):
    """A story of one to `most_plots` plots, or a tracked scene."""
    people = pick_people(rng, 3)
    stock = Stock(rng)
    slots = {}
    bind_people(slots, people)
    slots["home"], slots["hobby"] = rng.choice(HOMES), rng.choice(HOBBIES)
    slots["hisCapA"] = slots["hisA"].capitalize()
    _bind_plot(slots, stock, rng)

    opening = render(rng.choice(_OPENINGS), slots, rng)
    questions = [(f"Where did {slots['A']} live?", "in " + slots["home"])]
    if rng.random() < 0.6:
        opening += " " + render(rng.choice(_HOBBY), slots, rng)
        questions.append((f"What did {slots['A']} love?", slots["hobby"]))
    if rng.random() < 0.25:
        return _scene_story(rng, people, stock, slots, opening, questions)

    paragraphs, title = [], None
    plots = rng.sample(_PLOTS, rng.choice((1, 1, 2, 3)[:most_plots + 1]))
    for number, plot in enumerate(plots):
        if number:
            _bind_plot(slots, stock, rng)
        paragraph = _plot_paragraph(plot, slots, rng, number == 0)
        paragraphs.append(opening + " " + paragraph if number == 0 else paragraph)
        title = title or plot[0].format_map(slots)
        questions += [(q.format_map(slots), a.format_map(slots)) for q, a in plot[2]]
    if rng.random() < 0.7:
        paragraphs[-1] += " " + render(rng.choice(_CLOSINGS), slots, rng)
    return Story(title, paragraphs, questions)


def _scene_story(rng, people, stock, slots, opening, questions):
    scene = Scene(rng, people, stock)
    setting = scene.opening()       # before the steps change the state
    steps = [scene.step() for _ in range(rng.randint(3, 10))]
    names = ", ".join(p[0] for p in people[:2]) + " and " + people[2][0]
    title = f"A Day with {names}"
    return Story(title, [opening, setting + " " + " ".join(steps)], questions + scene.questions())
