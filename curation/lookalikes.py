"""Finding copies by their looks among words of one label: near hashes say who may be one, looking who is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.agreement import align, compare
from curation.bursts import linked
from curation.core.pool import run_tasks
from curation.crop_hashes import Limits, Side, candidates, once, within
from curation.evidence import Evidence
from curation.near import Pairs, Rows, joined
from curation.sketches import Sketches, forget, sketch

ALIGNED = 250  # pairs laid over each other at once
TASK = 20_000  # pairs that a worker process looks at
Shares = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How thoroughly copies are looked for among the words of one label.

    Attributes:
        most_bits: Bits of 128 by which a word's hash may differ from that of another's crop, for the two
            to be looked at.
        neighbours: Of a label with hundreds of words, how many of the nearest each is looked at beside.
        most_stretch: How many times one's width over height may be the other's.
        least_grey: Agreement of the aligned grey sketches, 0-1, from which colours are compared.
    """

    most_bits: int = 28
    neighbours: int = 5
    most_stretch: float = 1.45
    least_grey: float = 0.85

    def __post_init__(self) -> None:
        if not 0 <= self.most_bits <= 128:
            raise ValueError(f"most_bits must be from 0 to 128, got {self.most_bits}")
        if self.neighbours < 1:
            raise ValueError(f"neighbours must be 1 or more, got {self.neighbours}")
        if self.most_stretch < 1:
            raise ValueError(f"most_stretch must be 1 or more, got {self.most_stretch}")
        if not 0 <= self.least_grey <= 1:
            raise ValueError(f"least_grey must be from 0 to 1, got {self.least_grey}")


def lookalikes(
    evidence: Evidence,
    other: Evidence | None = None,
    *,
    folder: Path,
    look: Look | None = None,
    least: float = 0.93,
    rows: NDArray[np.bool_] | None = None,
    rows_right: NDArray[np.bool_] | None = None,
    certain: float = 0.97,
    rank: Rows | None = None,
    jobs: int = 1,
) -> Pairs:
    """Find the pairs of one normalised label whose pictures agree; ``distance`` is 1 less their agreement.

    Two encodings, sizes or crops of one picture nearly always agree by 0.97 and more, other photos of the
    word rarely do. Within one evidence, rows that a chain of ``certain`` pairs links are looked at beside
    more than their nearest ones (``curation.bursts``).

    Args:
        evidence: Where the left rows come from.
        other: Where the right ones come from; None for pairs within ``evidence``, the lower row on the left.
        folder: For sketches: 768 bytes a word that shares its label with another, 7 kB a likely copy.
        look: How thoroughly; None for ``Look()``.
        least: Agreement from which a pair is told, 0-1.
        rows: (N,) which rows of ``evidence`` take part; None for all.
        rows_right: Likewise of ``other``.
        certain: Agreement from which a pair is a link of a chain.
        rank: (N,) order in which copies stay; None for that of the rows.
        jobs: Worker processes.

    Returns:
        All of them, by rising left and right row.
    """
    look = look or Look()
    left = _side(evidence, _participants(evidence, rows, other, rows_right), folder / "left", jobs)
    right = None
    if other is not None:
        right = _side(other, _participants(other, rows_right, evidence, rows), folder / "right", jobs)
    limits = Limits(most_bits=look.most_bits, neighbours=look.neighbours, most_stretch=look.most_stretch)
    looked_at = candidates(left, right, limits, jobs=jobs)
    pairs, moves = _aligned(looked_at, left, right or left, look.least_grey, jobs)
    fine = _fine(pairs, left, right, folder, jobs)
    found = _agreeing(pairs, _compared(pairs, moves, fine, jobs), least)
    if right is not None:
        return found
    parts = [found]
    order = np.arange(len(evidence)) if rank is None else rank
    for more in linked(found.select(found.distance <= np.float32(1 - certain)), looked_at, order):
        pairs, moves = _aligned(within(left, left, more, limits), left, left, look.least_grey, jobs)
        parts.append(_agreeing(pairs, _compared(pairs, moves, fine, jobs), least))
    return once(joined(parts))


def agreements(
    evidence: Evidence, pairs: Pairs, other: Evidence | None = None, *, folder: Path, jobs: int = 1
) -> Shares:
    """Lay the pictures of given pairs over each other, whatever their labels.

    Args:
        evidence: Where the left rows come from.
        pairs: As the finders of ``curation.near`` yield them.
        other: Where the right ones come from; None for pairs within ``evidence``.
        folder: For sketches.
        jobs: Worker processes.

    Returns:
        (N,) how well each pair agrees, 0-1; 0 where a picture cannot be read.
    """
    if other is None:
        left = right = _side(evidence, np.union1d(pairs.left, pairs.right), folder / "left", jobs)
    else:
        left = _side(evidence, np.unique(pairs.left), folder / "left", jobs)
        right = _side(other, np.unique(pairs.right), folder / "right", jobs)
    sides = (left, pairs.left), (right, pairs.right)
    seen = [side.sketches.sizes[side.sketches.places(rows), 0] > 0 for side, rows in sides]
    readable = np.flatnonzero(seen[0] & seen[1])
    chosen, moves = _aligned(pairs.select(readable), left, right, -np.inf, jobs)
    agree = np.zeros(len(pairs), np.float32)
    fine = _fine(chosen, left, None if other is None else right, folder, jobs)
    agree[readable] = _compared(chosen, moves, fine, jobs)
    return agree.clip(0, 1)


