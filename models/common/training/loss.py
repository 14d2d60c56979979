# SPDX-License-Identifier: MIT
"""The loss: cross-entropy, weighted by what a token is for."""

import torch

from .model import dense_attention, read
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


@torch.compile(dynamic=False)
def loss_at(x, norm, embedding, epsilon, target, weight):
    """Weighted mean of what is read from `x`, plus a pull of the log-normaliser towards zero."""
    logits = read(x, norm, embedding, epsilon).float().flatten(0, 1)
    normaliser = logits.logsumexp(-1)
    chosen = logits.gather(1, target.reshape(-1, 1)).squeeze(1)
    return (weight * (normaliser - chosen + Z_LOSS * normaliser.square())).sum() / weight.sum()


def loss_of(model, batch, weights, quantised, exit_layer, attention=dense_attention):
    """`exit_layer`: None, or the layer whose loss is added to that of the last one."""
    ids = batch & ID_MASK
    target, weight = ids[:, 1:], weights[batch[:, 1:] >> ID_BITS].reshape(-1)
    after, embedding = model.hidden(ids[:, :-1], quantised, attention=attention)

    def loss(layer):
        return loss_at(after[layer - 1], model.output_norm, embedding, model.recipe.epsilon, target, weight)

    if exit_layer is None:
        return loss(len(after))
    return loss(len(after)) + EXIT_SHARE * loss(exit_layer)
