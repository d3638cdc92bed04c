"""Finding pairs of rows that may be copies, from the evidence on them: each kind of evidence has its finder.

Every finder takes ``other``: with None it yields the pairs within ``evidence``, each once, the lower row on
the left; else those of a row of ``evidence`` on the left and one of ``other`` on the right. Pairs come in
bounded chunks, in an order that only the evidence decides, so memory stays flat however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.fingerprint import sha256
from curation.core.images import BrokenImageError, decode
from curation.core.pool import run_tasks
from curation.evidence import Evidence
from curation.words import Hashes, mix64

Rows = NDArray[np.int64]
CHUNK = 1 << 19  # pairs held at once
TILE = (32, 4096)  # pairs compared at once, so that they stay in the processor's cache
TILED = 1 << 15  # pairs of equal labels from which tiles are faster than lists of pairs
SIDES = ("left", "right")
FEW_ROWS = 2_000  # that many pictures are decoded sooner than worker processes start
FEW = 0.04  # share of a tile that is worth looking at one by one


@dataclass(frozen=True, slots=True)
class Pairs:
    """Some pairs of rows.

    Attributes:
        left: (N,) rows of the one evidence.
        right: (N,) rows of the other, or of the same one, and then higher than ``left``.
        distance: (N,) bits that differ; for overlapping boxes 1 less their IoU; 0 for what is identical.
    """

    left: Rows
    right: Rows
    distance: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.left)

    def select(self, keep: NDArray[np.bool_]) -> Pairs:
        """The pairs where ``keep`` is true."""
        return Pairs(self.left[keep], self.right[keep], self.distance[keep])


def joined(parts: Sequence[Pairs]) -> Pairs:
    """The pairs of all ``parts``, in order."""
    rows = [np.concatenate([np.empty(0, np.int64), *(getattr(p, side) for p in parts)]) for side in SIDES]
    return Pairs(*rows, np.concatenate([np.empty(0, np.float32), *(p.distance for p in parts)]))


def same_bytes(evidence: Evidence, other: Evidence | None = None) -> Iterator[Pairs]:
    """Yield the pairs whose files are identical."""
    right = evidence if other is None else other
    for pairs in equal(_sha_key(evidence), None if other is None else _sha_key(other)):
        yield pairs.select((evidence.sha[pairs.left] == right.sha[pairs.right]).all(axis=1))


def same_pixels(evidence: Evidence, other: Evidence | None = None, *, jobs: int = 1) -> Iterator[Pairs]:
    """Yield the pairs whose decoded pictures are identical; identical files are among them.

    Only rows of equal perceptual hash and size are decoded, and of these only one of identical files' rows
    can differ; a picture that cannot be read is equal to none.
    """
    right = evidence if other is None else other
    keys = _looks_key(evidence), None if other is None else _looks_key(other)
    pixels = pixel_keys(evidence, look_equal(evidence, other), jobs)
    pixels_right = pixels if other is None else pixel_keys(other, look_equal(other, evidence), jobs)
    for pairs in equal(*keys):
        identical = (evidence.sha[pairs.left] == right.sha[pairs.right]).all(axis=1)
        identical &= evidence.sha[pairs.left].any(axis=1)
        ours, theirs = pixels[pairs.left], pixels_right[pairs.right]
        yield pairs.select(identical | ((ours == theirs) & (ours != 0)))


def look_equal(evidence: Evidence, other: Evidence | None = None) -> Rows:
    """Rows that have hash and size in common with another one's file, or with one of ``other``."""
    key = _looks_key(evidence)
    if other is not None:
        return np.flatnonzero(np.isin(key, _looks_key(other)) & (key != 0))
    order = np.argsort(key, kind="stable")
    keys, sha = key[order], evidence.sha[order]
    _, starts, counts = np.unique(keys, return_index=True, return_counts=True)
    differs = (sha != np.repeat(sha[starts], counts, axis=0)).any(axis=1)
    mixed = np.add.reduceat(differs, starts) > 0 if len(starts) else np.zeros(0, bool)
    return np.sort(order[np.repeat(mixed, counts) & (keys != 0)])


def same_origin(
    evidence: Evidence, other: Evidence | None = None, *, least_iou: float = 0.5
) -> Iterator[Pairs]:
    """Yield the pairs cut from the same photo at boxes that overlap; their labels may differ."""
    right = evidence if other is None else other
    for pairs in equal(evidence.origin, None if other is None else other.origin):
        overlap = iou(evidence.box[pairs.left], right.box[pairs.right])
        found = Pairs(pairs.left, pairs.right, (1 - overlap).astype(np.float32))
        yield found.select(overlap >= least_iou)


