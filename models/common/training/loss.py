# SPDX-License-Identifier: MIT
"""The loss: cross-entropy, weighted by what a token is for."""

import torch

from ..text.documents import ANSWER, ID_BITS, ID_MASK, NEEDLE, QUESTION, RANDOM, TEXT, TITLE

Z_LOSS = 1e-4
EXIT_SHARE = 0.3


def class_weights(phase, device):
    """By loss class. What cannot be predicted counts nothing."""
    weights = torch.zeros(8, device=device)
    for kind, weight in ((TEXT, 1), (QUESTION, 0.3), (ANSWER, 2), (NEEDLE, phase.needle),
                         (TITLE, phase.title), (RANDOM, 0)):
        weights[kind] = weight
    return weights


def cross_entropy(logits, target, weight):
    """Weighted mean, plus a pull of the log-normaliser towards zero."""
    logits = logits.float().flatten(0, 1)
    normaliser = logits.logsumexp(-1)
    chosen = logits.gather(1, target.reshape(-1, 1)).squeeze(1)
    return (weight * (normaliser - chosen + Z_LOSS * normaliser.square())).sum() / weight.sum()


def loss_of(model, batch, weights, quantised, early):
    """`early`: None, or the exit whose loss is added."""
    ids = batch & ID_MASK
    target, weight = ids[:, 1:], weights[batch[:, 1:] >> ID_BITS].reshape(-1)
    if early is None:
        return cross_entropy(model(ids[:, :-1], quantised), target, weight)
    logits, exit_logits = model(ids[:, :-1], quantised, early=early)
    return (cross_entropy(logits, target, weight)
            + EXIT_SHARE * cross_entropy(exit_logits, target, weight))
