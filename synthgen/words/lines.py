"""Word lists of any size: the file stays on disk, mapped into memory; only where its words stand is kept."""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from curation.core.errors import UserError
from synthgen.materials import content_sha256
from synthgen.words.base import Limits

CHUNK = 1 << 18  # bytes scanned at a time; a scan holds about 50 times as much
BOM = b"\xef\xbb\xbf"
MOST_BYTES = (1 << 16) - 1  # of an entry: what its size can be stored as
POINTS = 0x110000  # Unicode's code points


@dataclass(frozen=True)
class MappedWords:
    """The words of a file that are within some limits.

    Attributes:
        path: The file.
        starts: Where each word begins, in bytes from the start of the file, shape (W,) uint32 or int64.
        sizes: Its length in bytes, shape (W,) uint8 or uint16.
        left_out: How many entries fell out, by reason.
        data: The file.
    """

    path: Path
    starts: np.ndarray
    sizes: np.ndarray
    left_out: dict[str, int]
    data: mmap.mmap

    @classmethod
    def open(cls, path: Path, split: bool, limits: Limits) -> MappedWords:
        """Scan the file at ``path`` once; 10 million words took 2 s and keep 5 bytes each in memory.

        An entry is a line without the white space around it, or, with ``split``, each word of a line.
        Blank lines are no entries.

        Raises:
            UserError: the file is not UTF-8, or no word is left.
        """
        wide = path.stat().st_size >= 1 << 32
        long = 4 * limits.max_length > 255  # a character takes 4 bytes at most
        starts, sizes = [], []
        left_out: Counter[str] = Counter()
        scan = _Scan(path, split, limits)
        for first, size in scan.chunks(left_out):
            starts.append(first.astype(np.int64 if wide else np.uint32))
            sizes.append(size.astype(np.uint16 if long else np.uint8))
        reasons = dict(sorted(left_out.items()))
        if not sum(map(len, starts)):
            found = ", ".join(f"{n} {reason}" for reason, n in reasons.items()) or "the file is empty"
            raise UserError(
                f"word list {path.name} has no word to draw ({found}). "
                "Mend the list, or the recipe's charset."
            )
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return cls(path, np.concatenate(starts), np.concatenate(sizes), reasons, data)

    def draw(self, rng: np.random.Generator, n: int) -> list[str]:
        """Draw ``n`` words, each entry as likely."""
        at = np.minimum((rng.random(n) * len(self.starts)).astype(np.int64), len(self.starts) - 1)
        firsts, sizes = self.starts[at].tolist(), self.sizes[at].tolist()
        return [self.data[first : first + size].decode() for first, size in zip(firsts, sizes, strict=True)]

    def facts(self) -> dict[str, Any]:
        """Fingerprint and counts, for the manifest."""
        return {"sha256": content_sha256(self.path), "words": len(self.starts), "left_out": self.left_out}


class _Scan:
    """Finds the entries of a file by array operations on its code points."""

    def __init__(self, path: Path, split: bool, limits: Limits) -> None:
        spaces = [point for point in range(0x3001) if chr(point).isspace()]
        allowed = [ord(c) for c in limits.charset]
        self.path, self.split, self.longest = path, split, limits.max_length
        self.spaced = limits.spaced and not split
        self.space = np.zeros(POINTS, bool)
        self.space[spaces] = True
        self.foreign = np.ones(POINTS, bool)
        self.foreign[allowed] = False

    def chunks(self, left_out: Counter[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """First bytes and sizes of the entries within the limits, chunk by chunk; counts the others."""
        with self.path.open("rb") as file:
            offset = len(BOM) if file.read(len(BOM)) == BOM else 0
            file.seek(offset)
            line = 1
            for chunk in _whole_lines(file):
                yield self._entries(self._decode(chunk, line), offset, left_out)
                offset += len(chunk)
                line += chunk.count(b"\n")

    def _decode(self, chunk: bytes, line: int) -> str:
        try:
            return chunk.decode()
        except UnicodeDecodeError as error:
            line += chunk.count(b"\n", 0, error.start)
            raise UserError(
                f"word list {self.path.name}, line {line:,} is not UTF-8 text ({error.reason}). "
                "Convert the file."
            ) from None

    def _entries(self, text: str, offset: int, left_out: Counter[str]) -> tuple[np.ndarray, np.ndarray]:
        points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        space = self.space[points]
        ends = np.flatnonzero(space if self.split else points == ord("\n"))
        ends = np.append(ends, len(points))
        inked = np.append(np.flatnonzero(~space), len(points))
        low = np.searchsorted(inked[:-1], np.concatenate(([0], ends[:-1])))  # trims white space at both ends
        high = np.searchsorted(inked[:-1], ends)
        there = high > low
        first, last = inked[low[there]], inked[high[there] - 1] + 1
        foreign = np.concatenate(([0], np.cumsum(self.foreign[points], dtype=np.int32)))
        too_long = last - first > self.longest
        unsupported = ~too_long & (foreign[last] > foreign[first])
        fits = ~too_long & ~unsupported
        stray = fits & self._has_stray_space(points, first, last) if self.spaced else np.zeros_like(fits)
        fits &= ~stray
        for reason, which in (
            ("too_long", too_long),
            ("unsupported_character", unsupported),
            ("stray_space", stray),
        ):
            if found := int(which.sum()):
                left_out[reason] += found
        first, last = first[fits], last[fits]
        if not text.isascii():
            widths = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
            at = np.concatenate(([0], np.cumsum(widths)))
            first, last = at[first], at[last]
        sizes = last - first
        if self.longest > MOST_BYTES // 4 and (long := sizes > MOST_BYTES).any():
            left_out["too_long"] += int(long.sum())
            first, sizes = first[~long], sizes[~long]
        return first + offset, sizes

    def _has_stray_space(self, points: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Which entries hold white space twice in a row, or other than the plain space."""
        space = self.space[points]
        stray = space & (points != ord(" "))
        stray[1:] |= space[1:] & space[:-1]
        before = np.concatenate(([0], np.cumsum(stray, dtype=np.int32)))
        return before[last] > before[first]


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """The rest of ``file`` in pieces that end with a line, of ``CHUNK`` bytes unless a line is longer."""
    rest: list[bytes] = []
    while chunk := file.read(CHUNK):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield b"".join([*rest, chunk[:cut]])
            rest = []
        rest.append(chunk[cut:])
    if tail := b"".join(rest):
        yield tail
