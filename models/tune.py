# SPDX-License-Identifier: MIT
"""Trains a trained model on, by its recipe's tuning, and evaluates it:
`python3 tune.py iau-demo DIR/weights.npz --out DIR`, or from the first of its files:
`python3 tune.py iau-demo iau-demo/iau-demo-q8_0.gguf --out DIR`.
"""

import dataclasses
from pathlib import Path

from common import checkpoint
from train import arguments, train


def main():
    parser = arguments()
    parser.add_argument("start", type=Path)
    args = parser.parse_args()
    start = {checkpoint.parameter(name): weight for name, weight in checkpoint.load(args.start, args.recipe).items()}
    tuning = args.recipe.tuning
    args.seconds = args.seconds or tuning.seconds
    args.recipe = dataclasses.replace(args.recipe, phases=(tuning.phase,), **tuning.text)

    def tuner(*these):
        from common.training.tuner import Tuner
        return Tuner(*these, start)

    train(args, tuner)


if __name__ == "__main__":
    main()
