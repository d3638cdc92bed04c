"""What becomes of each word to train on, once it is known which of them copy words of the tests."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core.sample import Reject
from curation.leaks import Leaks
from curation.rewriting import Verdicts


@dataclass(frozen=True, kw_only=True, slots=True)
class LeakJudge:
    """Drops the rows of one dataset that leak.

    Attributes:
        rows: (N,) their numbers in the dataset, rising.
        level: (N,) index in ``levels``.
        distance: (N,) as in ``Pairs``.
        copied: (N,) index in ``uids`` of the word that each copies.
        levels: Names of the levels.
        uids: Of words of the tests.
    """

    rows: NDArray[np.int64]
    level: NDArray[np.uint8]
    distance: NDArray[np.float32]
    copied: NDArray[np.int64]
    levels: tuple[str, ...]
    uids: tuple[str, ...]

    def part(self, first: int, n_rows: int) -> LeakJudge:
        """The judge of some rows only, with the uids that these name."""
        here = slice(*np.searchsorted(self.rows, [first, first + n_rows]).tolist())
        named, copied = np.unique(self.copied[here], return_inverse=True)
        return LeakJudge(
            rows=self.rows[here],
            level=self.level[here],
            distance=self.distance[here],
            copied=copied,
            levels=self.levels,
            uids=tuple(self.uids[i] for i in named.tolist()),
        )

    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        """Drop the rows of ``batch`` that are among ours."""
        keep = np.ones(len(batch), bool)
        low, high = np.searchsorted(self.rows, [first, first + len(batch)]).tolist()
        uids, rejects = batch["uid"], []
        for i in range(low, high):
            row = int(self.rows[i]) - first
            keep[row] = False
            level = self.levels[self.level[i]]
            rejects.append(
                Reject(
                    uid=uids[row].as_py(),
                    reason=level,
                    detail=told(level, float(self.distance[i])),
                    duplicate_of=self.uids[self.copied[i]],
                )
            )
        return Verdicts(keep=keep, rejects=rejects)


def told(level: str, distance: float) -> str:
    """The distance of a pair in a few words: ``agreement 0.987``, ``overlap 0.831``."""
    if level in ("leak_bytes", "leak_pixels"):
        return "identical"
    what = "overlap" if level in ("leak_origin", "shared_photo") else "agreement"
    return f"{what} {1 - distance:.3f}"


def judges(leaks: Leaks) -> list[LeakJudge]:
    """The judge of each dataset to train on, in their order."""
    gone = leaks.dropped()
    copied, index = np.unique(gone.right, return_inverse=True)
    uids = tuple(leaks.test.uids(copied))
    places = np.searchsorted(gone.left, leaks.train.starts).tolist()
    return [
        LeakJudge(
            rows=gone.left[low:high] - int(leaks.train.starts[number]),
            level=gone.rank[low:high],
            distance=gone.distance[low:high],
            copied=index[low:high],
            levels=leaks.spec.ranked,
            uids=uids,
        )
        for number, (low, high) in enumerate(itertools.pairwise(places))
    ]
