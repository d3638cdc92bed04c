"""Whether a run's confidence can be trusted: how often it is right where it says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.evaluation.metrics import wilson

N_BINS = 15  # as in Guo et al. 2017
THRESHOLDS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """Words of similar confidence: above ``low`` (the first from 0 on) and up to ``high``.

    ``confidence`` is their mean confidence and ``accuracy`` the share read right, both None without words.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """The words with a confidence of ``threshold`` or more: how many, and how well they are read."""

    threshold: float
    n: int
    share: float
    n_correct: int
    accuracy: float | None
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Confidence against accuracy.

    Attributes:
        error: Expected calibration error: the mean over words of the distance between confidence and accuracy
            of the word's bin, 0-1.
        confidence: Mean confidence, to compare with the word accuracy.
        bins: Bins of equal width.
        kept: What remains when words below a threshold are set aside.
    """

    error: float
    confidence: float
    bins: tuple[Bin, ...]
    kept: tuple[Kept, ...]


def calibrate(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> Calibration:
    """Compare the confidence of words, (N,), 0-1, with whether they were read right, (N,); N > 0.

    Source: expected calibration error after Naeini et al. 2015 and Guo et al. 2017 (arXiv:1706.04599),
    with 15 bins of equal width.
    """
    sure = np.clip(np.asarray(confidence, float), 0, 1)
    at = np.clip(np.ceil(sure * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    bins = tuple(_bin(i, sure[at == i], correct[at == i]) for i in range(N_BINS))
    gaps = [b.n * abs((b.accuracy or 0.0) - (b.confidence or 0.0)) for b in bins if b.n]
    return Calibration(
        error=sum(gaps) / len(sure),
        confidence=float(sure.mean()),
        bins=bins,
        kept=tuple(_kept(threshold, sure, correct) for threshold in THRESHOLDS),
    )


def _bin(number: int, sure: NDArray[np.float64], correct: NDArray[np.bool_]) -> Bin:
    n, n_correct = len(sure), int(np.count_nonzero(correct))
    low, high = wilson(n_correct, n)
    return Bin(
        low=number / N_BINS,
        high=(number + 1) / N_BINS,
        n=n,
        confidence=float(sure.mean()) if n else None,
        accuracy=n_correct / n if n else None,
        accuracy_low=low,
        accuracy_high=high,
    )


def _kept(threshold: float, sure: NDArray[np.float64], correct: NDArray[np.bool_]) -> Kept:
    # Predictions are stored as float32, in which 0.95 is a little less than 0.95.
    here = sure >= np.float32(threshold)
    n, n_correct = int(np.count_nonzero(here)), int(np.count_nonzero(correct & here))
    low, high = wilson(n_correct, n)
    return Kept(
        threshold=threshold,
        n=n,
        share=n / len(sure),
        n_correct=n_correct,
        accuracy=n_correct / n if n else None,
        accuracy_low=low,
        accuracy_high=high,
    )
