"""Copies within datasets, told from hashes of columns alone: cheap, and certain only for equal bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """Rows that share a hash.

    Attributes:
        n_groups: Different hashes that more than one row has.
        n_rows: Rows beyond the first of each group: what removing copies would take away.
        n_across: Groups with rows of several splits.
        largest: The rows of the largest groups, two of each.
        sizes: How many rows each of these groups has.
    """

    n_groups: int
    n_rows: int
    n_across: int
    largest: tuple[tuple[int, int], ...]
    sizes: tuple[int, ...]


def copies(hashes: Hashes, splits: NDArray[np.uint8], rows: Rows | None = None, *, shown: int = 12) -> Copies:
    """Find the rows that share a hash; the hash 0 is none.

    Args:
        hashes: (N,) one a row.
        splits: (N,) the split of each.
        rows: Which rows take part; None for all.
        shown: How many of the largest groups to name; of equal ones, those of the first rows.
    """
    rows = np.arange(len(hashes)) if rows is None else rows
    rows = rows[hashes[rows] != 0]
    order = rows[np.argsort(hashes[rows], kind="stable")]
    starts, sizes = _runs(hashes[order])
    repeated = sizes > 1
    starts, sizes = starts[repeated], sizes[repeated]
    if not len(starts):
        return Copies(n_groups=0, n_rows=0, n_across=0, largest=(), sizes=())
    bounds = np.stack([starts, starts + sizes], axis=1).ravel()
    bounds = bounds[:-1] if bounds[-1] == len(order) else bounds
    of = splits[order]
    across = np.minimum.reduceat(of, bounds)[::2] != np.maximum.reduceat(of, bounds)[::2]
    first = order[starts]
    best = np.lexsort([first, -sizes])[:shown]
    return Copies(
        n_groups=len(starts),
        n_rows=int(sizes.sum() - len(sizes)),
        n_across=int(np.count_nonzero(across)),
        largest=tuple((int(order[starts[i]]), int(order[starts[i] + 1])) for i in best),
        sizes=tuple(int(sizes[i]) for i in best),
    )


def first_of_each(hashes: Hashes) -> Rows:
    """The first row of every hash, rising; rows with the hash 0 are all kept."""
    order = np.argsort(hashes, kind="stable")
    starts, _ = _runs(hashes[order])
    return np.sort(np.concatenate([order[starts], np.flatnonzero(hashes == 0)[1:]]))


def most_frequent(hashes: Hashes, n: int) -> tuple[int, list[tuple[int, int]]]:
    """How many different hashes there are, and first row and number of rows of the ``n`` most frequent."""
    order = np.argsort(hashes, kind="stable")
    starts, sizes = _runs(hashes[order])
    first = order[starts]
    best = np.lexsort([first, -sizes])[:n]
    return len(starts), [(int(first[i]), int(sizes[i])) for i in best]


def _runs(ordered: Hashes) -> tuple[Rows, Rows]:
    """Where runs of equal values begin, and how long they are."""
    starts = np.flatnonzero(
        np.concatenate([np.ones(min(1, len(ordered)), bool), ordered[1:] != ordered[:-1]])
    )
    return starts, np.diff(np.append(starts, len(ordered)))