def same_label(evidence: Evidence, other: Evidence | None = None, *, most_bits: int = 23) -> Iterator[Pairs]:
    """Yield the pairs of one normalised label whose perceptual hashes differ by up to ``most_bits``."""
    right = evidence if other is None else other
    ours, theirs = _label_key(evidence), _label_key(right)
    for rows, rows_right in large_blocks(ours, None if other is None else theirs):
        yield from _near(evidence, rows, right, rows_right, most_bits)
        ours[rows] = 0
        if rows_right is not None:
            theirs[rows_right] = 0
    for pairs in equal(ours, None if other is None else theirs):
        bits = hamming(evidence.dhash[pairs.left], right.dhash[pairs.right])
        yield Pairs(pairs.left, pairs.right, bits.astype(np.float32)).select(bits <= most_bits)


def any_label(evidence: Evidence, other: Evidence | None = None, *, most_bits: int = 18) -> Iterator[Pairs]:
    """Yield the pairs whose perceptual hashes differ by up to ``most_bits``, whatever their labels.

    Every row is compared with every other, one thousand million pairs a second and core at 18 bits.
    """
    right = None if other is None else np.flatnonzero(other.hashed)
    yield from _near(evidence, np.flatnonzero(evidence.hashed), other or evidence, right, most_bits)


def hamming(left: Hashes, right: Hashes) -> NDArray[np.uint8]:
    """(N,) bits that differ between hashes, each (N, 2)."""
    return np.bitwise_count(left ^ right).sum(axis=1, dtype=np.uint8)


