# SPDX-License-Identifier: MIT
"""Several GPUs that train one model: a process each, forked from one parent."""

import os

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
