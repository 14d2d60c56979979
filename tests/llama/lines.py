# SPDX-License-Identifier: MIT
"""Random texts that tokenizers may disagree on, and random vocabularies that show where."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "models"))

from common import bpe, gguf

WORDS = ("the of and to in is it you that he was for on are with as his they be at one have this from "
         "had by hot word but what some we can out other were all there when up use your how said an each "
         "she which do their time if will way about many then them write would like so these her long make "
         "Naïve café STRASSE ﬁne Ünïcode Москва Ελλάδα Ĳssel ǅ ᾳ ŉ ß İstanbul ſ").split()
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'Re", "’s", "'ſ", "'K", "''", "'x"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\r", "\r\n", "\n\n", " \n ", "\v", "\f", "\x1c", "\x85", "\xa0", "\u1680",
          "\u180e", "\u2003", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", "     "]
PUNCTUATION = list(".,;:!?-–—…()[]{}<>/\\|@#$%^&*+=_~`\"'«»“”‘’¿¡§¶†‡•°©®™±×÷€£¥₿∑∫≠→↔☃♥・。、「」؟،।") + ["...", "!?", "--", "://", "<|", "|>"]
SPECIALS = ["<|bos|>", "<|eos|>", "<s>", "</s>", "<unk>", "<0x41>", "▁", "<|bos"]
EMOJI = ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🫠", "☕"]
RANGES = {
    "cjk": [(0x4e00, 0x9fff), (0x3041, 0x3096), (0x30a1, 0x30fa), (0xac00, 0xd7a3), (0x3400, 0x4dbf)],
    "combining": [(0x300, 0x36f), (0x591, 0x5bd), (0x64b, 0x65f), (0x900, 0x94f), (0xe31, 0xe4e), (0xfe00, 0xfe2f)],
    "rtl": [(0x5d0, 0x5ea), (0x620, 0x6ff), (0x700, 0x74f), (0x8a0, 0x8ff), (0x10800, 0x108af), (0x1e900, 0x1e95f)],
    "digits": [(0x660, 0x669), (0x966, 0x96f), (0xff10, 0xff19), (0xb2, 0xb3), (0xbc, 0xbe), (0x2160, 0x2188),
               (0x2460, 0x249b), (0x3007, 0x3007), (0x3021, 0x3029), (0x1d7ce, 0x1d7ff), (0x10107, 0x10133)],
    "planes": [(0x10000, 0x1ffff), (0x20000, 0x3ffff), (0xe0000, 0xe0fff), (0xf0000, 0x10ffff)],
    "all": [(1, 0xd7ff), (0xe000, 0x10ffff)],
    "low": [(1, 0x2fff)],
}


def pick(rng, ranges):
    return chr(rng.randint(*rng.choice(ranges)))


def part(rng):
    kind = rng.randrange(12)
    if kind < 3:
        word = rng.choice(WORDS)
        return rng.choice([word, word.upper(), word.capitalize(), word + rng.choice(CONTRACTIONS)])
    if kind == 3:
        return str(rng.randrange(10 ** rng.randint(1, 9)))
    if kind == 4:
        return "".join(rng.choice(PUNCTUATION) for _ in range(rng.randint(1, 4)))
    if kind == 5:
        return "".join(rng.choice(SPACES) for _ in range(rng.randint(1, 4)))
    if kind == 6:
        return rng.choice(EMOJI)
    if kind == 7:
        return rng.choice(SPECIALS + CONTRACTIONS)
    ranges = RANGES[rng.choice(list(RANGES))]
    return "".join(pick(rng, ranges) for _ in range(rng.randint(1, 6)))


def line(rng):
    joint = rng.choice(["", " ", " ", " "])
    return joint.join(part(rng) for _ in range(rng.randint(1, 12)))


def lines(seed, count):
    """COUNT texts; every one is not empty and has no NUL."""
    rng = random.Random(seed)
    return [line(rng) or "x" for _ in range(count)]


def code_points():
    """Every one but NUL and the surrogates."""
    return [chr(c) for c in range(1, 0x110000) if not 0xd800 <= c < 0xe000]


def metadata(model, pre, tokens, **more):
    """What a file with a vocabulary and no weights has."""
    return {"general.architecture": "llama", "general.name": "vocabulary", "llama.context_length": 2048,
            "llama.embedding_length": 64, "llama.block_count": 1, "llama.feed_forward_length": 64,
            "llama.attention.head_count": 1, "llama.attention.layer_norm_rms_epsilon": 1e-5,
            "llama.rope.dimension_count": 64, "llama.vocab_size": len(tokens),
            "tokenizer.ggml.model": model, "tokenizer.ggml.pre": pre, "tokenizer.ggml.tokens": tokens, **more}


def write_bpe(path, pre, seed):
    """Byte-level BPE in which every pair of bytes merges, in random order: any word that is cut
    at another place falls into other tokens."""
    rng = random.Random(seed)
    alphabet = [bpe.BYTE_TO_CHAR[b] for b in range(256)]
    merges = [(a, b) for a in alphabet for b in alphabet]
    rng.shuffle(merges)
    tokens = ["<|bos|>", "<|eos|>", *alphabet, *(a + b for a, b in merges)]
    gguf.write(path, metadata("gpt2", pre, tokens, **{
        "tokenizer.ggml.token_type": [3, 3] + [1] * (len(tokens) - 2),
        "tokenizer.ggml.merges": [f"{a} {b}" for a, b in merges],
        "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.add_bos_token": True}), [])


def write_spm(path, texts, seed):
    """SentencePiece-type BPE over random stretches of the texts, with random scores."""
    rng = random.Random(seed)
    pieces = {}
    for text in texts:
        text = "▁" + text.replace(" ", "▁")
        for _ in range(3):
            size, at = rng.choice([1, 2, 2, 3, 4, 6]), rng.randrange(len(text))
            pieces.setdefault(text[at:at + size])
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    pieces = [p for p in pieces if p not in tokens]
    types = [2, 3, 3] + [6] * 256 + [1] * len(pieces)
    scores = [0.0] * 259 + [-float(rng.randrange(1, 1 << 20)) for _ in pieces]
    gguf.write(path, metadata("llama", "default", tokens + pieces, **{
        "tokenizer.ggml.token_type": types, "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.add_bos_token": True}), [])
