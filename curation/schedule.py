"""Which source stands at which position: exact integer arithmetic, the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.core.rng import stream

MOST_POSITIONS = 2**31  # and this many are one too many: their products must fit in 64 bits
NEVER = np.iinfo(np.int64).max
EARLY = 2**50  # added to keys of samples that may not come yet: more than any key of one that may
Slots = NDArray[np.uint32]
Nested: TypeAlias = "int | Sequence[Nested]"


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


def interleave(counts: Sequence[int], groups: Sequence[Nested] | None = None) -> NDArray[np.uint8]:
    """Spread the sources evenly: every prefix of k positions holds k * counts[i] / T of source i, within one.

    With two sources the error is at most half a sample: a closed form. With more, sample j of a source has a
    first and a last position between which its source stays within one, and each position goes to the
    sample, among those whose first has come, whose last is nearest (earliest deadline first).

    So among any B consecutive positions, B * counts[i] / T of source i are within two, with two sources
    within one; and where B * counts[i] / T is whole for every source, that is exactly what any B hold, for
    the order then repeats itself every B positions.

    With groups, the outermost are spread like that, and then what is in each over its positions, with first
    and last counted over all positions. With two outermost groups every one of their members stays within
    one as well: there is always a sample for each position (Hall's condition holds, since the rounded half
    of the closed form is never ahead and then behind by more than its members can bear). Deeper members,
    and those of three groups or more, come as near as the earliest deadline takes them, which is within two;
    ``prefix_error`` measures it.

    Source: R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980) 323-330, proves
    that an order within one exists; S. Baruah et al., "Proportionate progress", Algorithmica 15 (1996)
    600-625, has the windows.

    Args:
        counts: Positions of each source, 0 or more; at most 256 sources.
        groups: The sources by number, those of a group in a list, which may hold further lists, such as
            ``[[0, 1], 2]``. None if there are no groups.

    Returns:
        (T,) the source number at each position, T being the sum of ``counts``.

    Raises:
        ValueError: more than 256 sources, or 2**31 positions or more.
    """
    if len(counts) > 256 or sum(counts) >= MOST_POSITIONS:
        raise ValueError(f"{sum(counts)} positions of {len(counts)} sources; at most 2**31 - 1 of 256")
    if groups is None:
        return _order(np.asarray(counts, np.int64), None, sum(counts))
    pattern = np.zeros(sum(counts), np.uint8)
    _place(pattern, groups, None, counts)
    return pattern


def prefix_error(at: NDArray[np.int64], total: int) -> Fraction:
    """Farthest that what stands at ``at``, rising, of ``total`` positions is from its part of any prefix."""
    n = len(at)
    if not n:
        return Fraction(0)
    j = np.arange(n)
    behind = at * n - j * total  # just before it comes
    ahead = (j + 1) * total - (at + 1) * n
    return Fraction(int(max(behind.max(), ahead.max())), total)


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


def _order(counts: NDArray[np.int64], slots: Slots | None, total: int) -> NDArray[np.uint8]:
    """Which of ``counts`` comes at each of the positions ``slots`` of ``total``, None for all of them."""
    used = np.flatnonzero(counts).astype(np.uint8)
    counts = counts[used]
    if len(used) < 2:
        return np.repeat(used, counts)
    if slots is None and len(used) == 2:
        return used[_two(*counts.tolist())]
    return used[_Stretches(counts, slots, total).run()]


def _place(
    pattern: NDArray[np.uint8], members: Sequence[Nested], slots: Slots | None, counts: Sequence[int]
) -> None:
    """Fill the positions ``slots`` of ``pattern`` with the sources among ``members``."""
    each = np.array([sum(counts[i] for i in leaves(member)) for member in members], np.int64)
    order = _order(each, slots, len(pattern))
    for i, member in enumerate(members):
        own = np.flatnonzero(order == i).astype(np.uint32)
        own = own if slots is None else slots[own]
        if isinstance(member, int):
            pattern[own] = member
        else:
            _place(pattern, member, own, counts)


def leaves(member: Nested) -> list[int]:
    """The numbers of the sources in a group, or that of a single source."""
    return [member] if isinstance(member, int) else [i for inner in member for i in leaves(inner)]


class _Stretches:
    """Earliest deadline first, on stretches of positions side by side.

    The rule is sequential. To run it on arrays, the positions are cut into stretches that advance side by
    side, each from a guessed state; stretches whose guess differs from where the one before ended are run
    again until they meet their former run, and so on until all join. So the result is the sequential one,
    whatever the guesses.

    Arrays have shape (n, S) for n sources and S stretches, and count samples or positions. What is compared
    are keys: a position times 256, plus the number of the source, so that the least one says which it is.
    """

    def __init__(self, counts: NDArray[np.int64], slots: Slots | None, total: int) -> None:
        self.counts, self.total, self.slots = counts, total, slots
        self.n_slots = int(counts.sum())
        self.length = min(self.n_slots, max(32, math.isqrt(len(counts) * self.n_slots) // 2))
        self.starts = np.arange(0, self.n_slots, self.length)
        self.pattern = np.empty((self.length, len(self.starts)), np.uint8)

    def run(self) -> NDArray[np.uint8]:
        begin = self._guess()
        end = begin.copy()
        stale, before = np.arange(len(self.starts)), None
        while len(stale):
            self._advance(stale, begin, end, before)
            stale = 1 + np.flatnonzero((begin[:, 1:] != end[:, :-1]).any(axis=0))
            before = begin[:, stale]
            begin[:, stale] = end[:, stale - 1]
        return self.pattern.T.reshape(-1)[: self.n_slots]

    def _positions(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The positions, from 0, of slots; those past the last one, which fill up a stretch, are its."""
        indices = np.minimum(indices, self.n_slots - 1)
        return indices if self.slots is None else self.slots[indices].astype(np.int64)

    def _guess(self) -> NDArray[np.int64]:
        """Samples placed before each stretch: all that are due, and of those begun the most urgent."""
        due, rest = np.divmod(self._positions(self.starts) * self.counts[:, None], self.total)
        last = np.where(rest, self._last(due, self.counts[:, None]), NEVER)
        rank = last.argsort(axis=0, kind="stable").argsort(axis=0)
        guess: NDArray[np.int64] = due + (rank < self.starts - due.sum(axis=0))
        return guess

    def _advance(
        self,
        stretches: NDArray[np.int64],
        begin: NDArray[np.int64],
        end: NDArray[np.int64],
        before: NDArray[np.int64] | None,
    ) -> None:
        """Run ``stretches`` from the counts ``begin`` and note those at their ends in ``end``.

        Stretches that have run, from the counts ``before``, stop where they meet that run.
        """
        lanes = _Lanes(self.counts, self.total, begin[:, stretches])
        apart = None if before is None else begin[:, stretches] - before
        for step in range(self.length):
            chosen = lanes.step(self._positions(self.starts[stretches] + step))
            if apart is not None:
                here = np.arange(len(stretches))
                apart[self.pattern[step, stretches], here] -= 1
                apart[chosen, here] += 1
            self.pattern[step, stretches] = chosen
            if apart is not None and step % 16 == 15 and not (go_on := apart.any(axis=0)).all():
                stretches, apart = stretches[go_on], apart[:, go_on]
                lanes = _Lanes(self.counts, self.total, lanes.placed()[:, go_on])
                if not len(stretches):
                    return
        end[:, stretches] = lanes.placed()

    def _last(self, j: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        return -(-(j + 1) * self.total // counts)


class _Lanes:
    """The state of stretches under way.

    Sample ``j``, from 0, of a source with n samples has the first position j * T // n + 1, from 1, before
    which its source would be a whole sample ahead, and the last position ceil((j + 1) * T / n), after which
    it would be a whole one behind.
    """

    def __init__(self, counts: NDArray[np.int64], total: int, placed: NDArray[np.int64]) -> None:
        self.counts, self.total, self.n_lanes = counts, total, placed.shape[1]
        self.lanes = np.arange(self.n_lanes)
        n, number = counts[:, None], np.arange(len(counts))[:, None]
        placed = np.array(placed, order="C")  # what is flat below must be the same memory
        self.next = placed.reshape(-1)
        self.late = EARLY + ((placed * total // n + 1) << 8) + number  # by when it may come
        self.ready = ((-(-(placed + 1) * total // n)) << 8) + number  # by when it must have come
        self.flat_late, self.flat_ready = self.late.reshape(-1), self.ready.reshape(-1)

    def placed(self) -> NDArray[np.int64]:
        return self.next.reshape(len(self.counts), self.n_lanes)

    def step(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Choose a source for the position, from 0, of each lane."""
        may_come = self.late < (EARLY + ((positions + 2) << 8))
        best = np.where(may_come, self.ready, self.late).min(axis=0)  # if none may, the first that will
        chosen = best & 255
        at = chosen * self.n_lanes + self.lanes
        j, n = self.next[at] + 1, self.counts[chosen]
        self.next[at] = j
        whole, rest = np.divmod((j + 1) * self.total, n)
        self.flat_ready[at] = ((whole + (rest > 0)) << 8) + chosen
        self.flat_late[at] = EARLY + ((j * self.total // n + 1) << 8) + chosen
        return chosen
