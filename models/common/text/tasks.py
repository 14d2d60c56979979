# SPDX-License-Identifier: MIT
"""Short exercises: keys, arithmetic, brackets, variables."""

PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


def digits(rng, count):
    return "".join(rng.choice("0123456789") for _ in range(count))


def keys(world, rng, count):
    """`count` different keys such as "amber fox"; few words, many pairs."""
    nouns, chosen = world.key_nouns, set()
    while len(chosen) < count:
        chosen.add(rng.choice(world.colours) + " " + rng.choice(nouns))
    chosen = sorted(chosen)
    rng.shuffle(chosen)
    return chosen


def arithmetic(rng):
    a = rng.randrange(10 ** rng.randint(1, 3))
    b = rng.randrange(10 ** rng.randint(1, 3))
    if rng.random() < 0.7:
        return f"What is {a} + {b}?", str(a + b)
    a, b = max(a, b), min(a, b)
    return f"What is {a} - {b}?", str(a - b)


def brackets(rng, deepest):
    """Open brackets, a few of them closed again; the answer closes the rest."""
    depth = rng.randint(1, deepest)
    stack, shown = [], []
    while len(stack) < depth:
        if stack and rng.random() < 0.2:
            shown.append(PAIRS[stack.pop()])
        else:
            stack.append(rng.choice("([{<"))
            shown.append(stack[-1])
    return "Close: " + " ".join(shown), " ".join(PAIRS[b] for b in reversed(stack)), depth


def variables(rng, most_hops):
    """Assignments, and the value and the number of copies behind each name."""
    names = rng.sample("abcdefghijkmnpqrstuvwxyz", rng.randint(3, 8))
    lines, values, hops = [], {}, {}
    for name in names:
        source = rng.choice(list(values)) if values and rng.random() < 0.5 else None
        if source and hops[source] < most_hops:
            values[name], hops[name] = values[source], hops[source] + 1
            lines.append(f"{name} = {source}.")
        else:
            values[name], hops[name] = digits(rng, 2), 0
            lines.append(f"{name} = {values[name]}.")
    return " ".join(lines), values, hops
