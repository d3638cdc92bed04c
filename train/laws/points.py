"""What a law is fitted to: words right and wrong, one entry a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core.errors import UserError

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Points:
    """Runs of one test set: what each was trained on and how many words it read.

    Attributes:
        right: Words read right, (R,).
        words: Words in the test, (R,), above 0.
        cell: Name of the cell that the run belongs to, (R,); runs of a cell differ in their seed alone.
        seed: Seed of the run, (R,).
        columns: What the laws reckon with, each (R,) and finite: ``n_real`` and ``n_synthetic`` (different
            words), ``seen_real`` and ``seen_synthetic`` (words seen, repeats counted), ``n_total``,
            ``parameters``, ``samples`` (words seen in all), ``flops``; others may be added.
        correct: Whether each run read each word, (R, W) bool, words in one order in all runs; None where only
            the counts are known. With it the test words are resampled together for all runs.

    Raises:
        ValueError: the lengths differ, a value is missing or NaN, or a count is impossible.
    """

    right: Floats
    words: Floats
    cell: NDArray[np.str_]
    seed: NDArray[np.int64]
    columns: Mapping[str, Floats]
    correct: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        n_runs = len(self.right)
        for name, values in [*self._per_run().items(), *self.columns.items()]:
            if np.shape(values) != (n_runs,):
                raise ValueError(f"{name} must be ({n_runs},), got {np.shape(values)}")
        for name, column in {"right": self.right, "words": self.words, **self.columns}.items():
            if not np.isfinite(np.asarray(column, float)).all():
                raise ValueError(f"{name} has a value that is missing or not finite")
        if not ((self.words > 0) & (self.right >= 0) & (self.right <= self.words)).all():
            raise ValueError("right must lie between 0 and words, and words above 0")
        if self.correct is not None and not np.array_equal(self.correct.sum(axis=1), self.right):
            raise ValueError("correct must have one row a run that sums to right")

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], correct: NDArray[np.bool_] | None = None) -> Points:
        """From one mapping a run: ``right``, ``words``, ``cell``, ``seed``, and columns under other keys.

        Columns that some run lacks (None or no such key) are left out of all: a law that needs one says so.
        """
        known = {"right", "words", "cell", "seed"}
        names = sorted({name for row in rows for name in row} - known)
        whole = [name for name in names if all(row.get(name) is not None for row in rows)]
        return cls(
            right=np.array([row["right"] for row in rows], float),
            words=np.array([row["words"] for row in rows], float),
            cell=np.array([row["cell"] for row in rows], str),
            seed=np.array([row["seed"] for row in rows], np.int64),
            columns={name: np.array([row[name] for row in rows], float) for name in whole},
            correct=correct,
        )

    @property
    def error(self) -> Floats:
        """1 - word accuracy of each run, (R,), fractions."""
        return 1 - self.right / self.words

    def column(self, name: str) -> Floats:
        """One column, (R,).

        Raises:
            UserError: these runs have no such column.
        """
        if name not in self.columns:
            known = ", ".join(sorted(self.columns))
            raise UserError(
                f"the law needs {name!r} of every run, and these runs have {known}. "
                "Choose a law of what they have"
            )
        return self.columns[name]

    def where(self, mask: NDArray[np.bool_]) -> Points:
        """The runs at which ``mask``, (R,), is true."""
        return Points(
            **{name: values[mask] for name, values in self._per_run().items()},
            columns={name: values[mask] for name, values in self.columns.items()},
            correct=None if self.correct is None else self.correct[mask],
        )

    def _per_run(self) -> dict[str, Any]:
        return {"right": self.right, "words": self.words, "cell": self.cell, "seed": self.seed}