def iou(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) intersection over union of boxes (N, 4) left, top, right, bottom; 0 where one is unknown."""
    inner = np.minimum(left[:, 2:], right[:, 2:]) - np.maximum(left[:, :2], right[:, :2])
    both = np.prod(np.maximum(inner, 0), axis=1)
    areas = sum(np.prod(np.maximum(box[:, 2:] - box[:, :2], 0), axis=1) for box in (left, right))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = both / (areas - both)
    return np.where(np.isfinite(share), share, 0)


def _sha_key(evidence: Evidence) -> Hashes:
    return evidence.sha[:, 0]


def _label_key(evidence: Evidence) -> Hashes:
    return np.where(evidence.hashed, evidence.label, np.uint64(0))


def _looks_key(evidence: Evidence) -> Hashes:
    """One number for hash and size; two rows that agree in it are decoded before they count as equal."""
    width, height = evidence.size.astype(np.uint64).T
    key = mix64(evidence.dhash[:, 0]) ^ (width << np.uint64(32) | height)
    return np.where(evidence.hashed, mix64(mix64(key) ^ evidence.dhash[:, 1]), np.uint64(0))


def pixel_keys(evidence: Evidence, rows: Rows, jobs: int) -> Hashes:
    """(N,) 64 bits of SHA-256 over the decoded pixels of some rows; 0 for others and what cannot be read."""
    keys = np.zeros(len(evidence), np.uint64)
    tasks = []
    for number, dataset in enumerate(evidence.datasets):
        for shard in range(dataset.n_shards):
            first, n_rows = dataset.rows_of_shard(shard)
            first_row = int(evidence.starts[number]) + first
            here = rows[(rows >= first_row) & (rows < first_row + n_rows)]
            if len(here):
                tasks.append((dataset.path, first_row - first, here))
    jobs = jobs if len(rows) > FEW_ROWS else 1
    for here, found in run_tasks(
        _hash_pixels, tasks, jobs=jobs, total=len(rows), unit=" pictures", what="compare pixels"
    ):
        keys[here] = found
    return keys


def _hash_pixels(path: Path, start: int, rows: Rows, tick: Callable[[int], object]) -> tuple[Rows, Hashes]:
    found = np.zeros(len(rows), np.uint64)
    dataset = Dataset.open(path)
    for at in range(0, len(rows), 1_000):
        for i, row in enumerate(dataset.take(rows[at : at + 1_000] - start, ["image"]), at):
            found[i] = _pixels(row["image"]["bytes"])
        tick(len(rows[at : at + 1_000]))
    return rows, found


def _pixels(data: bytes) -> int:
    try:
        return int(sha256(decode(data).tobytes())[:16], 16)
    except BrokenImageError:
        return 0


def equal(left: Hashes, right: Hashes | None) -> Iterator[Pairs]:
    """Yield the pairs of rows with equal keys, in chunks; the key 0 is equal to none."""
    order, order_right = _sorted(left), None if right is None else _sorted(right)
    keys = left[order]
    if right is None or order_right is None:
        order_right = order
        starts, stops = np.arange(1, len(keys) + 1), np.searchsorted(keys, keys, side="right")
    else:
        keys_right = right[order_right]
        starts, stops = (np.searchsorted(keys_right, keys, side=side) for side in ("left", "right"))
    counts = stops - starts
    upto = np.cumsum(counts)
    at = 0
    while at < len(counts):
        base = int(upto[at - 1]) if at else 0
        end = max(at + 1, int(np.searchsorted(upto, base + CHUNK, side="right")))
        n = counts[at:end]
        within = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
        places = np.repeat(starts[at:end], n) + within
        if len(places):
            nothing = np.zeros(len(places), np.float32)
            yield Pairs(np.repeat(order[at:end], n), order_right[places], nothing)
        at = end


def _sorted(keys: Hashes) -> Rows:
    """Rows by rising key, and within a key in order; without those of key 0."""
    order = np.argsort(keys, kind="stable")
    return order[np.count_nonzero(keys == 0) :]


def large_blocks(left: Hashes, right: Hashes | None) -> Iterator[tuple[Rows, Rows | None]]:
    """Yield the rows of each key that makes so many pairs that tiles are faster."""
    order, order_right = _sorted(left), None if right is None else _sorted(right)
    keys, starts, counts = np.unique(left[order], return_index=True, return_counts=True)
    if right is None or order_right is None:
        for i in np.flatnonzero(counts.astype(np.int64) ** 2 >= TILED):
            yield order[starts[i] : starts[i] + counts[i]], None
        return
    keys_right = right[order_right]
    low, high = (np.searchsorted(keys_right, keys, side=side) for side in ("left", "right"))
    for i in np.flatnonzero(counts * (high - low) >= TILED):
        yield order[starts[i] : starts[i] + counts[i]], order_right[low[i] : high[i]]


def _near(
    evidence: Evidence, rows: Rows, other: Evidence, rows_right: Rows | None, most_bits: int
) -> Iterator[Pairs]:
    """Yield the near ones among all pairs of ``rows`` and ``rows_right`` (None: among themselves)."""
    left = evidence.dhash[rows]
    right = left if rows_right is None else other.dhash[rows_right]
    names = rows if rows_right is None else rows_right
    for i, j, bits in near_hashes(left, right, most_bits, triangle=rows_right is None):
        yield Pairs(rows[i], names[j], bits.astype(np.float32))


def near_hashes(
    left: Hashes, right: Hashes, most_bits: int | NDArray[np.uint8], *, triangle: bool
) -> Iterator[tuple[Rows, Rows, NDArray[np.uint8]]]:
    """Compare (N, 2) with (M, 2) hashes; yield indices and bits of those near, a strip of tiles at a time.

    ``most_bits`` may be a number for each of the N.
    """
    most = np.broadcast_to(np.asarray(most_bits, np.uint8), len(left))[:, None]
    (left_0, left_1), (right_0, right_1) = np.ascontiguousarray(left.T), np.ascontiguousarray(right.T)
    high, wide = TILE
    for column in range(0, len(right), wide):
        r0, r1 = right_0[column : column + wide], right_1[column : column + wide]
        mixed, bits, more = (np.empty((high, len(r0)), kind) for kind in (np.uint64, np.uint8, np.uint8))
        found: list[tuple[Rows, Rows, NDArray[np.uint8]]] = []
        held, few = 0, True
        for row in range(0, min(len(left), column + len(r0)) if triangle else len(left), high):
            l0, l1 = left_0[row : row + high, None], left_1[row : row + high, None]
            x, b, m = mixed[: len(l0)], bits[: len(l0)], more[: len(l0)]
            np.bitwise_count(np.bitwise_xor(l0, r0, out=x), out=b)
            if not few:
                np.add(b, np.bitwise_count(np.bitwise_xor(l1, r1, out=x), out=m), out=b)
            near = np.flatnonzero(b <= most[row : row + high])
            i, j = np.divmod(near, len(r0))
            distance = b.ravel()[near]
            if few:  # half a hash that is too far is enough to know
                few = len(near) <= FEW * b.size
                distance = distance + np.bitwise_count(l1[i, 0] ^ r1[j])
            keep = distance <= most[i + row, 0]
            if triangle:
                keep &= j + column > i + row
            if keep.any():
                found.append((i[keep] + row, j[keep] + column, distance[keep]))
                held += len(found[-1][0])
            if held >= CHUNK:
                yield joined_tiles(found)
                found, held = [], 0
        if found:
            yield joined_tiles(found)


def joined_tiles(
    found: list[tuple[Rows, Rows, NDArray[np.uint8]]],
) -> tuple[Rows, Rows, NDArray[np.uint8]]:
    """What ``near_hashes`` has found in several tiles, as one."""
    i, j, bits = zip(*found, strict=True)
    return np.concatenate(i), np.concatenate(j), np.concatenate(bits)
