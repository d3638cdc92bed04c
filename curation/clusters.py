"""Which of several copies stays, and for which one each of the others goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from curation.evidence import SPLITS, Evidence
from curation.near import Pairs, Rows

LEVELS = ("origin", "bytes", "pixels", "certain", "probable")  # cheapest evidence first


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """A row that goes.

    Attributes:
        of: The row that stays in its stead, and that it is itself a pair with.
        level: One of ``LEVELS``: the cheapest evidence that says so.
        distance: As ``Pairs.distance``.
    """

    of: int
    level: str
    distance: float


def ranks(evidence: Evidence) -> Rows:
    """(N,) place of each row in the order in which copies stay: 0 is the last to go.

    Test words before validation words before training words; then words whose outline or place in a photo is
    known; then larger pictures; then the order of the datasets and of their rows.
    """
    placed = evidence.outlined | (evidence.origin != 0)
    area = evidence.size.astype(np.int64).prod(axis=1)
    order = np.lexsort((np.arange(len(evidence)), -area, ~placed, -evidence.split.astype(np.int8)))
    found = np.empty(len(evidence), np.int64)
    found[order] = np.arange(len(evidence))
    return found


def protected(evidence: Evidence, splits: Collection[str]) -> NDArray[np.bool_]:
    """(N,) which rows never go, because of their split."""
    return np.isin(evidence.split, [SPLITS.index(split) for split in splits])


def groups(evidence: Evidence, pixels: NDArray[np.uint64]) -> Rows:
    """(N,) the lowest row whose picture is the same, by its bytes, or by ``pixels`` where that is not 0.

    What was decoded of one file holds for all rows that have it.
    """
    none = ~evidence.sha.any(axis=1)
    group = _first_of(np.where(none, 0, evidence.sha[:, 0]), evidence.sha[:, 1])
    of_file = np.zeros_like(pixels)
    np.maximum.at(of_file, group, pixels)
    pixels = of_file[group]
    return np.where(pixels != 0, _first_of(pixels, np.zeros_like(pixels)), group)


def narrowed(group: Rows, label: NDArray[np.uint64]) -> Rows:
    """(N,) the lowest row of the same group that also has the same label."""
    return _first_of(group.astype(np.uint64) + np.uint64(1), label)


def _first_of(key: NDArray[np.uint64], more: NDArray[np.uint64]) -> Rows:
    """(N,) the lowest row of the same two numbers; a row whose ``key`` is 0 is like no other."""
    order = np.lexsort((more, key))
    new = np.ones(len(key), bool)
    k, m = key[order], more[order]
    new[1:] = (k[1:] != k[:-1]) | (m[1:] != m[:-1]) | (k[1:] == 0)
    found = np.empty(len(key), np.int64)
    found[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(key)), 0))]
    return found


@dataclass(frozen=True, kw_only=True)
class Known:
    """What rows are a pair with.

    Attributes:
        evidence: All rows.
        group: (N,) rows of one picture and label have the same number here, that of the lowest of them.
        origin: By row, those from the same place in the same photo, with their distance.
        looks: By level and group, the groups that look like it, with their distance.
    """

    evidence: Evidence
    group: Rows
    origin: Mapping[int, Sequence[tuple[int, float]]]
    looks: Mapping[str, Mapping[int, Sequence[tuple[int, float]]]]

    @classmethod
    def of(cls, evidence: Evidence, group: Rows, origin: Pairs, looks: Mapping[str, Pairs]) -> Known:
        """From pairs of rows, ``origin``, and of groups, ``looks``."""
        by_looks = {level: _neighbours(pairs) for level, pairs in looks.items()}
        return cls(evidence=evidence, group=group, origin=_neighbours(origin), looks=by_looks)

    def rows(self) -> Rows:
        """Those that are a pair with any."""
        taken = np.bincount(self.group, minlength=len(self.group))[self.group] > 1
        taken[list(self.origin)] = True
        for neighbours in self.looks.values():
            taken |= np.isin(self.group, list(neighbours))
        return np.flatnonzero(taken)

    def at(self, level: str, row: int, stays: Mapping[int, Sequence[int]]) -> list[tuple[int, float]]:
        """Rows among those that stay which ``row`` is a pair with at ``level``, with their distance.

        Of each group of identical pictures it is the best one, which ``stays`` has first.
        """
        mine = int(self.group[row])
        if level == "origin":
            return [(r, d) for r, d in self.origin.get(row, ()) if r in stays.get(int(self.group[r]), ())]
        if level == "bytes":
            sha = self.evidence.sha
            return list(islice(((r, 0.0) for r in stays.get(mine, ()) if (sha[r] == sha[row]).all()), 1))
        if level == "pixels":
            return [(r, 0.0) for r in stays.get(mine, ())[:1]]
        return [(r, d) for g, d in self.looks[level].get(mine, ()) for r in stays.get(g, ())[:1]]


def settle(
    known: Known,
    rank: Rows,
    *,
    delete: Sequence[str],
    keep: NDArray[np.bool_],
    gone: Collection[int] = (),
) -> dict[int, Copy]:
    """Say which rows go, and for which: each only for one that stays and that it is itself a pair with.

    Rows are taken in the order of ``rank``, so whether a better one stays is known. A chain A~B~C in which A
    and C are no pair does not pull C after A: once B has gone for A, C stays.

    Args:
        known: What rows are a pair with.
        rank: From ``ranks``.
        delete: The levels that count, in the order in which they are asked.
        keep: (N,) rows that stay whatever they are copies of.
        gone: Rows that have gone for another reason.
    """
    stays: dict[int, list[int]] = defaultdict(list)  # of each group, the better first
    copies: dict[int, Copy] = {}
    rows = known.rows()
    for row in rows[np.argsort(rank[rows])].tolist():
        if row in gone:
            continue
        for level in () if keep[row] else delete:
            if better := known.at(level, row, stays):
                of, distance = min(better, key=lambda item: rank[item[0]])
                copies[row] = Copy(of=of, level=level, distance=distance)
                break
        else:
            stays[int(known.group[row])].append(row)
    return copies


def _neighbours(pairs: Pairs) -> dict[int, list[tuple[int, float]]]:
    found: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for left, right, distance in zip(
        pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist(), strict=True
    ):
        found[left].append((right, distance))
        found[right].append((left, distance))
    return found
