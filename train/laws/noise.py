"""How far a run's error strays: words that flip between seeds, seeds that read worse, other test words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.laws.base import Floats
from train.laws.points import Points

LEAST_FLIPS = 0.02  # of the binomial noise: a handful of equal seeds is not certainty
CHUNK = 250  # draws of test words made at a time, so that memory stays below 250 x words x 8 bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """Variance of a run's error over seeds: ``flips * error * (1 - error) / words + seed_variance``.

    Attributes:
        flips: Noise of single words that flip from seed to seed, as a share of the binomial noise: 1 where
            words are read independently (or where seeds or words are not known), less where easy words are
            always read and hard ones never.
        seed_variance: What a seed moves all words by, beyond that; 0 or more.
        freedom: Degrees of freedom behind both: runs less cells. 0 when no cell has a second seed.
    """

    flips: float
    seed_variance: float
    freedom: int

    @classmethod
    def of(cls, points: Points) -> Noise:
        """Pooled over all cells: two or three seeds say too little of one."""
        between = flipped = binomial = 0.0
        freedom = 0
        for cell in np.unique(points.cell):
            runs = np.flatnonzero(points.cell == cell)
            extra = len(runs) - 1
            if not extra:
                continue
            error, words = points.error[runs], points.words[runs].mean()
            freedom += extra
            between += float(((error - error.mean()) ** 2).sum())
            free = _smooth(error.mean(), words)
            binomial += extra * free * (1 - free) / words
            flipped += extra * _flips(points, runs, free) / words
        if not freedom:
            return cls(flips=1.0, seed_variance=0.0, freedom=0)
        return cls(
            flips=float(np.clip(flipped / binomial, LEAST_FLIPS, 1.0)),
            seed_variance=max(0.0, (between - flipped) / freedom),
            freedom=freedom,
        )

    def variance(self, error: Floats, words: Floats) -> Floats:
        """Of runs with this true error, over seeds, test words kept."""
        error = error.clip(0.5 / words, 1 - 0.5 / words)
        return self.flips * error * (1 - error) / words + self.seed_variance

    def worth(self, points: Points) -> Floats:
        """How many independent words would be as sure as each run, (R,)."""
        _, cell = np.unique(points.cell, return_inverse=True)
        right, words = np.bincount(cell, points.right), np.bincount(cell, points.words)
        error = _smooth(1 - right / words, words)[cell]
        worth: Floats = error * (1 - error) / self.variance(error, points.words)
        return worth

    def seed_variances(self, rng: np.random.Generator, n: int) -> Floats:
        """Draws of ``seed_variance``, (n,), as unsure as its degrees of freedom make it."""
        if not self.freedom:
            return np.zeros(n)
        drawn: Floats = self.seed_variance * self.freedom / rng.chisquare(self.freedom, n)
        return drawn


def draw_errors(
    points: Points, fitted: Floats, noise: Noise, rng: np.random.Generator, n: int, *, same_words: bool
) -> Floats:
    """Errors as they might have come out with other seeds and other test words.

    Two levels: test words are resampled, together for all runs where it is known which were read (other
    counts are drawn about the fitted law elsewhere, as if each run had words of its own); then each run gets
    the noise of another seed.

    Args:
        points: The runs.
        fitted: Errors of the fitted law at each, (R,).
        noise: Of seeds.
        rng: Draws.
        n: How many.
        same_words: Keep the test words: only seeds vary, words that flip among them.

    Returns:
        (n, R), within 0 to 1.
    """
    at = fitted.clip(0, 1)
    seed_sd = np.sqrt(noise.seed_variances(rng, n))[:, None]
    shape = (n, len(at))
    if same_words:
        sd = np.sqrt(noise.variance(at, points.words) - noise.seed_variance + seed_sd**2)
        drawn = at + rng.standard_normal(shape) * sd
    elif points.correct is None:
        words = points.words.astype(np.int64)
        drawn = rng.binomial(words, at, shape) / words + rng.standard_normal(shape) * seed_sd
    else:
        drawn = _resampled(points.correct, rng, n) + rng.standard_normal(shape) * seed_sd
    clipped: Floats = drawn.clip(0, 1)
    return clipped


def _resampled(correct: NDArray[np.bool_], rng: np.random.Generator, n: int) -> Floats:
    """Errors of all runs on ``n`` draws of the test words, (n, R)."""
    n_words = correct.shape[1]
    patterns, counts = np.unique(correct, axis=1, return_counts=True)
    wrong = (~patterns).T.astype(float)
    drawn = [
        rng.multinomial(n_words, counts / n_words, size=min(CHUNK, n - start)) @ wrong / n_words
        for start in range(0, n, CHUNK)
    ]
    return np.concatenate(drawn)


def _flips(points: Points, runs: NDArray[np.int64], error: float) -> float:
    """Mean over words of the variance of one run's reading of the word, over seeds; 0 to 1/4."""
    if points.correct is None:
        return error * (1 - error)
    share = points.correct[runs].mean(axis=0)
    return float((share * (1 - share)).mean() * len(runs) / (len(runs) - 1))


def _smooth(error: Floats, words: Floats) -> Floats:
    """An error that is neither 0 nor 1: half a word is added to either side."""
    smooth: Floats = (error * words + 0.5) / (words + 1)
    return smooth