def _participants(
    evidence: Evidence, rows: Mask | None, other: Evidence | None, rows_other: Mask | None
) -> NDArray[np.int64]:
    """The rows of ``evidence`` that share their label with another one, or with one of ``other``."""
    taken = _taken(evidence, rows)
    if other is None:
        labels, counts = np.unique(evidence.label[taken], return_counts=True)
        shared = labels[counts > 1]
    else:
        shared = np.unique(other.label[_taken(other, rows_other)])
    return taken[np.isin(evidence.label[taken], shared)]


def _taken(evidence: Evidence, rows: Mask | None) -> NDArray[np.int64]:
    known = evidence.label != 0
    return np.flatnonzero(known if rows is None else known & rows)


def _side(evidence: Evidence, rows: NDArray[np.int64], file: Path, jobs: int) -> Side:
    return Side(evidence=evidence, sketches=sketch(evidence, rows, "coarse", file, jobs=jobs))


def _aligned(pairs: Pairs, left: Side, right: Side, least: float, jobs: int) -> tuple[Pairs, Shares]:
    """The pairs whose sketches agree by ``least`` once aligned, and how the left one must be moved."""
    places = left.sketches.places(pairs.left), right.sketches.places(pairs.right)
    moves, grey = np.zeros((len(pairs), 4), np.float32), np.zeros(len(pairs), np.float32)
    tasks = [
        (at, left.sketches, right.sketches, *(p[at : at + TASK] for p in places))
        for at in range(0, len(pairs), TASK)
    ]
    for at, moved, agree in _run(_align_some, tasks, len(pairs), "align pairs", jobs):
        moves[at : at + len(agree)], grey[at : at + len(agree)] = moved, agree
    keep = grey >= least
    return pairs.select(keep), moves[keep]


def _fine(pairs: Pairs, left: Side, right: Side | None, folder: Path, jobs: int) -> list[Sketches]:
    """Sketches in colour of the rows of ``pairs``: of both sides, or of each."""
    sides = (
        [(left, [pairs.left, pairs.right])]
        if right is None
        else [(left, [pairs.left]), (right, [pairs.right])]
    )
    return [
        sketch(side.evidence, np.unique(np.concatenate(rows)), "fine", folder / f"fine-{i}", jobs=jobs)
        for i, (side, rows) in enumerate(sides)
    ]


def _agreeing(pairs: Pairs, agree: Shares, least: float) -> Pairs:
    return Pairs(pairs.left, pairs.right, 1 - agree).select(agree >= least)


def _compared(pairs: Pairs, moves: Shares, fine: Sequence[Sketches], jobs: int) -> Shares:
    """How well the pairs agree in colour."""
    places = fine[0].places(pairs.left), fine[-1].places(pairs.right)
    agree = np.zeros(len(pairs), np.float32)
    tasks = [
        (at, fine[0], fine[-1], *(p[at : at + TASK] for p in places), moves[at : at + TASK])
        for at in range(0, len(pairs), TASK)
    ]
    for at, found in _run(_compare_some, tasks, len(pairs), "compare pairs", jobs):
        agree[at : at + len(found)] = found
    return agree


def _run(work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], total: int, what: str, jobs: int) -> Any:
    return run_tasks(work, tasks, jobs=jobs, total=total, unit=" pairs", what=what)


def _align_some(
    at: int, left: Sketches, right: Sketches, places: Rows, places_right: Rows, tick: Callable[[int], object]
) -> tuple[int, Shares, Shares]:
    moves, agree = [], []
    for start in range(0, len(places), ALIGNED):
        chosen = slice(start, start + ALIGNED)
        ours, theirs = left.pixels[places[chosen]], right.pixels[places_right[chosen]]
        moved, found = align(ours.astype(np.float32), theirs.astype(np.float32))
        moves.append(moved)
        agree.append(found)
        forget(left.pixels)
        forget(right.pixels)
        tick(len(found))
    return at, np.concatenate(moves), np.concatenate(agree)


def _compare_some(
    at: int,
    left: Sketches,
    right: Sketches,
    places: Rows,
    places_right: Rows,
    moves: Shares,
    tick: Callable[[int], object],
) -> tuple[int, Shares]:
    agree = []
    for start in range(0, len(places), ALIGNED):
        chosen = slice(start, start + ALIGNED)
        ours = [left.picture(place) for place in places[chosen].tolist()]
        theirs = [right.picture(place) for place in places_right[chosen].tolist()]
        agree.append(compare(ours, theirs, moves[chosen]))
        forget(left.pixels)
        forget(right.pixels)
        tick(len(ours))
    return at, np.concatenate(agree)
