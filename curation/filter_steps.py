"""Filters and repairs at work on a batch: one after the other, each row with the first reason it meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core.sample import Reject
from curation.filters import Drop, Filter, Repair, Rows
from curation.rewriting import Verdicts
from curation.tally import EXAMPLES, Tally

Step = Filter | Repair
COLUMNS = ["uid", "label", "source", "width", "height"]


def columns(steps: Sequence[Step]) -> list[str]:
    """The columns that ``steps`` read; pictures only if one looks at them."""
    return [*COLUMNS, *(["image"] if any(getattr(step, "looks", False) for step in steps) else [])]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The judge that ``rewriting`` asks.

    In its tally, counts have the keys ``(step, source, "seen")``, ``(step, source, "dropped", reason)``,
    ``(step, source, "repaired")``, and for words that stay ``("kept", source)`` and
    ``("repaired", kind, source)``, where step is its index. Examples are kept by ``<step> <reason>``: a hash,
    uid, label, detail, number of the dataset, row.

    Attributes:
        steps: What is done, in order.
        number: The number of the dataset.
        start: The number of its first row over all datasets.
    """

    steps: Sequence[Step]
    number: int = 0
    start: int = 0

    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        """Judge the rows of ``batch``, the first of which has the number ``first`` in its dataset."""
        work = self.walk(batch, first)
        return Verdicts(
            keep=work.rows.alive,
            rejects=[work.rejects[i] for i in sorted(work.rejects)],
            labels={i: work.rows.labels[i] for i in work.repairs if work.rows.alive[i]},
            tally=work.closed(),
        )

    def walk(self, batch: pa.RecordBatch, first: int) -> _Work:
        """Let all steps go over the batch."""
        work = _Work(rows=Rows(batch, self.start + first), number=self.number, first=first)
        for index, step in enumerate(self.steps):
            work.count((str(index),), "seen", work.rows.alive)
            if isinstance(step, Repair):
                work.repair(index, step)
            else:
                for drop in step.drops(work.rows):
                    work.drop(index, drop)
                work.drop_broken(index)
        return work


@dataclass(kw_only=True)
class _Work:
    """One batch under way; ``repairs`` has the kinds of those made on a row."""

    rows: Rows
    number: int
    first: int
    tally: Tally = field(default_factory=Tally)
    rejects: dict[int, Reject] = field(default_factory=dict)
    repairs: dict[int, list[str]] = field(default_factory=dict)

    def drop(self, index: int, drop: Drop) -> None:
        hit = drop.rows & self.rows.alive
        found = np.flatnonzero(hit)
        if not len(found):
            return
        self.rows.alive &= ~hit
        for i in found.tolist():
            self.rejects[i] = Reject(uid=self.rows.uids[i], reason=drop.reason, detail=drop.detail(i))
        self.count((str(index),), "dropped", hit, drop.reason)
        self._show(f"{index} {drop.reason}", found, [self.rejects[i].detail for i in found.tolist()])

    def drop_broken(self, index: int) -> None:
        """A picture that could not be decoded makes a reject, whichever filter was to look at it."""
        if self.rows.broken:
            hit = np.zeros(len(self.rows), bool)
            hit[list(self.rows.broken)] = True
            self.drop(index, Drop("broken_image", hit, self.rows.broken.__getitem__))

    def repair(self, index: int, step: Repair) -> None:
        hit, before = np.zeros(len(self.rows), bool), []
        for i in np.flatnonzero(self.rows.alive).tolist():
            label = self.rows.labels[i]
            if (now := step.repaired(label)) != label:
                self.rows.labels[i] = now
                self.repairs.setdefault(i, []).append(step.kind)
                hit[i] = True
                before.append(label)
        if before:
            self.count((str(index),), "repaired", hit)
            self._show(f"{index} {step.kind}", np.flatnonzero(hit), before)

    def closed(self) -> Tally:
        """The tally, with what is to be said of the rows that stay."""
        self.count(("kept",), "", self.rows.alive)
        for kind in sorted({kind for kinds in self.repairs.values() for kind in kinds}):
            hit = np.zeros(len(self.rows), bool)
            hit[[i for i, kinds in self.repairs.items() if kind in kinds]] = True
            self.count(("repaired", kind), "", hit & self.rows.alive)
        return self.tally

    def count(self, before: tuple[str, ...], what: str, rows: NDArray[np.bool_], *after: str) -> None:
        """Count ``rows`` by source."""
        names, codes = self.rows.sources
        middle = (what,) if what else ()
        for name, n in zip(names, np.bincount(codes[rows], minlength=len(names)).tolist(), strict=True):
            if n:
                self.tally.counts[*before, name, *middle, *after] += n

    def _show(self, kind: str, found: NDArray[np.int64], details: Sequence[str]) -> None:
        least = np.argsort(self.rows.uid_hashes[found], kind="stable")[:EXAMPLES].tolist()
        self.tally.show(
            kind,
            [
                (
                    f"{self.rows.uid_hashes[found[k]]:016x}",
                    self.rows.uids[found[k]],
                    self.rows.labels[found[k]],
                    details[k],
                    str(self.number),
                    str(self.first + int(found[k])),
                )
                for k in least
            ],
        )
