"""Labels that come too often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core.labels import PROTOCOLS, protocol
from curation.filters.base import Drop, Filter, filters, known
from curation.filters.rows import Rows
from curation.words import hash_texts, key, mix64


@filters.add("label_cap")
@dataclass(frozen=True, kw_only=True, slots=True)
class LabelCap:
    """Keeps at most so many words of one label.

    Of a sample of Union14M-U's web crops about a fifth read "alamy" (Mountchicken/Union14M, issue 32).

    Which ones stay is decided by a hash of their uids, so neither their order nor that of the datasets
    matters. Counted are the words that the filters before this one leave; those that look at pictures would
    do so twice, so put them after it.

    Attributes:
        most: How many words of one label stay, whatever their share.
        most_share: And how many if this share of all words, 0-1, is more: frequent words are frequent in any
            large set, and are no fault of it.
        protocol: Labels are the same if this protocol makes the same of them.
        seed: Another one lets others stay.
    """

    most: int
    most_share: float = 0.0
    protocol: str = "parseq36"
    seed: int = 0
    reasons: ClassVar[tuple[str, ...]] = ("repeated_label",)

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError(f"most must be 1 or more, got {self.most}")
        if not 0 <= self.most_share <= 1:
            raise ValueError(f"most_share must be from 0 to 1, got {self.most_share}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")
        known("protocol", self.protocol, PROTOCOLS)

    def look(self, rows: Rows) -> NDArray[np.uint64]:
        rule = protocol(self.protocol)
        words = [rule.normalise(label)[0] or label for label in rows.labels]
        labels = hash_texts(pa.array(words, pa.string()), key(0, "labels"))
        return np.stack([labels, mix64(rows.uid_hashes ^ np.uint64(key(self.seed, "label cap")))], axis=1)

    def settled(self, seen: NDArray[np.uint64], numbers: NDArray[np.int64]) -> Filter:
        """Find for each label that comes too often the least hash of a uid that is over the cap."""
        most = max(self.most, int(self.most_share * len(seen)))
        seen = seen[np.lexsort(seen.T[::-1])]
        labels, first, times = np.unique(seen[:, 0], return_index=True, return_counts=True)
        over = times > most
        bounds = seen[first[over] + most, 1]
        return CappedLabels(cap=self, labels=labels[over], bounds=bounds)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CappedLabels:
    """Drops words of the labels that come too often, by their hashes.

    Attributes:
        cap: What is asked for.
        labels: (N,) hashes of those labels, rising.
        bounds: (N,) the least hash of a uid that falls out.
    """

    cap: LabelCap
    labels: NDArray[np.uint64]
    bounds: NDArray[np.uint64]
    kind: ClassVar[str] = "label_cap"
    reasons: ClassVar[tuple[str, ...]] = LabelCap.reasons

    def drops(self, rows: Rows) -> Iterator[Drop]:
        if not len(self.labels):
            return
        seen = self.cap.look(rows)
        near = np.minimum(np.searchsorted(self.labels, seen[:, 0]), len(self.labels) - 1)
        over = (self.labels[near] == seen[:, 0]) & (seen[:, 1] >= self.bounds[near])
        yield Drop("repeated_label", over, lambda i: repr(rows.labels[i]))
