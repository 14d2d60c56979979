# SPDX-License-Identifier: MIT
"""The nouns of the simulated world, and the tracking of who and what is where.

A story binds a handful of names, places and things to slots once; every
sentence and every question reads the same slots, so answers are exact.
"""

GIRLS = ("Mia Anna Lily Rosa Emma Nora Ella Ruby Clara Ivy Maya Zoe Lucy Tara Hana "
         "Grace Vera Jane Olga Dora Alice Ida Molly Kate Sofia Luna Elsa Nina Iris May").split()
BOYS = ("Tom Ben Sam Max Leo Jack Finn Oscar Hugo Theo Noah Paul Adam Ravi Omar Felix "
        "Peter Luke Emil Ivan Karl Otto Henry Milo Joel Victor Dan Rob Tim Nils").split()
ANIMAL_NAMES = ("Rusty Pip Biscuit Shadow Pepper Clover Bramble Hazel Moss Nutmeg "
                "Willow Bean Snow Ginger Patch Socks Button Fern Daisy Maple").split()

GIRL_KINDS = ["girl", "girl", "girl", "woman", "queen", "painter", "baker", "farmer", "sailor"]
BOY_KINDS = ["boy", "boy", "boy", "man", "king", "miller", "baker", "farmer", "sailor"]
ANIMAL_KINDS = ["fox", "rabbit", "bear", "mouse", "cat", "dog", "duck", "hedgehog", "owl", "frog"]

# (preposition, place)
PLACES = [tuple(s.split(" ", 1)) for s in (
    "in the garden|at the market|on the hill|by the river|in the forest|in the kitchen|"
    "at the school|on the beach|under the bridge|in the barn|by the lake|in the attic|"
    "at the mill|in the library|by the well|in the tower|on the farm|in the meadow|"
    "at the station|in the cave|in the cellar|at the harbour|in the workshop|on the island"
).split("|")]

HOMES = ["a small village", "a little house", "a big city", "a wooden hut", "a white castle",
         "a quiet town", "an old mill", "a tall tower", "a green valley", "a house by the sea"]

COLOURS = "red blue green yellow white black brown golden silver pink purple orange".split()
THINGS = ("ball kite lamp book coat ring key hat cup drum map boat bell box flute rope spoon "
          "clock doll blanket scarf coin mirror candle shell stone feather ribbon basket kettle").split()
HIDING = ["box", "drawer", "bag", "chest", "bucket", "cupboard", "pot", "barrel", "sack", "trunk"]
FOODS = ("bread soup apples cake honey cheese pears plums porridge pancakes berries nuts "
         "carrots pie").split()
CREATURES = "bird cat dog goat lamb mouse rabbit squirrel turtle pony duck fox owl frog".split()
HOBBIES = ["to sing", "to paint", "to read", "to swim", "to dance", "to climb trees",
           "to bake", "to fish", "to run", "to count stars", "to plant flowers", "to tell stories"]
WEATHER = ["sunny", "rainy", "windy", "cold", "warm", "foggy", "snowy", "bright"]
NUMBERS = "two three four five six seven eight nine ten".split()
FEELINGS = ["happy", "proud", "glad", "calm", "thankful", "cheerful"]
PRONOUNS = {"f": ("she", "She", "her", "her"), "m": ("he", "He", "his", "him")}


def pick_people(rng, count):
    """`count` characters with distinct names, as (name, gender, kind)."""
    people, used = [], set()
    while len(people) < count:
        draw = rng.random()
        if draw < 0.4:
            person = (rng.choice(GIRLS), "f", rng.choice(GIRL_KINDS))
        elif draw < 0.8:
            person = (rng.choice(BOYS), "m", rng.choice(BOY_KINDS))
        else:
            person = (rng.choice(ANIMAL_NAMES), rng.choice("fm"), rng.choice(ANIMAL_KINDS))
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


class Stock:
    """Hands out places and things so that none repeats within a story."""

    def __init__(self, rng):
        self.rng = rng
        self.places = rng.sample(PLACES, len(PLACES))
        things = rng.sample(THINGS, 16)
        self.things = [rng.choice(COLOURS) + " " + thing for thing in things]

    def bind(self, slots):
        """Fill the slots of one plot: places p q r, things o u v, and the rest."""
        rng = self.rng
        if len(self.places) < 3:
            self.places = rng.sample(PLACES, len(PLACES))
        for letter in "pqr":
            prep, place = self.places.pop()
            slots[letter] = place
            slots["in" + letter] = prep + " " + place
        for letter in "ouv":
            slots[letter] = self.things.pop()
        slots["c"], slots["d"] = rng.sample(HIDING, 2)
        slots["f"], slots["g"] = rng.sample(FOODS, 2)
        slots["an"], slots["am"] = rng.sample(CREATURES, 2)
        slots["n"] = rng.choice(NUMBERS)
        slots["w"] = rng.choice(WEATHER)
        slots["glad"] = rng.choice(FEELINGS)


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
