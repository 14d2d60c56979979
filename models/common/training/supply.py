# SPDX-License-Identifier: MIT
"""Keeps pools of fresh rows filled by worker processes.

Each worker overwrites its own rows of the current pool, round and round; the
trainer reads rows at random. A row is written in one copy, so a torn read is
rare, and then costs one odd row.
"""

import mmap
import multiprocessing
import os
import time

import numpy as np

from ..text.documents import generator

POOL_TOKENS = 1 << 25


class Supply:
    """Start before PyTorch is loaded: the workers are forked."""

    def __init__(self, writer, lengths, seed, workers):
        self.pools = []
        for length in lengths:
            rows = POOL_TOKENS // length
            memory = mmap.mmap(-1, rows * (length + 1) * 2)
            self.pools.append(np.frombuffer(memory, np.uint16).reshape(rows, length + 1))
        self.stage = multiprocessing.Value("i", 0)
        self.made = np.frombuffer(mmap.mmap(-1, 8 * workers * len(lengths)), np.int64)
        self.made = self.made.reshape(len(lengths), workers)
        self.workers = [multiprocessing.Process(target=self._work, daemon=True,
                                                args=(writer, lengths, seed, i, workers))
                        for i in range(workers)]
        for worker in self.workers:
            worker.start()

    def _work(self, writer, lengths, seed, index, workers):
        os.nice(10)
        rng = generator("train", seed, index)
        while True:
            stage = self.stage.value
            pool = self.pools[stage]
            for row in range(index, len(pool), workers):
                pool[row] = writer.row(rng, lengths[stage])
                self.made[stage, index] += 1
                if self.stage.value != stage:
                    break

    def open_stage(self, stage):
        """Turns the workers to a pool and waits until it is full once."""
        self.stage.value = stage
        while self.made[stage].sum() < len(self.pools[stage]):
            time.sleep(0.05)

    def batch(self, stage, count, rng):
        pool = self.pools[stage]
        return pool[rng.integers(len(pool), size=count)]

    def stop(self):
        for worker in self.workers:
            worker.terminate()
