"""Rows that a chain of copies links, as frames of one film: more than their nearest ones are looked at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curation.near import Pairs, Rows

MOST = 32  # rows of a chain that each of its rows is looked at beside
CHUNK = 1 << 20  # pairs held at once


def linked(links: Pairs, looked_at: Pairs, rank: Rows) -> Iterator[Pairs]:
    """Yield, in bounded chunks, pairs of rows that ``links`` lead from one to the other.

    Each row is paired with the ``MOST`` rows of its chain that stay rather than it does: it can go for one
    of them even if its nearest ones have gone.

    Args:
        links: Copies.
        looked_at: Pairs that are left out, by rising left and right row.
        rank: (N,) place of each row of the evidence in the order in which copies stay.
    """
    rows, ends = np.unique(np.concatenate([links.left, links.right]), return_inverse=True)
    chain = _chains(*np.split(ends, 2), len(rows))
    order = np.lexsort((rank[rows], chain))
    rows, chain = rows[order], chain[order]
    starts = np.searchsorted(chain, chain)
    counts = np.minimum(np.arange(len(rows)) - starts, MOST)
    seen = looked_at.left * len(rank) + looked_at.right
    step = max(CHUNK // MOST, 1)
    for at in range(0, len(rows), step):
        n = counts[at : at + step]
        within = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
        one, two = np.repeat(rows[at : at + step], n), rows[np.repeat(starts[at : at + step], n) + within]
        low, high = np.minimum(one, two), np.maximum(one, two)
        new = ~np.isin(low * len(rank) + high, seen)
        if new.any():
            yield Pairs(low[new], high[new], np.zeros(int(new.sum()), np.float32))


def _chains(left: Rows, right: Rows, n: int) -> Rows:
    """(n,) the lowest of the numbers below ``n`` that pairs lead to from each."""
    lowest = np.arange(n)
    while True:
        found = lowest.copy()
        nearer = np.minimum(lowest[left], lowest[right])
        for ends in (left, right, lowest[left], lowest[right]):
            np.minimum.at(found, ends, nearer)
        found = found[found]
        if (found == lowest).all():
            return found
        lowest = found
