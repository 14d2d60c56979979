# SPDX-License-Identifier: MIT
"""Writes a model's GGUF files from a checkpoint, or from the first of the files:
`python3 export.py iau-ci weights.npz` or `python3 export.py iau-ci iau-ci/iau-ci-f16.gguf`.

Needs numpy alone. The same checkpoint always gives the same bytes.
"""

import sys

from common import checkpoint, gguf, recipe, vocabulary

CHAT_TEMPLATE = ("{{ bos_token }}{% for message in messages %}"
                 "{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
                 "{% else %}<|user|>{{ message['content'] }}{% endif %}{% endfor %}"
                 "{% if add_generation_prompt %}<|assistant|>{% endif %}")


def metadata(chosen, tokenizer, form):
    ids = tokenizer.ids
    merges = sorted(tokenizer.ranks, key=tokenizer.ranks.get)
    exits = {"iau.exit_layers": list(chosen.exits)} if chosen.exits else {}
    return exits | {
        "general.architecture": "llama",
        "general.name": chosen.name,
        "general.license": "mit",
        "general.file_type": gguf.FILE_TYPES[form],
        "general.quantization_version": 2,
        "general.alignment": gguf.ALIGNMENT,
        "llama.context_length": chosen.context,
        "llama.embedding_length": chosen.dim,
        "llama.block_count": chosen.layers,
        "llama.feed_forward_length": chosen.ffn,
        "llama.attention.head_count": chosen.heads,
        "llama.attention.head_count_kv": chosen.kv_heads,
        "llama.attention.layer_norm_rms_epsilon": chosen.epsilon,
        "llama.attention.key_length": chosen.head_dim,
        "llama.attention.value_length": chosen.head_dim,
        "llama.rope.dimension_count": chosen.head_dim,
        "llama.rope.freq_base": chosen.rope_base,
        "llama.vocab_size": len(tokenizer.tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokenizer.tokens,
        "tokenizer.ggml.token_type": [3 if t in vocabulary.SPECIALS else 1 for t in tokenizer.tokens],
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


def main():
    chosen, source = recipe.load(sys.argv[1]), sys.argv[2]
    tokenizer = vocabulary.load(chosen)
    weights = checkpoint.load(source, chosen)
    # Every file is made from the values of the first, so that this one is a
    # complete checkpoint: exporting from it gives the same files.
    weights = {n: gguf.rounded(w, tensor_type(n, chosen.forms[0])) for n, w in weights.items()}
    for form in chosen.forms:
        path = chosen.folder / f"{chosen.name}-{form}.gguf"
        gguf.write(path, metadata(chosen, tokenizer, form),
                   [(n, w, tensor_type(n, form)) for n, w in weights.items()])
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
