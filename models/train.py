# SPDX-License-Identifier: MIT
"""Trains a model and evaluates it: `python3 train.py iau-ci --out DIR`.

The schedule is in seconds, since the hardware decides how many tokens that is.
Writes weights.npz (fp32) each minute and after each phase, then results.json.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from common import recipe, vocabulary
from common.text.writer import Writer
from common.training.clock import Clock
from common.training.supply import Supply


def work(args, supply, clock, rank, make):
    trainer = make(args, supply, clock, rank)
    start = time.time()
    trainer.run()
    if rank == 0:
        (args.out / "training.json").write_text(json.dumps({
            "steps": trainer.step, "tokens": trainer.tokens, "seconds": args.seconds,
            "seconds_with_compilation": round(time.time() - start), "gpus": args.gpus, "seed": args.seed}))


def arguments():
    """What every sort of training takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", type=recipe.load)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, help="the recipe's unless given")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the evaluation to run")
    return parser


def train(args, make):
    """`make`: gives the trainer of one process. It loads PyTorch, and not before: a process in
    which PyTorch has looked for GPUs must not fork."""
    args.out.mkdir(parents=True, exist_ok=True)
    writer = Writer(args.recipe, vocabulary.load(args.recipe))
    supply = Supply(writer, [p.context for p in args.recipe.phases], args.seed,
                    max(1, os.cpu_count() - 2 * args.gpus))
    clock = Clock()
    # Forked, so that all of them read the same pools.
    group = [multiprocessing.get_context("fork").Process(target=work, args=(args, supply, clock, rank, make))
             for rank in range(args.gpus)]
    for process in group:
        process.start()
    while any(process.is_alive() for process in group):
        time.sleep(0.2)
        if any(process.exitcode for process in group):
            for process in group:
                process.terminate()
            sys.exit("a training process failed")
    supply.stop()
    training = json.loads((args.out / "training.json").read_text())
    print(f"trained: {training}", flush=True)
    import evaluate     # PyTorch again
    results = evaluate.run(args.out / "weights.npz", writer, args.scale)
    results["training"] = training
    (args.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def trainer(*these):
    from common.training.trainer import Trainer
    return Trainer(*these)


def main():
    args = arguments().parse_args()
    args.seconds = args.seconds or args.recipe.seconds
    train(args, trainer)


if __name__ == "__main__":
    main()
