# SPDX-License-Identifier: MIT
"""Trains a model and evaluates it: `python3 train.py iau-ci --out DIR`.

The schedule is in seconds, since the hardware decides how many tokens that is.
Writes weights.npz (fp32) after each phase, then results.json.
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


def work(args, supply, clock, rank):
    # Loaded here, since a process in which PyTorch has looked for GPUs must not fork.
    from common.training.trainer import Trainer
    trainer = Trainer(args, supply, clock, rank)
    start = time.time()
    trainer.run()
    if rank == 0:
        (args.out / "training.json").write_text(json.dumps({
            "steps": trainer.step, "tokens": trainer.tokens, "seconds": args.seconds,
            "seconds_with_compilation": round(time.time() - start), "gpus": args.gpus, "seed": args.seed}))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("recipe", type=recipe.load)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--seconds", type=float, help="the recipe's unless given")
    arguments.add_argument("--gpus", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--scale", type=float, default=1.0, help="share of the evaluation to run")
    args = arguments.parse_args()
    args.seconds = args.seconds or args.recipe.seconds
    args.out.mkdir(parents=True, exist_ok=True)

    writer = Writer(args.recipe, vocabulary.load(args.recipe))
    supply = Supply(writer, [p.context for p in args.recipe.phases], args.seed,
                    max(1, os.cpu_count() - 2 * args.gpus))
    clock = Clock()
    # Forked, so that all of them read the same pools.
    group = [multiprocessing.get_context("fork").Process(target=work, args=(args, supply, clock, rank))
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


if __name__ == "__main__":
    main()
