"""Who may be a copy of whom among words of one label: near hashes of the words and of crops of them.

A copy that was cut out differently has a hash far from its original's. So each word is hashed as a whole and
with its edges left out in ``N_CROPS`` ways; of two words the one's whole is compared with the other's crops.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation import near
from curation.agreement import COARSE
from curation.core.pool import run_tasks
from curation.evidence import Evidence
from curation.near import Pairs, Rows, joined
from curation.sketches import Sketches, forget, pixels_of
from curation.words import Hashes

CUTS = ((0.0, 0.0), (0.045, 0.045), (0.06, 0.015), (0.015, 0.06))  # left out at either end of an axis
N_CROPS = len(CUTS) ** 2
TASK = 8_192  # rows that a worker process compares with all others of their label
STRIP = 1 << 22  # pairs of a frequent label that are compared before only the nearest are kept
FIRST_SLAB, SLAB = 1 << 10, 1 << 16  # of these
LISTED = 1 << 14  # pairs of small blocks that are compared at once
HASHED = 4_096  # sketches hashed at once
Aspects = NDArray[np.float64]
Near = tuple[Rows, Rows, NDArray[np.uint8]]
NOTHING: Near = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))


@dataclass(frozen=True, kw_only=True)
class Side:
    """Rows of an evidence that take part, with their sketches.

    Attributes:
        evidence: Where they come from.
        sketches: Theirs.
    """

    evidence: Evidence
    sketches: Sketches

    def hashes(self, rows: Rows) -> Hashes:
        """(N, N_CROPS, 2) hashes of some rows and their crops; the first is of the whole."""
        return crop_hashes(self.sketches.pixels, self.sketches.places(rows))

    def block(self, rows: Rows, whole: Block | None = None) -> Block:
        """Some rows, as a worker process needs them."""
        places = self.sketches.places(rows)
        n = len(self.sketches.rows)
        return Block(file=self.sketches.file, n=n, places=places, aspects=self.aspects(rows), whole=whole)

    def aspects(self, rows: Rows) -> Aspects:
        """(N,) width over height of some rows."""
        return self.evidence.size[rows, 0] / np.maximum(self.evidence.size[rows, 1], 1)

    def key(self) -> Hashes:
        """(N,) hash of the label of each row that takes part and can be read, else 0."""
        key = np.zeros(len(self.evidence), np.uint64)
        rows = self.sketches.rows[self.sketches.sizes[:, 0] > 0]
        key[rows] = self.evidence.label[rows]
        return key


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How near two words must be.

    Attributes:
        most_bits: Bits by which the whole of the one and a crop of the other may differ.
        neighbours: Of labels with many words, how many of the nearest each word is paired with.
        most_stretch: How many times one's width over height may be the other's.
    """

    most_bits: int
    neighbours: int
    most_stretch: float

    def fits(self, left: Aspects, right: Aspects) -> NDArray[np.bool_]:
        """Whether widths over heights allow a pair."""
        ratio = left / np.maximum(right, 1e-9)
        return np.asarray((ratio <= self.most_stretch) & (ratio >= 1 / self.most_stretch))


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of one label, as they go to a worker process.

    Attributes:
        file: Their sketches'.
        n: How many sketches it holds.
        places: (N,) which of them are theirs.
        aspects: (N,) width over height.
        whole: All rows of the label, where these are some of them.
    """

    file: Path
    n: int
    places: Rows
    aspects: Aspects
    whole: Block | None = None

    def hashes(self) -> Hashes:
        """(N, N_CROPS, 2)."""
        return crop_hashes(pixels_of(self.file, "coarse", self.n), self.places)


def candidates(left: Side, right: Side | None, limits: Limits, *, jobs: int) -> Pairs:
    """Pairs of one label to look at, by rising left and right row; the lower row is on the left.

    Args:
        left: The one side.
        right: The other; None for pairs within ``left``, the lower row on the left.
        limits: How near they must be.
        jobs: Worker processes.
    """
    other = left if right is None else right
    ours, theirs = left.key(), other.key()
    found, tasks, rows_of = [], [], []
    for rows, rows_right in near.large_blocks(ours, None if right is None else theirs):
        whole = left.block(rows)
        for start in range(0, len(rows), TASK):
            some = left.block(rows[start : start + TASK], whole if rows_right is None else None)
            tasks.append((len(tasks), some, None if rows_right is None else other.block(rows_right), limits))
            rows_of.append((rows[start : start + TASK], rows if rows_right is None else rows_right))
        ours[rows] = 0
        if rows_right is not None:
            theirs[rows_right] = 0
    total = sum(len(rows) for rows, _ in rows_of)
    for number, i, j, bits in run_tasks(
        _search, tasks, jobs=jobs, total=total, unit=" words", what="search frequent labels"
    ):
        one, two = rows_of[number][0][i], rows_of[number][1][j]
        low, high = (np.minimum(one, two), np.maximum(one, two)) if right is None else (one, two)
        found.append(Pairs(low, high, bits.astype(np.float32)))
    for pairs in near.equal(ours, None if right is None else theirs):
        found.append(within(left, other, pairs, limits))
    return once(joined(found))


def within(left: Side, right: Side, pairs: Pairs, limits: Limits) -> Pairs:
    """Those of ``pairs`` that are near enough, with their distance."""
    found = []
    for start in range(0, len(pairs), LISTED):
        chosen = slice(start, start + LISTED)
        part = Pairs(pairs.left[chosen], pairs.right[chosen], pairs.distance[chosen])
        part = part.select(limits.fits(left.aspects(part.left), right.aspects(part.right)))
        part = _measured(left, right, part)
        found.append(part.select(part.distance <= limits.most_bits))
    return joined(found)


def crop_hashes(sketches: NDArray[np.uint8], places: Rows) -> Hashes:
    """Hashes of some of (N, 16, 48) sketches and of their crops.

    Returns:
        (M, N_CROPS, 2): 16 x 8 bits each, whether brightness falls to the right.
    """
    down, along = (_averaging(length, n) for length, n in zip(COARSE, (8, 17), strict=True))
    hashes = np.empty((len(places), N_CROPS, 2), np.uint64)
    for start in range(0, len(places), HASHED):
        some = sketches[places[start : start + HASHED]].astype(np.float32)
        small = np.rint(down @ some @ along.T).reshape(len(some), len(CUTS), 8, len(CUTS), 17)
        falls = (small[..., :-1] > small[..., 1:]).transpose(0, 1, 3, 2, 4)
        forget(sketches)
        packed = np.packbits(falls.reshape(len(some), N_CROPS, 128), axis=-1)
        hashes[start : start + len(some)] = packed.view(">u8")
    return hashes


@functools.cache
def _averaging(length: int, n: int) -> NDArray[np.float32]:
    """(crops * n, length) weights that average an axis without the edges in ``CUTS`` to ``n`` pixels."""
    rows = []
    for before, after in CUTS:
        borders = np.linspace(before * length, (1 - after) * length, n + 1)
        for low, high in itertools.pairwise(borders):
            covered = np.minimum(np.arange(length) + 1, high) - np.maximum(np.arange(length), low)
            rows.append(np.maximum(covered, 0) / (high - low))
    return np.array(rows, np.float32)


def _measured(left: Side, right: Side, pairs: Pairs) -> Pairs:
    """The least bits by which the whole of either word of each pair differs from a crop of the other."""
    rows, at = np.unique(pairs.left, return_inverse=True)
    rows_right, at_right = np.unique(pairs.right, return_inverse=True)
    ours, theirs = left.hashes(rows)[at], right.hashes(rows_right)[at_right]
    bits = [
        np.bitwise_count(whole ^ crops).sum(axis=2, dtype=np.uint8).min(axis=1, initial=255)
        for whole, crops in ((ours[:, :1], theirs), (theirs[:, :1], ours))
    ]
    return Pairs(pairs.left, pairs.right, np.minimum(*bits).astype(np.float32))


def _search(
    number: int, block: Block, other: Block | None, limits: Limits, tick: Callable[[int], object]
) -> tuple[int, Rows, Rows, NDArray[np.uint8]]:
    """Of each row of ``block`` the nearest ones of ``other``, or of the rest of its own label.

    Within one label it is enough to compare a row's whole with the others' crops: the other way round is
    told when the other one's turn comes.
    """
    theirs_of = other or block.whole
    assert theirs_of is not None
    ours, theirs = block.hashes(), theirs_of.hashes()
    parts = [NOTHING]
    high = min(max(STRIP // max(len(theirs), 1), 32), len(ours))
    for start in range(0, len(ours), high):
        strip = ours[start : start + high]
        nearest, most = NOTHING, np.full(len(strip), limits.most_bits, np.uint8)
        for columns, crop in itertools.product(_slabs(len(theirs)), range(N_CROPS)):
            some = theirs[columns]
            near_ = near.near_hashes(strip[:, 0], some[:, crop], most, triangle=False)
            if crop and other is not None:
                back = near.near_hashes(strip[:, crop], some[:, 0], most, triangle=False)
                near_ = itertools.chain(near_, back)
            for i, j, bits in near_:
                j = j + columns.start
                fits = limits.fits(block.aspects[i + start], theirs_of.aspects[j])
                fits &= (other is not None) | (block.places[i + start] != theirs_of.places[j])
                known = near.joined_tiles([nearest, (i[fits], j[fits], bits[fits])])
                nearest = _nearest(*known, limits.neighbours)
                most = _farthest(nearest, most, limits.neighbours)
        i, j, bits = nearest
        parts.append((i + start, j, bits))
        tick(len(strip))
    return number, *near.joined_tiles(parts)


def _slabs(n: int) -> Iterator[slice]:
    """Cut ``n`` columns: where all are alike, a few tell how near the nearest are, and the others are few."""
    start, wide = 0, FIRST_SLAB
    while start < n:
        yield slice(start, min(start + wide, n))
        start, wide = start + wide, SLAB


def _farthest(nearest: Near, most: NDArray[np.uint8], neighbours: int) -> NDArray[np.uint8]:
    """Bits that are of any use still: of a row with enough neighbours those of the farthest."""
    i, _, bits = nearest
    farthest = np.zeros(len(most), np.uint8)
    np.maximum.at(farthest, i, bits)
    return np.where(np.bincount(i, minlength=len(most)) == neighbours, farthest, most)


def once(pairs: Pairs) -> Pairs:
    """Each pair once, with its least distance, by rising left and right row."""
    order = np.lexsort((pairs.distance, pairs.right, pairs.left))
    pairs = Pairs(pairs.left[order], pairs.right[order], pairs.distance[order])
    first = np.ones(len(pairs), bool)
    first[1:] = (pairs.left[1:] != pairs.left[:-1]) | (pairs.right[1:] != pairs.right[:-1])
    return pairs.select(first)


def _nearest(i: Rows, j: Rows, bits: NDArray[np.uint8], neighbours: int) -> Near:
    """Of each ``i`` its nearest ``j``, each once; of equally near ones those that come first."""
    order = np.lexsort((bits, j, i))
    i, j, bits = i[order], j[order], bits[order]
    first = np.ones(len(i), bool)
    first[1:] = (i[1:] != i[:-1]) | (j[1:] != j[:-1])
    i, j, bits = i[first], j[first], bits[first]
    order = np.lexsort((j, bits, i))
    i, j, bits = i[order], j[order], bits[order]
    _, starts, counts = np.unique(i, return_index=True, return_counts=True)
    chosen = np.arange(len(i)) - np.repeat(starts, counts) < neighbours
    return i[chosen], j[chosen], bits[chosen]
