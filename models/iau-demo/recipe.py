# SPDX-License-Identifier: MIT
"""iau-demo: richer stories and harder retrieval, with room for an answer after
10,240 tokens, and heads that may read early."""

from common.recipe import Phase, Recipe, Tuning
from large import LARGE

RECIPE = Recipe(
    name="iau-demo",
    dim=256, layers=8, heads=4, kv_heads=2, ffn=704, vocabulary=2048, context=10752,
    exits=(3, 5),
    world=LARGE,
    shares={"story": 24, "story with questions": 21, "needles": 18, "recall": 6, "arithmetic": 8,
            "copy": 4, "variables": 11, "brackets": 8},
    deepest=32, most_hops=3, even_hops=True,
    titles=16, two_hop=(0, 0, 2, 4, 8, 16), few_plots=(None, None, 3, 6, 12),
    phases=(Phase(1024, rows=128, share=0.20, long=0.25, needle=4, title=2),
            Phase(4096, rows=32, share=0.15, long=0.5, needle=8, title=4),
            Phase(10752, rows=12, share=0.65, long=0.6, needle=12, title=8)),
    seconds=720,
    finish_from=0.75,
    tuning=Tuning(Phase(10752, rows=12, share=1, long=0.7, needle=20, title=20),
                  seconds=1050, rate=0.5, budgets=(None, (1536, 2048), (1024, 1536), (1536, 2048)),
                  text={"two_hop": (0, 4, 8, 16), "ask_once": True}),
    forms=("q8_0", "q4_0"),
)
