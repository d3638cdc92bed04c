"""Who may be a copy of whom among words of one label: near hashes of the words and of crops of them.

A copy that was cut out differently has a hash far from its original's. So each word is hashed as a whole and
with its edges left out in ``N_CROPS`` ways; of two words the one's whole is compared with the other's crops.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation import near
from curation.agreement import COARSE
from curation.evidence import Evidence
from curation.near import Pairs, Rows, joined
from curation.sketches import Sketches
from curation.words import Hashes

CUTS = ((0.0, 0.0), (0.045, 0.045), (0.06, 0.015), (0.015, 0.06))  # left out at either end of an axis
N_CROPS = len(CUTS) ** 2
STRIP = 512  # rows of a large block that are compared with all others at once
LISTED = 1 << 14  # pairs of small blocks that are compared at once
HASHED = 4_096  # sketches hashed at once


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
        places = self.sketches.places(rows)
        parts = [
            crop_hashes(self.sketches.pixels[p]) for p in np.split(places, range(HASHED, len(rows), HASHED))
        ]
        return np.concatenate(parts)

    def aspects(self, rows: Rows) -> NDArray[np.float64]:
        """(N,) width over height of some rows."""
        return self.evidence.size[rows, 0] / np.maximum(self.evidence.size[rows, 1], 1)

    def key(self) -> Hashes:
        """(N,) hash of the label of each row that takes part and can be read, else 0."""
        key = np.zeros(len(self.evidence), np.uint64)
        rows = self.sketches.rows[self.sketches.sizes[:, 0] > 0]
        key[rows] = self.evidence.label[rows]
        return key


def candidates(
    left: Side, right: Side | None, *, most_bits: int, neighbours: int, most_stretch: float
) -> Iterator[Pairs]:
    """Yield pairs of one label to look at; ``distance`` is in bits, between a whole and a crop.

    Args:
        left: The one side.
        right: The other; None for pairs within ``left``, the lower row on the left.
        most_bits: Bits that may differ.
        neighbours: Of labels with many words, how many of the nearest each word is paired with.
        most_stretch: How many times one's width over height may be the other's.
    """
    other = left if right is None else right

    def near_enough(pairs: Pairs) -> Pairs:
        stretch = left.aspects(pairs.left) / np.maximum(other.aspects(pairs.right), 1e-9)
        return pairs.select(
            (stretch <= most_stretch) & (stretch >= 1 / most_stretch) & (pairs.distance <= most_bits)
        )

    ours, theirs = left.key(), other.key()
    for rows, rows_right in near.large_blocks(ours, None if right is None else theirs):
        yield _of_large(left, rows, right, rows_right, most_bits, neighbours, near_enough)
        ours[rows] = 0
        if rows_right is not None:
            theirs[rows_right] = 0
    for pairs in near.equal(ours, None if right is None else theirs):
        for start in range(0, len(pairs), LISTED):
            chosen = slice(start, start + LISTED)
            part = Pairs(pairs.left[chosen], pairs.right[chosen], pairs.distance[chosen])
            yield near_enough(_measured(left, other, part))


def crop_hashes(sketches: NDArray[np.uint8]) -> Hashes:
    """(N, N_CROPS, 2) hashes of (N, 16, 48) sketches, 16 x 8 bits: does brightness fall to the right?"""
    down, along = (_averaging(length, n) for length, n in zip(COARSE, (8, 17), strict=True))
    small = np.rint(down @ sketches.astype(np.float32) @ along.T)
    parts = small.reshape(len(sketches), len(CUTS), 8, len(CUTS), 17).transpose(0, 1, 3, 2, 4)
    bits = (parts[..., :-1] > parts[..., 1:]).reshape(len(sketches), N_CROPS, 128)
    return np.packbits(bits, axis=-1).view(">u8").astype(np.uint64)


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


def _of_large(
    left: Side,
    rows: Rows,
    right: Side | None,
    rows_right: Rows | None,
    most_bits: int,
    neighbours: int,
    near_enough: Callable[[Pairs], Pairs],
) -> Pairs:
    """The nearest pairs of a label with many words: each left row with its nearest ones."""
    other, names = (left, rows) if right is None or rows_right is None else (right, rows_right)
    ours, theirs = left.hashes(rows), other.hashes(names)
    chosen = []
    for start in range(0, len(rows), STRIP):
        strip = ours[start : start + STRIP]
        found = []
        for crop in range(N_CROPS):
            found += near.near_hashes(strip[:, 0], theirs[:, crop], most_bits, triangle=False)
            if crop:
                found += near.near_hashes(strip[:, crop], theirs[:, 0], most_bits, triangle=False)
        if found:
            i, j, bits = near.joined_tiles(found)
            pairs = Pairs(rows[i + start], names[j], bits.astype(np.float32))
            if right is None:
                pairs = pairs.select(pairs.left != pairs.right)
            chosen.append(_nearest(near_enough(pairs), neighbours))
    pairs = joined(chosen)
    if right is None:
        low, high = np.minimum(pairs.left, pairs.right), np.maximum(pairs.left, pairs.right)
        pairs = Pairs(low, high, pairs.distance)
    return _once(pairs)


def _once(pairs: Pairs) -> Pairs:
    """Each pair once, with its least distance, by rising left and right row."""
    order = np.lexsort((pairs.distance, pairs.right, pairs.left))
    pairs = Pairs(pairs.left[order], pairs.right[order], pairs.distance[order])
    first = np.ones(len(pairs), bool)
    first[1:] = (pairs.left[1:] != pairs.left[:-1]) | (pairs.right[1:] != pairs.right[:-1])
    return pairs.select(first)


def _nearest(pairs: Pairs, neighbours: int) -> Pairs:
    """Of each left row the pairs with its nearest right rows; of equally near ones those that come first."""
    pairs = _once(pairs)
    order = np.lexsort((pairs.right, pairs.distance, pairs.left))
    pairs = Pairs(pairs.left[order], pairs.right[order], pairs.distance[order])
    _, starts, counts = np.unique(pairs.left, return_index=True, return_counts=True)
    return pairs.select(np.arange(len(pairs)) - np.repeat(starts, counts) < neighbours)
