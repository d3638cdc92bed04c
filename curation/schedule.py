"""Which source stands at which position: exact integer arithmetic, the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from curation.core.rng import stream

MOST_POSITIONS = 2**31  # and this many are one too many: their products must fit in 64 bits
NEVER = np.iinfo(np.int64).max


def largest_remainder(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Split ``total`` in proportion to ``shares``: all are rounded down, the largest remainders get the rest.

    Every result is within one of its exact quota. Equal remainders are served in the order of ``shares``.

    Raises:
        ValueError: a share is negative, or none is above 0.
    """
    whole = sum(shares)
    if min(shares) < 0 or not whole:
        raise ValueError(f"shares must be 0 or more and not all 0, got {', '.join(map(str, shares))}")
    quotas = [total * share / whole for share in shares]
    counts = [math.floor(quota) for quota in quotas]
    by_remainder = sorted(range(len(shares)), key=lambda i: (counts[i] - quotas[i], i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def interleave(counts: Sequence[int]) -> NDArray[np.uint8]:
    """Spread the sources evenly: every prefix of k positions holds k * counts[i] / T of source i, within one.

    With two sources the error is at most half a sample: a closed form. With more, sample j of a source has a
    first and a last position between which its source stays within one, and each position goes to the
    sample, among those whose first has come, whose last is nearest (earliest deadline first).

    That rule is sequential. To run it on arrays, the positions are cut into about sqrt(T) stretches that
    advance side by side, each from a guessed state; stretches whose guess differs from where the one before
    ended are run again, until all join. So the result is the sequential one, whatever the guesses.

    Source: R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980) 323-330, proves
    that an order within one exists; S. Baruah et al., "Proportionate progress", Algorithmica 15 (1996)
    600-625, has the windows.

    Args:
        counts: Positions of each source, 0 or more; at most 256 sources.

    Returns:
        (T,) the source number at each position, T being the sum of ``counts``.

    Raises:
        ValueError: more than 256 sources, or 2**31 positions or more.
    """
    if len(counts) > 256 or sum(counts) >= MOST_POSITIONS:
        raise ValueError(f"{sum(counts)} positions of {len(counts)} sources; at most 2**31 - 1 of 256")
    used = np.flatnonzero(counts).astype(np.uint8)
    totals = np.asarray(counts, np.int64)[used]
    if len(used) < 2:
        return np.repeat(used, totals)
    return used[_two(*totals.tolist()) if len(used) == 2 else _Stretches(totals).run()]


def pass_order(seed: int, source: str, number: int, lap: int, n: int) -> NDArray[np.int64]:
    """The order of ``n`` words of a source in pass ``number`` over the mixture and lap ``lap`` within it.

    The first lap of the first pass takes them as they are chosen, in the order of their hashes.
    """
    if number == lap == 0:
        return np.arange(n)
    raw = stream(seed, "mix", "pass", source, number, lap).bit_generator.random_raw(n)
    return np.argsort(np.asarray(raw, np.uint64), kind="stable")


def _two(first: int, second: int) -> NDArray[np.uint8]:
    """After k positions the first source has had k * first / T, rounded to the nearest."""
    total = first + second
    had = (2 * first * np.arange(total + 1) + total) // (2 * total)
    pattern: NDArray[np.uint8] = (np.diff(had) == 0).astype(np.uint8)
    return pattern


class _Stretches:
    """Earliest deadline first, on stretches of positions side by side.

    Arrays have shape (n, S) for n sources and S stretches, and count samples or positions.
    """

    def __init__(self, counts: NDArray[np.int64]) -> None:
        self.counts, self.total = counts, int(counts.sum())
        self.length = min(self.total, max(32, math.isqrt(self.total)))
        self.starts = np.arange(0, self.total, self.length)
        self.pattern = np.empty((len(self.starts), self.length), np.uint8)

    def run(self) -> NDArray[np.uint8]:
        begin = self._guess()
        end = np.empty_like(begin)
        stale = np.arange(len(self.starts))
        while len(stale):
            end[:, stale] = self._advance(stale, begin[:, stale])
            stale = 1 + np.flatnonzero((begin[:, 1:] != end[:, :-1]).any(axis=0))
            begin[:, stale] = end[:, stale - 1]
        return self.pattern.reshape(-1)[: self.total]

    def _guess(self) -> NDArray[np.int64]:
        """Samples placed before each stretch: all that are due, and of those begun the most urgent."""
        due, rest = np.divmod(self.starts * self.counts[:, None], self.total)
        last = np.where(rest, self._window(due, self.counts[:, None])[1], NEVER)
        rank = last.argsort(axis=0, kind="stable").argsort(axis=0)
        guess: NDArray[np.int64] = due + (rank < self.starts - due.sum(axis=0))
        return guess

    def _advance(self, stretches: NDArray[np.int64], begin: NDArray[np.int64]) -> NDArray[np.int64]:
        """Run the stretches from the counts ``begin`` to their ends; return the counts there."""
        placed, lanes = begin.copy(), np.arange(len(stretches))
        first, last = self._window(placed, self.counts[:, None])
        for step in range(self.length):
            position = self.starts[stretches] + step + 1
            chosen = np.where(first <= position, last, NEVER).argmin(axis=0)
            self.pattern[stretches, step] = chosen
            at = chosen, lanes
            placed[at] += 1
            first[at], last[at] = self._window(placed[at], self.counts[chosen])
        return placed

    def _window(self, j: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """First and last position, from 1, of sample ``j``, from 0, of a source with ``counts`` samples.

        Before the first its source would be a whole sample ahead, after the last a whole one behind.
        """
        return j * self.total // counts + 1, -(-(j + 1) * self.total // counts)
