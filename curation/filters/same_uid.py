"""Words that several datasets hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from curation.filters.base import Drop, Filter, filters
from curation.filters.rows import Rows


@filters.add("same_uid")
@dataclass(frozen=True, kw_only=True, slots=True)
class SameUid:
    """Drops words whose uid came before, in the order in which the datasets are given."""

    reasons: ClassVar[tuple[str, ...]] = ("same_uid",)

    def look(self, rows: Rows) -> NDArray[np.uint64]:
        return rows.uid_hashes[:, None]

    def settled(self, seen: NDArray[np.uint64], numbers: NDArray[np.int64]) -> Filter:
        order = np.argsort(seen[:, 0], kind="stable")
        again = np.zeros(len(order), bool)
        again[order[1:]] = seen[order[1:], 0] == seen[order[:-1], 0]
        return Copies(numbers=numbers[again])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Copies:
    """Drops rows by their numbers over all datasets, (N,) rising."""

    numbers: NDArray[np.int64]
    kind: ClassVar[str] = "same_uid"
    reasons: ClassVar[tuple[str, ...]] = SameUid.reasons

    def drops(self, rows: Rows) -> Iterator[Drop]:
        low, high = np.searchsorted(self.numbers, [rows.numbers[0], rows.numbers[-1] + 1])
        found = np.isin(rows.numbers, self.numbers[low:high])
        yield Drop("same_uid", found, lambda i: "")
