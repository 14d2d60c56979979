# SPDX-License-Identifier: MIT
"""The weights of a model, from a checkpoint or from the first of its files."""

import numpy as np

from . import gguf

LAYER_TENSORS = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output",
                 "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")


def tensor_names(chosen):
    return (["token_embd.weight"]
            + [f"blk.{layer}.{name}.weight" for layer in range(chosen.layers) for name in LAYER_TENSORS]
            + ["output_norm.weight"])


def parameter(name):
    """What the network in training/model.py calls a tensor."""
    return name.removesuffix(".weight").replace(".", "_")


def load(path, chosen):
    """Tensor name -> fp32 array."""
    names = tensor_names(chosen)
    if str(path).endswith(".gguf"):
        reader = gguf.Reader(path)
        return {name: reader.tensor(name) for name in names}
    with np.load(path) as saved:
        return {name: saved[parameter(name)] for name in names}
