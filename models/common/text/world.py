# SPDX-License-Identifier: MIT
"""What a world is made of: the words and plots that its stories draw from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """Lists of words, and templates as plots.py explains them."""
    girls: list
    boys: list
    animal_names: list
    girl_kinds: list
    boy_kinds: list
    animal_kinds: list
    places: list            # (preposition, place)
    homes: list
    colours: list
    things: list
    hiding: list
    foods: list
    creatures: list
    hobbies: list
    weather: list
    numbers: list
    feelings: list
    skills: list
    fruit: list
    openings: list
    hobby_lines: list
    days: list
    later: list
    asides: list
    closings: list
    plots: list

    @property
    def key_nouns(self):
        """With a colour, the keys of needles and recall."""
        return self.creatures + self.things


def places(text):
    """"in the garden|at the market" -> [("in", "the garden"), ("at", "the market")]"""
    return [tuple(place.split(" ", 1)) for place in text.split("|")]
