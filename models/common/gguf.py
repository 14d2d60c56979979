# SPDX-License-Identifier: MIT
"""GGUF v3, as much of it as these models need: a writer and a reader.

A file is: header, metadata pairs, tensor descriptions, padding, tensor data.
The same input always gives the same bytes.
"""

import struct

import numpy as np

from . import quant

ALIGNMENT = 32
F32, F16, Q4_0, Q8_0 = 0, 1, 2, 8
TYPE_NAMES = {"f32": F32, "f16": F16, "q4_0": Q4_0, "q8_0": Q8_0}
FILE_TYPES = {"f16": 1, "q4_0": 2, "q8_0": 7}       # general.file_type
_ENCODE = {F32: lambda w: np.ascontiguousarray(w, "<f4").tobytes(),
           F16: lambda w: np.ascontiguousarray(w, "<f2").tobytes(),
           Q4_0: quant.quantize_q4_0, Q8_0: quant.quantize_q8_0}
_DECODE = {F32: lambda raw: np.frombuffer(raw, "<f4").astype(np.float32),
           F16: lambda raw: np.frombuffer(raw, "<f2").astype(np.float32),
           Q4_0: quant.dequantize_q4_0, Q8_0: quant.dequantize_q8_0}
_SIZES = {F32: (1, 4), F16: (1, 2), Q4_0: (32, 18), Q8_0: (32, 34)}     # values, bytes

U32, I32, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", U32: "<I", I32: "<i", FLOAT: "<f",
            BOOL: "<?", 10: "<Q", 11: "<q", 12: "<d"}


def rounded(array, kind):
    """`array` as a file of that type gives it back."""
    return _DECODE[kind](_ENCODE[kind](array)).reshape(array.shape)


def _pad(size):
    return -size % ALIGNMENT


def _string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value):
    """Type code and bytes. Python's int is u32, except in lists, which are i32 or strings or fp32."""
    if isinstance(value, bool):
        return BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return U32, struct.pack("<I", value)
    if isinstance(value, float):
        return FLOAT, struct.pack("<f", value)
    if isinstance(value, str):
        return STRING, _string(value)
    if isinstance(value[0], str):
        kind, items = STRING, [_string(v) for v in value]
    elif isinstance(value[0], float):
        kind, items = FLOAT, [struct.pack("<f", v) for v in value]
    else:
        kind, items = I32, [struct.pack("<i", v) for v in value]
    return ARRAY, struct.pack("<IQ", kind, len(items)) + b"".join(items)


def write(path, metadata, tensors):
    """`metadata`: name -> value. `tensors`: list of (name, array, type code)."""
    head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    for key, value in metadata.items():
        kind, raw = _value(value)
        head += [_string(key), struct.pack("<I", kind), raw]
    data, offset = [], 0
    for name, array, kind in tensors:
        raw = _ENCODE[kind](array)
        head += [_string(name), struct.pack("<I", array.ndim),
                 *(struct.pack("<Q", n) for n in reversed(array.shape)),
                 struct.pack("<IQ", kind, offset)]
        data += [raw, bytes(_pad(len(raw)))]
        offset += len(raw) + _pad(len(raw))
    head = b"".join(head)
    with open(path, "wb") as f:
        f.write(head + bytes(_pad(len(head))))
        f.writelines(data)


class Reader:
    """`metadata`, and `tensor(name)` as fp32 with the slowest axis first."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self._raw = f.read()
        self._at = 0
        if self._take(4) != b"GGUF" or self._scalar(U32) != 3:
            raise ValueError(f"{path}: not a GGUF v3 file")
        tensors, pairs = self._scalar(10), self._scalar(10)
        self.metadata = {}
        for _ in range(pairs):
            key = self._text()
            self.metadata[key] = self._typed(self._scalar(U32))
        self.infos = {}
        for _ in range(tensors):
            name = self._text()
            shape = [self._scalar(10) for _ in range(self._scalar(U32))]
            self.infos[name] = (shape[::-1], self._scalar(U32), self._scalar(10))
        self._data = self._at + _pad(self._at)

    def _take(self, size):
        self._at += size
        return self._raw[self._at - size:self._at]

    def _scalar(self, kind):
        form = _SCALARS[kind]
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _text(self):
        return self._take(self._scalar(10)).decode()

    def _typed(self, kind):
        if kind == STRING:
            return self._text()
        if kind == ARRAY:
            inner, count = self._scalar(U32), self._scalar(10)
            return [self._typed(inner) for _ in range(count)]
        return self._scalar(kind)

    def tensor(self, name):
        shape, kind, offset = self.infos[name]
        values, size = _SIZES[kind]
        start = self._data + offset
        raw = self._raw[start:start + int(np.prod(shape)) // values * size]
        return _DECODE[kind](raw).reshape(shape)
