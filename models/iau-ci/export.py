# SPDX-License-Identifier: MIT
"""Writes the three GGUF files from a checkpoint, or two of them from the F16 one:
`python3 export.py weights.npz` or `python3 export.py iau-ci-f16.gguf`.

Needs numpy alone. The same checkpoint always gives the same bytes.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from common import gguf
from train_tokenizer import SPECIALS, load

LAYERS = 4
CHAT_TEMPLATE = ("{{ bos_token }}{% for message in messages %}"
                 "{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
                 "{% else %}<|user|>{{ message['content'] }}{% endif %}{% endfor %}"
                 "{% if add_generation_prompt %}<|assistant|>{% endif %}")
LAYER_TENSORS = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output",
                 "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")
TENSORS = (["token_embd.weight"]
           + [f"blk.{layer}.{name}.weight" for layer in range(LAYERS) for name in LAYER_TENSORS]
           + ["output_norm.weight"])


def metadata(tokenizer, form):
    ids = tokenizer.ids
    merges = sorted(tokenizer.ranks, key=tokenizer.ranks.get)
    return {
        "general.architecture": "llama",
        "general.name": "iau-ci",
        "general.license": "mit",
        "general.file_type": gguf.FILE_TYPES[form],
        "general.quantization_version": 2,
        "general.alignment": gguf.ALIGNMENT,
        "llama.context_length": 10240,
        "llama.embedding_length": 128,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": 384,
        "llama.attention.head_count": 2,
        "llama.attention.head_count_kv": 1,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.attention.key_length": 64,
        "llama.attention.value_length": 64,
        "llama.rope.dimension_count": 64,
        "llama.rope.freq_base": 500000.0,
        "llama.vocab_size": len(tokenizer.tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokenizer.tokens,
        "tokenizer.ggml.token_type": [3 if t in SPECIALS else 1 for t in tokenizer.tokens],
        "tokenizer.ggml.merges": [f"{a} {b}" for a, b in merges],
        "tokenizer.ggml.bos_token_id": ids["<|bos|>"],
        "tokenizer.ggml.eos_token_id": ids["<|eos|>"],
        "tokenizer.ggml.eot_token_id": ids["<|end|>"],
        "tokenizer.ggml.padding_token_id": ids["<|pad|>"],
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }


def tensor_type(name, form):
    """Norms stay F32. The embedding is also the head, so Q4_0 keeps it Q8_0."""
    if name.endswith("norm.weight"):
        return gguf.F32
    if form == "q4_0" and name == "token_embd.weight":
        return gguf.Q8_0
    return gguf.TYPE_NAMES[form]


def read_checkpoint(path):
    """Tensor name -> fp32 array."""
    if path.endswith(".gguf"):
        reader = gguf.Reader(path)
        return {name: reader.tensor(name) for name in TENSORS}
    with np.load(path) as saved:
        return {name: saved[name.removesuffix(".weight").replace(".", "_")] for name in TENSORS}


def main():
    source = sys.argv[1]
    weights, tokenizer = read_checkpoint(source), load()
    # Q8_0 and Q4_0 are made from the F16 values, so that the F16 file is a
    # complete checkpoint: exporting from it gives the same two files.
    weights = {n: w if w.ndim == 1 else w.astype(np.float16).astype(np.float32)
               for n, w in weights.items()}
    for form in ("f16", "q8_0", "q4_0"):
        path = HERE / f"iau-ci-{form}.gguf"
        if form == "f16" and source.endswith(".gguf"):
            continue
        gguf.write(path, metadata(tokenizer, form),
                   [(n, w, tensor_type(n, form)) for n, w in weights.items()])
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
