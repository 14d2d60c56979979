# SPDX-License-Identifier: MIT
"""Scenes: people move about and pass things around, and the state is tracked."""

from .cast import PRONOUNS


class Scene:
    """People move about and pass things around; the state is tracked exactly."""

    def __init__(self, rng, people, stock):
        self.rng = rng
        self.people = people
        self.names = [p[0] for p in people]
        self.pronoun = {p[0]: PRONOUNS[p[1]] for p in people}
        self.places = stock.places[:5]
        self.at = {name: rng.choice(self.places) for name in self.names}
        self.things = [stock.things.pop() for _ in range(rng.randint(2, 4))]
        self.holder = {}
        self.lies = {thing: rng.choice(self.places) for thing in self.things}
        self.gifts = {}

    def opening(self):
        rng, parts = self.rng, []
        for name in self.names:
            prep, place = self.at[name]
            parts.append(f"{name} was {prep} {place}.")
        for thing in self.things:
            prep, place = self.lies[thing]
            parts.append(rng.choice((f"The {thing} was {prep} {place}.",
                                     f"The {thing} lay {prep} {place}.")))
        return " ".join(parts)

    def step(self):
        """One event that the state allows, as a sentence."""
        rng = self.rng
        name = rng.choice(self.names)
        here = self.at[name]
        held = [t for t in self.things if self.holder.get(t) == name]
        near = [t for t in self.things if t not in self.holder and self.lies[t] == here]
        others = [o for o in self.names if o != name and self.at[o] == here]
        draw = rng.random()
        if near and draw < 0.6:
            thing = rng.choice(near)
            self.holder[thing] = name
            return rng.choice((f"{name} picked up the {thing}.", f"{name} took the {thing}."))
        if held and others and draw < 0.8:
            thing, other = rng.choice(held), rng.choice(others)
            self.holder[thing] = other
            self.gifts[thing] = (name, other)
            return rng.choice((f"{name} gave the {thing} to {other}.",
                               f"{name} handed the {thing} to {other}."))
        if held and draw < 0.4:
            thing = rng.choice(held)
            del self.holder[thing]
            self.lies[thing] = here
            return rng.choice((f"{name} left the {thing} {here[0]} {here[1]}.",
                               f"{name} put down the {thing} {here[0]} {here[1]}."))
        there = rng.choice([p for p in self.places if p != here])
        self.at[name] = there
        return rng.choice((f"{name} went to {there[1]}.", f"{name} walked to {there[1]}.",
                           f"Then {name} went to {there[1]}."))

    def questions(self):
        """Every question that the final state answers."""
        found = []
        for name in self.names:
            prep, place = self.at[name]
            found.append((f"Where is {name} now?", f"{prep} {place}"))
        for thing in self.things:
            if thing in self.holder:
                name = self.holder[thing]
                prep, place = self.at[name]
                found.append((f"Who has the {thing} now?", name))
            else:
                prep, place = self.lies[thing]
            found.append((f"Where is the {thing} now?", f"{prep} {place}"))
            if thing in self.gifts:
                giver, taker = self.gifts[thing]
                found.append((f"Who was the last to give away the {thing}?", giver))
        return found
