# SPDX-License-Identifier: MIT
"""iau-ci: as small as retrieval over 10,240 tokens allows."""

from common.recipe import Phase, Recipe
from common.text.small import SMALL

RECIPE = Recipe(
    name="iau-ci",
    dim=128, layers=4, heads=2, kv_heads=1, ffn=384, vocabulary=1024,
    world=SMALL,
    shares={"story": 26, "story with questions": 22, "needles": 20, "recall": 9, "arithmetic": 8,
            "copy": 5, "variables": 5, "brackets": 5},
    phases=(Phase(1024, rows=128, share=0.35, long=0.25, needle=4),
            Phase(4096, rows=32, share=0.15, long=0.5, needle=8),
            Phase(10240, rows=12, share=0.50, long=0.6, needle=16)),
    seconds=340,
    finish_from=0.70,
    forms=("f16", "q8_0", "q4_0"),
)
