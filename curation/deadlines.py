"""Earliest deadline first: which source comes at each of many positions, on whole arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
EARLY = 2**50  # added to keys of samples that may not come yet: more than any key of one that may
Slots = NDArray[np.uint32]
Nested: TypeAlias = "int | Sequence[Nested]"


def leaves(member: Nested) -> list[int]:
    """The numbers of the sources in a group, or that of a single source."""
    return [member] if isinstance(member, int) else [i for inner in member for i in leaves(inner)]


@dataclass(frozen=True)
class Tree:
    """Sources and the groups that they are in, from the innermost groups to the outermost.

    Attributes:
        counts: (n,) samples of each source, those of a group beside each other.
        starts: For each level of groups, where each group's part of the level before begins.
        groups: For each level, (n,) the group of each source.
        sums: For each level, samples of each group.
    """

    counts: NDArray[np.int64]
    starts: list[NDArray[np.int64]]
    groups: list[NDArray[np.int64]]
    sums: list[NDArray[np.int64]]

    @classmethod
    def of(cls, members: Sequence[Nested], counts: Sequence[int]) -> Tree:
        """The tree of ``members``, each source of which has at least one sample in ``counts``."""
        paths = list(_paths(members))
        depth = max(map(len, paths))
        padded = [path + path[-1:] * (depth - len(path)) for path in paths]
        samples = np.array([counts[i] for i in leaves(list(members))], np.int64)
        tree = cls(samples, [], [], [])
        before = np.arange(len(paths))
        for level in range(depth - 1, 0, -1):
            new = [i == 0 or padded[i][:level] != padded[i - 1][:level] for i in range(len(paths))]
            groups = np.cumsum(new) - 1
            tree.starts.append(before[np.flatnonzero(new)])
            tree.groups.append(groups)
            tree.sums.append(np.bincount(groups, samples).astype(np.int64))
            before = groups
        return tree


def _paths(members: Sequence[Nested], outer: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Of each source its place among the outermost members, in that one, and so on."""
    for i, member in enumerate(members):
        if isinstance(member, int):
            yield (*outer, i)
        else:
            yield from _paths(member, (*outer, i))


class Stretches:
    """Earliest deadline first, on stretches of positions side by side.

    The rule is sequential. To run it on arrays, the positions are cut into stretches that advance side by
    side, each from a guessed state; stretches whose guess differs from where the one before ended are run
    again until they meet their former run, and so on until all join. So the result is the sequential one,
    whatever the guesses.

    Arrays have shape (n, S) for n sources and S stretches, and count samples or positions. What is compared
    are keys: a position times 256, plus the number of the source, so that the least one says which it is.
    """

    def __init__(self, tree: Tree, slots: Slots | None, total: int) -> None:
        self.tree, self.total, self.slots, counts = tree, total, slots, tree.counts
        self.n_slots = int(counts.sum())
        self.length = min(self.n_slots, max(32, math.isqrt(len(counts) * self.n_slots) // 2))
        self.starts = np.arange(0, self.n_slots, self.length)
        self.pattern = np.empty((self.length, len(self.starts)), np.uint8)

    def run(self) -> NDArray[np.uint8]:
        """The number of the source, in the order of the tree, at each slot."""
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
        counts = self.tree.counts[:, None]
        due, rest = np.divmod(self._positions(self.starts) * counts, self.total)
        last = np.where(rest, -(-(due + 1) * self.total // counts), NEVER)
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
        lanes = _Lanes(self.tree, self.total, begin[:, stretches])
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
                lanes = _Lanes(self.tree, self.total, lanes.placed()[:, go_on])
                if not len(stretches):
                    return
        end[:, stretches] = lanes.placed()


class _Windows:
    """First and last positions, from 1, of the next sample of each source or group, on each stretch.

    Sample ``j``, from 0, of one with n samples has the first position j * T // n + 1, before which it would
    be a whole sample ahead, and the last position ceil((j + 1) * T / n), after which it would be a whole one
    behind.
    """

    def __init__(self, counts: NDArray[np.int64], total: int, placed: NDArray[np.int64]) -> None:
        self.counts, self.total, self.n_lanes = counts, total, placed.shape[1]
        self.placed = np.array(placed, order="C")  # what is flat below must be the same memory
        n = counts[:, None]
        self.late = EARLY + ((self.placed * total // n + 1) << 8)  # keys while it may not come
        self.ready = -(-(self.placed + 1) * total // n) << 8  # keys once it may
        self.flat = self.placed.reshape(-1), self.late.reshape(-1), self.ready.reshape(-1)

    def keys(self, bound: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(self.late < bound, self.ready, self.late)

    def place(self, which: NDArray[np.int64], lanes: NDArray[np.int64], tag: NDArray[np.int64] | int) -> None:
        """Go on to the next sample of ``which``, one on each lane; ``tag`` is added to its keys."""
        placed, late, ready = self.flat
        at = which * self.n_lanes + lanes
        j, n = placed[at] + 1, self.counts[which]
        placed[at] = j
        whole, rest = np.divmod((j + 1) * self.total, n)
        ready[at] = ((whole + (rest > 0)) << 8) + tag
        late[at] = EARLY + ((j * self.total // n + 1) << 8) + tag


class _Lanes:
    """The state of stretches under way."""

    def __init__(self, tree: Tree, total: int, placed: NDArray[np.int64]) -> None:
        self.tree, self.lanes = tree, np.arange(placed.shape[1])
        self.sources = _Windows(tree.counts, total, placed)
        numbers = np.arange(len(tree.counts))[:, None]
        self.sources.late += numbers
        self.sources.ready += numbers
        self.levels = []
        for starts, sums in zip(tree.starts, tree.sums, strict=True):
            placed = np.add.reduceat(placed, starts, axis=0)
            self.levels.append(_Windows(sums, total, placed))

    def placed(self) -> NDArray[np.int64]:
        return self.sources.placed

    def step(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Choose a source for the position, from 0, of each lane."""
        bound = EARLY + ((positions + 2) << 8)
        keys = self.sources.keys(bound)
        for level, starts in zip(self.levels, self.tree.starts, strict=True):
            best, own = np.minimum.reduceat(keys, starts, axis=0), level.keys(bound)
            last = np.maximum(best, own)
            keys = np.where(last < EARLY, np.minimum(best, own), last) & ~255 | best & 255
        chosen = keys.min(axis=0) & 255
        self.sources.place(chosen, self.lanes, chosen)
        for level, groups in zip(self.levels, self.tree.groups, strict=True):
            level.place(groups[chosen], self.lanes, 0)
        return chosen
