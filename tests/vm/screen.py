#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a vt100 of 24 lines of 100 columns shows after what it got on standard input."""
import re
import sys

LINES, COLUMNS = 24, 100
screen = [[" "] * COLUMNS for _ in range(LINES)]
y = x = 0
text = sys.stdin.buffer.read().decode("latin-1")
token = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[()].|\x1b[=>78M]|[\x00-\x1f]|[^\x00-\x1f]")
at = 0
while at < len(text):
    m = token.match(text, at)
    if not m:
        sys.exit(f"screen: unknown: {text[at:at + 8]!r}")
    at = m.end()
    control = m.group(2)
    n = [int(p) for p in (m.group(1) or "").split(";") if p.isdigit()]
    count = n[0] if n else 1
    if control == "H":
        y, x = (n + [1, 1])[0] - 1, (n + [1, 1])[1] - 1
    elif control == "A":
        y = max(0, y - count)
    elif control == "B":
        y = min(LINES - 1, y + count)
    elif control == "C":
        x = min(COLUMNS - 1, x + count)
    elif control == "D":
        x = max(0, x - count)
    elif control == "K":
        part = range(0, x + 1) if n == [1] else range(x, COLUMNS)
        for i in part:
            screen[y][i] = " "
    elif control == "J":
        if n == [2]:
            screen = [[" "] * COLUMNS for _ in range(LINES)]
        else:
            screen[y][x:] = [" "] * (COLUMNS - x)
            screen[y + 1:] = [[" "] * COLUMNS for _ in range(LINES - y - 1)]
    elif control in ("m", "h", "l", "r"):
        pass
    elif control:
        sys.exit(f"screen: unknown: {m.group()!r}")
    elif m.group() == "\r":
        x = 0
    elif m.group() == "\n":
        if y == LINES - 1:
            screen = screen[1:] + [[" "] * COLUMNS]
        y = min(LINES - 1, y + 1)
    elif m.group() == "\b":
        x = max(0, x - 1)
    elif len(m.group()) == 1 and m.group() >= " ":
        screen[y][min(x, COLUMNS - 1)] = m.group()
        x += 1
for line in screen:
    print("".join(line).rstrip())
