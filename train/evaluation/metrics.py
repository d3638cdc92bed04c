"""Word accuracy and 1-NED, each with the interval that chance leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curation.core.rng import stream

Z95 = 1.959963984540054  # 97.5 % point of the standard normal distribution
RESAMPLES = 2_000


def wilson(n_correct: int, n: int) -> tuple[float, float]:
    """95 % interval of a share of which ``n_correct`` out of ``n`` were seen; (0, 1) for no words.

    Source: Wilson 1927. Unlike mean +- 2 standard errors it holds near 0 and 1 and for small ``n``.
    """
    if n == 0:
        return 0.0, 1.0
    share, z2 = n_correct / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5
    # At the ends the bound is 0 or 1 exactly; rounding would put it a hair beyond.
    return (0.0 if n_correct == 0 else middle - half), (1.0 if n_correct == n else middle + half)


def edit_distance(a: str, b: str) -> int:
    """Least number of insertions, deletions and substitutions of characters that turn ``a`` into ``b``."""
    a, b = differing(a, b)
    if not a or not b:
        return len(a) + len(b)
    before = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        here = [i]
        for j, y in enumerate(b, 1):
            here.append(min(before[j] + 1, here[j - 1] + 1, before[j - 1] + (x != y)))
        before = here
    return before[-1]


def differing(a: str, b: str) -> tuple[str, str]:
    """What is left of ``a`` and ``b`` without the beginning and the end that they share.

    Their edit distance is the same, and misread words share most of their characters.
    """
    least = min(len(a), len(b))
    start = 0
    while start < least and a[start] == b[start]:
        start += 1
    end = 0
    while end < least - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return a[start : len(a) - end], b[start : len(b) - end]


def bootstrap_mean(values: ArrayLike, *, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean of ``values``, (N,), over resampled words; (0, 1) for none.

    Words with equal values are interchangeable, so their numbers are drawn at once instead of one by one:
    the same distribution, at a cost that does not grow with N.

    It knows no values but those it is given: on a few words it is too narrow, and where all values are equal,
    as for a single word, it has no width at all. Read Wilson's interval of the accuracy beside it.
    """
    draws = _draws_of_mean(values, stream(seed, "bootstrap"))
    return _percentiles(draws) if len(draws) else (0.0, 1.0)


def bootstrap_averages(
    sets: Mapping[str, ArrayLike], *, shares: bool = False, seed: int = 0
) -> tuple[tuple[float, float], tuple[float, float]]:
    """95 % intervals of the mean over words and of the mean over sets, of values (N,) of each set by name.

    Words are drawn anew within each set, so that a set stays as large as it is (stratified); the order of
    the sets does not matter.

    Args:
        sets: The values.
        shares: Values are right (1) or wrong (0). To those drawn from in each set come half a right word and
            half a wrong one (after Agresti and Min 2005), so that sets without a mistake do not claim
            certainty; else the intervals are as narrow as ``bootstrap_mean`` where values are few or equal.
        seed: Of the draws.
    """
    names, half = sorted(sets), (0.0, 1.0) if shares else ()
    sizes = [np.asarray(sets[name]).size for name in names]
    draws = np.stack([_draws_of_mean(sets[name], stream(seed, "bootstrap", name), half) for name in names])
    return _percentiles(np.average(draws, axis=0, weights=sizes)), _percentiles(draws.mean(axis=0))


def _draws_of_mean(
    values: ArrayLike, rng: np.random.Generator, half: Sequence[float] = ()
) -> NDArray[np.float64]:
    """Means of resamples, (RESAMPLES,), with half a word of each value in ``half``; none of no values."""
    distinct, counts = np.unique(np.asarray(values, float), return_counts=True)
    n = int(counts.sum())
    if n == 0:
        return np.empty(0)
    distinct, weights = np.append(distinct, half), np.append(counts, np.full(len(half), 0.5))
    picked = rng.multinomial(n, weights / weights.sum(), size=RESAMPLES)
    draws: NDArray[np.float64] = picked @ distinct / n
    return draws


def _percentiles(draws: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def weighted_mean(values: Sequence[float], weights: Sequence[int]) -> float:
    """Mean over words: every set counts by its number of words."""
    both: NDArray[np.float64] = np.average(np.asarray(values, float), weights=np.asarray(weights, float))
    return float(both)
