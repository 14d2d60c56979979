#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every register that has a reset is zero after it. The simulated device has none: its registers begin as zero
(sim/rtl/iau_sim.sv). A block's reset values are the assignments below if (!rst_ni)."""
import re
from pathlib import Path

ZERO = re.compile(r"'0|\d*'[bdh]0+|0")


def first_names(text):
    """Of enumerations, those that are zero"""
    members = (body.split(",")[0].split("=") for body in re.findall(r"typedef enum[^{]*{([^}]*)}", text))
    return {m[0].strip() for m in members if len(m) == 1 or ZERO.fullmatch(m[1].strip())}


def reset_part(text, at):
    """The statement that begins at AT: one, or from begin to its end"""
    if not re.match(r"\s*begin\b", text[at:]):
        return text[at:text.index(";", at) + 1]
    depth = 0
    for word in re.finditer(r"\b(begin|end|case|endcase)\b", text[at:]):
        depth += 1 if word[0] in ("begin", "case") else -1
        if not depth:
            return text[at:at + word.end()]
    return text[at:]


files = sorted(Path("hw-model/rtl").glob("*.sv"))
known = first_names(Path("build/gen/iau_hw_pkg.sv").read_text())
print(f"1..{len(files) + 1}")
total = bad = 0
for number, path in enumerate(files, 1):
    text = re.sub(r"//.*", "", path.read_text())
    names = known | first_names(text)
    wrong = []
    for condition in re.finditer(r"if \((?:!|~)rst_ni\)", text):
        for register, value in re.findall(r"([\w.\[\]]+)\s*<=\s*([^;]+);", reset_part(text, condition.end())):
            total += 1
            if not ZERO.fullmatch(value.strip()) and value.strip().split("::")[-1] not in names:
                wrong.append(f"{register} <= {value}")
    for line in wrong:
        print(f"# {line}")
    bad += bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} {number} - {path.name}")
print(f"# {total} registers")
print(f"{'ok' if total > 200 else 'not ok'} {len(files) + 1} - reset values were found")
raise SystemExit(bool(bad) or total <= 200)
