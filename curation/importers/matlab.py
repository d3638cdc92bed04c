"""Checking a Matlab file before SciPy reads it, which trusts lengths: a wrong one can kill the process."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import TypeAlias

Element: TypeAlias = tuple[int, memoryview]

# Sources: MathWorks, MAT-File Level 5 File Format; the numbers are its own.
VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
INT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 5, 6, 14, 15
TEXTS = {1, 2, 4, 16, 17, 18}  # kinds of values that a text may be made of
CELL, STRUCT, CHAR, NUMBERS = 1, 2, 4, range(6, 16)
COMPLEX = 0x0800
HEADER_BYTES = 128
MOST_BYTES = 2**28  # of one variable, unpacked
DEEPEST = 16  # cells within cells


def check(data: bytes) -> None:
    """Go through a Matlab 5 file, in which all lengths must agree.

    Raises:
        ValueError: they do not, or it holds more than cells, structures, texts and numbers.
        zlib.error: a packed variable is damaged.
    """
    order = {b"IM": "<", b"MI": ">"}.get(data[126:HEADER_BYTES])
    if order is None or data[124:126] != struct.pack(f"{order}H", 0x0100):
        raise ValueError("no header of a Matlab 5 file")
    for kind, content in _elements(memoryview(data)[HEADER_BYTES:], order):
        if kind == COMPRESSED:
            packed = zlib.decompressobj()
            unpacked = packed.decompress(content, MOST_BYTES)
            if not packed.eof:
                raise ValueError("a variable is cut short, or too large")
            ((kind, content),) = _elements(memoryview(unpacked), order)
        _matrix(kind, content, order, 0)


def _elements(data: memoryview, order: str) -> Iterator[Element]:
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise ValueError("an element is cut short")
        first, n_bytes = struct.unpack(f"{order}II", data[at : at + 8])
        if first >> 16:  # up to four bytes lie within the tag
            kind, n_bytes, start, after = first & 0xFFFF, first >> 16, at + 4, at + 8
            if n_bytes > 4:
                raise ValueError("a short element is too long")
        else:
            kind, start = first, at + 8
            after = start + n_bytes + (0 if kind == COMPRESSED else -n_bytes % 8)
        if start + n_bytes > len(data):
            raise ValueError("an element is cut short")
        yield kind, data[start : start + n_bytes]
        at = after


def _matrix(kind: int, data: memoryview, order: str, depth: int) -> None:
    if kind != MATRIX or depth > DEEPEST:
        raise ValueError("something else than a matrix, or too many within each other")
    if not data:
        return
    (flags_kind, flags), (sizes_kind, sizes), (name_kind, _), *parts = _elements(data, order)
    if (flags_kind, sizes_kind, name_kind) != (UINT32, INT32, INT8) or len(flags) != 8:
        raise ValueError("a matrix without its head")
    (marks,) = struct.unpack(f"{order}I", flags[:4])
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    n_values = math.prod(shape)
    if len(shape) < 2 or len(shape) > 32 or min(shape) < 0 or n_values > MOST_BYTES:
        raise ValueError("a matrix of impossible size")
    matrix_class = marks & 0xFF
    if matrix_class in (CELL, STRUCT):
        if matrix_class == STRUCT:
            n_values *= _n_fields(parts[:2], order)
            parts = parts[2:]
        if len(parts) != n_values:
            raise ValueError("a matrix of another number of values than it states")
        for part in parts:
            _matrix(*part, order, depth + 1)
    else:
        _check_values(matrix_class, parts, n_values, bool(marks & COMPLEX))


def _n_fields(parts: list[Element], order: str) -> int:
    (length_kind, length), (names_kind, names) = parts
    if length_kind != INT32 or len(length) != 4 or names_kind != INT8:
        raise ValueError("a structure without names")
    (name_bytes,) = struct.unpack(f"{order}i", length)
    if not 0 < name_bytes <= 64 or len(names) % name_bytes:
        raise ValueError("a structure with odd names")
    return len(names) // name_bytes


def _check_values(matrix_class: int, parts: list[Element], n_values: int, is_complex: bool) -> None:
    if matrix_class != CHAR and matrix_class not in NUMBERS:
        raise ValueError(f"a matrix of class {matrix_class}")
    if len(parts) != 1 + is_complex or (is_complex and matrix_class == CHAR):
        raise ValueError("a matrix with too few or too many parts")
    for kind, values in parts:
        if kind not in (TEXTS if matrix_class == CHAR else VALUE_BYTES.keys() - {16, 17, 18}):
            raise ValueError("values of the wrong kind")
        n_found, rest = divmod(len(values), VALUE_BYTES[kind])
        several = kind == 16 and n_found > n_values  # UTF-8 has up to four bytes for a character
        if rest or (n_found != n_values and not several):
            raise ValueError("a matrix of another number of values than it states")
