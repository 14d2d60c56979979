# SPDX-License-Identifier: MIT
"""Who and what a story is about.

A story binds a handful of names, places and things to slots once; every
sentence and every question reads the same slots, so answers are exact.
"""

PRONOUNS = {"f": ("she", "She", "her", "her"), "m": ("he", "He", "his", "him")}


def pick_people(world, rng, count):
    """`count` characters with distinct names, as (name, gender, kind)."""
    people, used = [], set()
    while len(people) < count:
        draw = rng.random()
        if draw < 0.4:
            person = (rng.choice(world.girls), "f", rng.choice(world.girl_kinds))
        elif draw < 0.8:
            person = (rng.choice(world.boys), "m", rng.choice(world.boy_kinds))
        else:
            person = (rng.choice(world.animal_names), rng.choice("fm"), rng.choice(world.animal_kinds))
        if person[0] not in used:
            used.add(person[0])
            people.append(person)
    return people


def bind_people(slots, people):
    """Fill {A}, {heA}, {HeA}, {hisA}, {himA}, {kindA}; likewise for B and C."""
    for letter, (name, gender, kind) in zip("ABC", people):
        he, cap, his, him = PRONOUNS[gender]
        slots[letter] = name
        slots["he" + letter] = he
        slots["He" + letter] = cap
        slots["his" + letter] = his
        slots["him" + letter] = him
        slots["kind" + letter] = kind


def title_case(phrase):
    return " ".join(word.capitalize() for word in phrase.split())


class Stock:
    """Hands out places and things so that none repeats within a story, and no
    colour either where the world has enough of them."""

    THINGS = 16

    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.places = rng.sample(world.places, len(world.places))
        things = rng.sample(world.things, self.THINGS)
        if len(world.colours) < self.THINGS:
            colours = [rng.choice(world.colours) for _ in things]
        else:
            colours = rng.sample(world.colours, self.THINGS)
        self.things = [f"{colour} {thing}" for colour, thing in zip(colours, things)]

    def bind(self, slots):
        """Fill the slots of one plot: places p q r, things o u v, and the rest."""
        rng, world = self.rng, self.world
        if len(self.places) < 3:
            self.places = rng.sample(world.places, len(world.places))
        for letter in "pqr":
            prep, place = self.places.pop()
            slots[letter] = place
            slots["in" + letter] = prep + " " + place
        for letter in "ouv":
            slots[letter] = self.things.pop()
        slots["c"], slots["d"] = rng.sample(world.hiding, 2)
        slots["f"], slots["g"] = rng.sample(world.foods, 2)
        slots["an"], slots["am"] = rng.sample(world.creatures, 2)
        slots["n"] = rng.choice(world.numbers)
        slots["w"] = rng.choice(world.weather)
        slots["glad"] = rng.choice(world.feelings)
        slots["paper"] = rng.choice(world.colours)
        slots["skill"] = rng.choice(world.skills)
        slots["fruit"] = rng.choice(world.fruit)
        slots["win"] = rng.choice((slots["A"], slots["B"]))
        slots["inpCap"] = slots["inp"].capitalize()
        slots["O"], slots["P"] = title_case(slots["o"]), "the " + title_case(slots["p"][4:])
        slots["Box"] = slots["c"].capitalize()
        slots["An"], slots["Am"] = slots["an"].capitalize(), slots["am"].capitalize()
        slots["Skill"] = slots["skill"].capitalize()
