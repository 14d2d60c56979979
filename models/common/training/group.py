# SPDX-License-Identifier: MIT
"""Several GPUs that train one model: a process each, forked from one parent."""

import mmap
import os
import time

import numpy as np
import torch
import torch.distributed as dist


def join(rank, gpus):
    """Makes this process the one for GPU `rank`; returns its device."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(rank)
    if gpus > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", "29500")
        dist.init_process_group("nccl", rank=rank, world_size=gpus, device_id=torch.device("cuda", rank))
    return torch.device("cuda", rank)


class Gradients:
    """All gradients of a model, as views of one buffer."""

    def __init__(self, model, gpus):
        self.gpus = gpus
        parameters = list(model.parameters())
        self.all = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        for p, part in zip(parameters, self.all.split([p.numel() for p in parameters])):
            p.grad = part.view_as(p)

    def average(self):
        if self.gpus > 1:
            dist.all_reduce(self.all, dist.ReduceOp.AVG)

    def clear(self):
        self.all.zero_()


class Clock:
    """The share of the schedule that is done, by step. The first process tells it
    and the others read it, so that all turn to the next phase at the same step."""

    STEPS = 1 << 20

    def __init__(self):
        self.shares = np.frombuffer(mmap.mmap(-1, self.STEPS * 8))
        self.shares.fill(np.nan)

    def tell(self, step, share):
        self.shares[step] = share

    def read(self, step):
        while np.isnan(self.shares[step]):
            time.sleep(1e-4)
        return self.shares[step]
