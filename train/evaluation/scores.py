"""What measuring a run gives: for each dataset a score and every prediction, and averages over several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.labels import Protocol
from train.evaluation.metrics import bootstrap_averages, bootstrap_mean, weighted_mean, wilson


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """How well a run reads one dataset. Shares are 0-1, intervals 95 %.

    Attributes:
        name: The dataset's folder name.
        fingerprint: The dataset's fingerprint.
        protocol: How labels and predictions were normalised.
        n_total: Words in the dataset.
        n_used: Words that take part.
        dropped: Words that do not, by reason.
        n_correct: Words read without an error.
        accuracy: Word accuracy, ``n_correct / n_used``.
        accuracy_low: Lower end of its Wilson interval.
        accuracy_high: Upper end.
        one_minus_ned: Mean of 1 - edit distance / length of the longer of prediction and label.
        one_minus_ned_low: Lower end of its bootstrap interval.
        one_minus_ned_high: Upper end.
        n_trained_on: Words whose uid or image file the run learned from.
    """

    name: str
    fingerprint: str
    protocol: str
    n_total: int
    n_used: int
    dropped: dict[str, int]
    n_correct: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    one_minus_ned: float
    one_minus_ned_low: float
    one_minus_ned_high: float
    n_trained_on: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Average:
    """Accuracy and 1-NED over several datasets: by words (``weighted``) and by sets (``unweighted``)."""

    n_used: int
    accuracy_weighted: float
    accuracy_unweighted: float
    one_minus_ned_weighted: float
    one_minus_ned_unweighted: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AverageIntervals:
    """95 % intervals of an ``Average``, low and high, by a bootstrap over the words within each set."""

    accuracy_weighted: tuple[float, float]
    accuracy_unweighted: tuple[float, float]
    one_minus_ned_weighted: tuple[float, float]
    one_minus_ned_unweighted: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One dataset as a run reads it.

    Attributes:
        score: The figures.
        dataset: The dataset.
        rows: The dataset's rows that take part, (N,), ascending.
        table: The predictions on them, as they are stored.
    """

    score: Score
    dataset: Dataset
    rows: NDArray[np.int64]
    table: pa.Table

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each word was read without an error, (N,)."""
        return correct_of(self.table)

    @cached_property
    def alike(self) -> NDArray[np.float64]:
        """1-NED of each word, (N,)."""
        return alike_of(self.table)


def correct_of(table: pa.Table) -> NDArray[np.bool_]:
    """Whether each word of predictions was read without an error, (N,)."""
    return np.asarray(table["correct"].to_numpy(), bool)


def alike_of(table: pa.Table) -> NDArray[np.float64]:
    """1-NED of each word of predictions, (N,): 1 - edit distance / length of the longer (PARSeq)."""
    lengths = [_lengths(table, name) for name in ("prediction_normalised", "label_normalised")]
    longer = np.maximum(*lengths)  # no label that counts is empty, so this is 1 or more
    return 1 - table["edit_distance"].to_numpy() / longer


def average(scores: Sequence[Score]) -> Average:
    """Average over datasets, both ways, since published tables use either."""
    weights = [score.n_used for score in scores]
    accuracy, ned = [s.accuracy for s in scores], [s.one_minus_ned for s in scores]
    return Average(
        n_used=sum(weights),
        accuracy_weighted=weighted_mean(accuracy, weights),
        accuracy_unweighted=float(np.mean(accuracy)),
        one_minus_ned_weighted=weighted_mean(ned, weights),
        one_minus_ned_unweighted=float(np.mean(ned)),
    )


def average_intervals(measured: Sequence[Measured]) -> AverageIntervals:
    """Intervals of ``average`` over these sets."""
    accuracy = bootstrap_averages({one.score.name: one.correct for one in measured}, shares=True)
    ned = bootstrap_averages({one.score.name: one.alike for one in measured})
    return AverageIntervals(
        accuracy_weighted=accuracy[0],
        accuracy_unweighted=accuracy[1],
        one_minus_ned_weighted=ned[0],
        one_minus_ned_unweighted=ned[1],
    )


def score_of(
    table: pa.Table, dataset: Dataset, protocol: Protocol, dropped: Mapping[str, int], n_trained_on: int
) -> Score:
    """The figures of one set of predictions."""
    n, n_correct = len(table), int(np.count_nonzero(correct_of(table)))
    alike = alike_of(table)
    low, high = wilson(n_correct, n)
    ned_low, ned_high = bootstrap_mean(alike)
    return Score(
        name=dataset.name,
        fingerprint=dataset.fingerprint,
        protocol=protocol.name,
        n_total=len(dataset),
        n_used=n,
        dropped=dict(sorted(dropped.items())),
        n_correct=n_correct,
        accuracy=n_correct / n,
        accuracy_low=low,
        accuracy_high=high,
        one_minus_ned=float(alike.mean()),
        one_minus_ned_low=ned_low,
        one_minus_ned_high=ned_high,
        n_trained_on=n_trained_on,
    )


def _lengths(table: pa.Table, column: str) -> NDArray[np.int64]:
    return np.asarray(pc.utf8_length(table[column]).to_numpy(), np.int64)
