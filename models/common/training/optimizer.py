# SPDX-License-Identifier: MIT
"""Muon for the matrices, AdamW for the embedding and the norms."""

import torch

MUON_RATE, ADAM_RATE, DECAY = 0.02, 3e-3, 0.1


@torch.compile(dynamic=False)
def orthogonalise(stack):
    """Newton-Schulz: pulls every singular value of each matrix towards one."""
    x = stack.bfloat16()
    tall = x.size(1) > x.size(2)
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.mT if tall else x).float()


class Optimizer:
    """Matrices of one shape step together, as one stack."""

    def __init__(self, model):
        self.groups, others = {}, []
        for name, parameter in model.named_parameters():
            if name.startswith("blk") and parameter.ndim == 2:
                self.groups.setdefault(tuple(parameter.shape), []).append(parameter)
            else:
                others.append(parameter)
        self.momentum = {shape: torch.zeros(len(group), *shape, device=group[0].device)
                         for shape, group in self.groups.items()}
        self.adam = torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0,
                                      fused=True)

    @torch.no_grad()
    def step(self, rate, count):
        """`rate` scales both learning rates; `count` is the number of the step."""
        beta = 0.85 + 0.10 * min(count / 300, 1)
        for shape, group in self.groups.items():
            gradient = torch.stack([p.grad for p in group])
            momentum = self.momentum[shape].lerp_(gradient, 1 - beta)
            update = orthogonalise(gradient.lerp(momentum, beta))
            step = rate * MUON_RATE
            torch._foreach_mul_(group, 1 - step * DECAY)
            torch._foreach_add_(group, list(update.unbind()),
                                alpha=-step * max(1, shape[0] / shape[1]) ** 0.5)
        self.adam.param_groups[0]["lr"] = ADAM_RATE * rate
        self.adam.step()
