"""Word lists in files, opened once a process, with a count of every line that falls out."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from synthgen.materials import corpus, read_lines
from synthgen.words.base import Limits
from synthgen.words.lines import MappedWords


@dataclass(frozen=True)
class Words:
    """Words with weights.

    Attributes:
        words: Shape (W,), object (str).
        edges: Cumulative weights, shape (W,), ending at 1.
        facts: Fingerprint and counts by reason, for the manifest.
    """

    words: np.ndarray
    edges: np.ndarray
    facts: dict[str, object]

    def draw(self, rng: np.random.Generator, n: int) -> list[str]:
        """Draw ``n`` words by weight."""
        at = np.searchsorted(self.edges, rng.random(n), side="right")
        drawn: list[str] = self.words[np.minimum(at, len(self.words) - 1)].tolist()
        return drawn


def weighted(path: Path, entries: Iterable[tuple[str, float]], limits: Limits) -> Words:
    """Keep the entries within ``limits`` and count the others by reason.

    Raises:
        UserError: none is left.
    """
    kept: dict[str, float] = {}
    reasons: Counter[str] = Counter()
    for word, weight in entries:
        if reason := limits.reject(word):
            reasons[reason] += 1
        else:
            kept[word] = kept.get(word, 0.0) + weight
    if not kept:
        found = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items())) or "the file is empty"
        raise UserError(
            f"word list {path.name} has no word to draw ({found}). Mend the list, or the recipe's charset."
        )
    edges = np.cumsum(np.fromiter(kept.values(), float))
    facts = {"sha256": sha256_file(path), "words": len(kept), "left_out": dict(sorted(reasons.items()))}
    return Words(np.array(list(kept), object), edges / edges[-1], facts)


def weight(text: str, power: float = 1.0) -> float:
    """Read a frequency and raise it to ``power``.

    Raises:
        ValueError: it is no number above 0, or too large or too small after that.
    """
    number = float(text)
    if number > 0:
        try:
            number **= power
        except ArithmeticError:
            number = math.inf
    if not 0 < number < math.inf:
        raise ValueError(f"{text!r} gives no weight above 0")
    return number


def frequency_list(name: str, power: float, limits: Limits) -> Words:
    """Read lines of ``word TAB frequency``; a word's weight is its frequency to the ``power``."""
    return _frequency_list(*version(corpus(name)), power, limits)


def word_list(name: str, split: bool, limits: Limits) -> MappedWords:
    """Open a file of one entry a line, all equally likely; with ``split``, every word of it is an entry."""
    return _word_list(*version(corpus(name)), split, limits)


def version(path: Path) -> tuple[Path, int]:
    """What tells a file from others and from what it was before: its full path and time of change."""
    return path.resolve(), path.stat().st_mtime_ns


@functools.lru_cache(maxsize=32)
def _frequency_list(path: Path, changed: int, power: float, limits: Limits) -> Words:

    def entries() -> Iterable[tuple[str, float]]:
        for number, line in enumerate(read_lines(path), 1):
            word, _, frequency = line.partition("\t")
            try:
                yield word.strip(), weight(frequency, power)
            except ValueError:
                raise UserError(
                    f"{path.name}, entry {number}: {line!r} is not a word, a tab and a frequency above 0. "
                    "Mend that line."
                ) from None

    return weighted(path, entries(), limits)


@functools.lru_cache(maxsize=32)
def _word_list(path: Path, changed: int, split: bool, limits: Limits) -> MappedWords:
    return MappedWords.open(path, split, limits)
