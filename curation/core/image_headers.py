"""How large a picture claims to be, from its first bytes: before memory is spent on it."""

from __future__ import annotations

import struct
from collections.abc import Callable

Size = tuple[int, int]  # width and height; (0, 0) where the header is not to be understood

NO_SIZE = (0, 0)
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the JPEG marks that begin a frame
WIDTH, HEIGHT = 256, 257  # tags of TIFF
WHOLE = {3: "H", 4: "I", 16: "Q"}  # types of TIFF for whole numbers


def claimed_size(data: bytes) -> Size:
    """Width and height as the header of a JPEG, PNG, GIF, WebP, BMP or TIFF file states them.

    Returns:
        (0, 0) if the file is of another kind or its header is damaged.
    """
    for start, read in READERS:
        if data.startswith(start):
            try:
                return read(data)
            except struct.error:  # the header is cut short
                return NO_SIZE
    return NO_SIZE


def is_known(data: bytes) -> bool:
    """Whether the first bytes are those of a kind whose size ``claimed_size`` can tell."""
    return any(data.startswith(start) for start, _ in READERS)


def _png(data: bytes) -> Size:
    width, height = struct.unpack_from(">II", data, 16)
    return int(width), int(height)


def _gif(data: bytes) -> Size:
    width, height = struct.unpack_from("<HH", data, 6)
    return int(width), int(height)


def _jpeg(data: bytes) -> Size:
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        while data[at : at + 1] == b"\xff":  # fill bytes
            at += 1
        mark = data[at] if at < len(data) else 0xD9
        at += 1
        if mark in FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 3)
            return int(width), int(height)
        if mark in (0xD9, 0xDA):  # the end, or a scan without a frame
            break
        if mark not in (0x00, 0x01, *range(0xD0, 0xD9)):  # all others have a length
            at += max(struct.unpack_from(">H", data, at)[0], 2)
    return NO_SIZE


def _webp(data: bytes) -> Size:
    kind = data[12:16]
    if data[8:12] != b"WEBP":
        return NO_SIZE
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _bmp(data: bytes) -> Size:
    if struct.unpack_from("<I", data, 14)[0] == 12:  # the header of OS/2
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)  # a negative height: from the top


def _tiff(data: bytes) -> Size:
    order = "<" if data.startswith(b"II") else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    offset, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    at = struct.unpack_from(order + offset, data, 8 if big else 4)[0]
    n_entries = struct.unpack_from(order + count, data, at)[0]
    found = {}
    for place in range(at + struct.calcsize(count), len(data), entry)[:n_entries]:
        tag, kind = struct.unpack_from(order + "HH", data, place)
        if tag in (WIDTH, HEIGHT) and kind in WHOLE:
            found[tag] = struct.unpack_from(order + WHOLE[kind], data, place + (12 if big else 8))[0]
    return int(found.get(WIDTH, 0)), int(found.get(HEIGHT, 0))


READERS: list[tuple[bytes, Callable[[bytes], Size]]] = [
    (b"\xff\xd8", _jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"RIFF", _webp),
    (b"BM", _bmp),
    (b"GIF8", _gif),
    *((start, _tiff) for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
]
