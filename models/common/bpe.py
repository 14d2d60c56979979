# SPDX-License-Identifier: MIT
"""Byte-level BPE as llama.cpp runs it for `tokenizer.ggml.pre` = smollm."""

import re

# Single digits first, then the gpt2 split inside each run between digits. White
# space before a digit ends its run, so it is never shared with what follows.
_PIECES = re.compile(r"\d|'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?(?:[^\s\w]|_)+"
                     r"|\s+(?=\d)|\s+(?!\S)|\s+")


def _byte_alphabet():
    """The printable character that stands for each byte in a gpt2 vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, spare = {b: chr(b) for b in plain}, 256
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(spare)
            spare += 1
    return table


BYTE_TO_CHAR = _byte_alphabet()
CHAR_TO_BYTE = {c: b for b, c in BYTE_TO_CHAR.items()}


def split(text):
    return _PIECES.findall(text)


def train_merges(text, count):
    """The `count` merges that greedy BPE finds; ties go to the earlier pair."""
    words = {}
    for piece in split(text):
        words[piece] = words.get(piece, 0) + 1
    words = [([BYTE_TO_CHAR[b] for b in w.encode()], n) for w, n in sorted(words.items())]
    merges = []
    while len(merges) < count:
        pairs = {}
        for symbols, n in words:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] = pairs.get(pair, 0) + n
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for symbols, _ in words:
            _merge(symbols, best)
    return merges


def _merge(symbols, pair):
    i = 0
    while i + 1 < len(symbols):
        if symbols[i] == pair[0] and symbols[i + 1] == pair[1]:
            symbols[i:i + 2] = [pair[0] + pair[1]]
        i += 1


class Tokenizer:
    """`tokens` in id order; `specials` are matched whole before anything else."""

    def __init__(self, tokens, merges, specials=()):
        self.tokens = tokens
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.ranks = {tuple(m): i for i, m in enumerate(merges)}
        self.specials = list(specials)
        self._special_split = re.compile("(" + "|".join(map(re.escape, self.specials)) + ")") \
            if self.specials else None
        self._cache = {}

    def _encode_piece(self, piece):
        ids = self._cache.get(piece)
        if ids is None:
            symbols = [BYTE_TO_CHAR[b] for b in piece.encode()]
            while len(symbols) > 1:
                pair = min(zip(symbols, symbols[1:]),
                           key=lambda p: self.ranks.get(p, len(self.ranks)))
                if pair not in self.ranks:
                    break
                _merge(symbols, pair)
            ids = self._cache[piece] = [self.ids[s] for s in symbols]
        return ids

    def encode_plain(self, text):
        """Ids of text that holds no special token."""
        cache, out = self._cache, []
        for piece in _PIECES.findall(text):
            out += cache.get(piece) or self._encode_piece(piece)
        return out

    def encode(self, text):
        if not self._special_split:
            return self.encode_plain(text)
        out = []
        for part in self._special_split.split(text):
            out += [self.ids[part]] if part in self.specials else self.encode_plain(part)
        return out

    def decode(self, ids):
        raw = bytearray()
        for i in ids:
            token = self.tokens[i]
            raw += token.encode() if token in self.specials else bytes(CHAR_TO_BYTE[c] for c in token)
        return raw.decode("utf-8", "replace")
