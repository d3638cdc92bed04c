"""How sure a study is: one set of draws of its outcome, from which every interval is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from curation.core.rng import stream
from train.laws.interval import Interval

N_DRAWS = 2_000
CHUNK = 250  # draws made at a time, so that memory stays below 250 x test words x 8 bytes
ALL_TESTS = "all tests"  # every test word counted once, so that larger sets weigh more


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Accuracy of every cell on one test set, as measured and as it might have come out.

    The test words are resampled, the same for both cells of a difference, and what seeds do is added. The
    noise of seeds is taken as normal and equal in all cells, with its variance pooled over them: two or three
    seeds a cell say too little alone. To the words come, for each cell drawn, half a word that it alone reads
    and half a word that it alone does not (after Agresti and Min 2005), so that a test in which no word
    changed sides does not claim certainty.

    Attributes:
        correct: Cell -> whether each word was read, shape (seeds, words), bool; words in one order.
        key: Names the random stream, so that other test sets do not shift the draws of this one.
        seed_sd: Standard deviation of accuracy between seeds, pooled over the cells; None with one seed
            a cell, when nothing can be known of it.
        freedom: Degrees of freedom behind ``seed_sd``.
        n_draws: How many draws an interval is read from.
    """

    correct: Mapping[str, np.ndarray]
    key: str
    seed_sd: float | None
    freedom: int
    n_draws: int

    @property
    def accuracy(self) -> dict[str, float]:
        """Cell -> mean word accuracy over its seeds."""
        return {cell: float(runs.mean()) for cell, runs in self.correct.items()}

    def interval(self, cell: str) -> Interval:
        """Accuracy of ``cell``."""
        return Interval.of(float(self.correct[cell].mean()), self.draws(cell)[:, 0])

    def difference(self, cell: str, base: str) -> Interval:
        """Accuracy of ``cell`` less that of ``base``, paired over the same test words."""
        drawn = self.draws(cell, base)
        gain = float(self.correct[cell].mean() - self.correct[base].mean())
        return Interval.of(gain, drawn[:, 0] - drawn[:, 1])

    def draws(self, *cells: str) -> np.ndarray:
        """Accuracies of some cells under other test words and other seeds, shape (n_draws, cells).

        Each row has the same test words for all of them, so that differences are paired. Few cells at a
        time: each adds a word to the test that nobody wrote.
        """
        runs = np.concatenate([self.correct[cell] for cell in cells]).astype(bool)
        owner = np.repeat(np.arange(len(cells)), [len(self.correct[cell]) for cell in cells])
        weight = (owner == np.arange(len(cells))[:, None]) / np.bincount(owner)[:, None]  # (cells, runs)
        patterns, counts = np.unique(runs, axis=1, return_counts=True)
        alone = (owner[:, None] == np.arange(len(cells))).astype(bool)  # (runs, cells)
        patterns = np.concatenate([patterns, alone, ~alone], axis=1)
        share = np.concatenate([counts, np.full(2 * len(cells), 0.5)])
        rng, n_words = stream(0, "outcome", self.key), runs.shape[1]
        drawn = []
        for start in range(0, self.n_draws, CHUNK):
            picked = rng.multinomial(n_words, share / share.sum(), size=min(CHUNK, self.n_draws - start))
            drawn.append(picked / n_words @ (weight @ patterns).T)
        by_cell = np.concatenate(drawn)
        if self.seed_sd is not None:
            sd = self.seed_sd * np.sqrt(self.freedom / rng.chisquare(self.freedom, size=(self.n_draws, 1)))
            by_cell = by_cell + rng.standard_normal(by_cell.shape) * sd / np.sqrt(np.bincount(owner))
            by_cell = by_cell.clip(0, 1)  # the noise is normal, and accuracy is a share
        return by_cell


def draw_outcome(correct: Mapping[str, np.ndarray], *, key: str, n_draws: int = N_DRAWS) -> Outcome:
    """What the runs of some cells on one test set say, and how surely.

    Args:
        correct: As of ``Outcome``.
        key: As of ``Outcome``.
        n_draws: As of ``Outcome``.
    """
    seed_sd, freedom = _seed_noise(correct)
    return Outcome(correct=correct, key=key, seed_sd=seed_sd, freedom=freedom, n_draws=n_draws)


def mcnemar(cell: np.ndarray, base: np.ndarray) -> dict[str, float]:
    """Compare two runs word by word: words only one of them read, and the exact two-sided p value.

    Args:
        cell: Whether each word was read, shape (words,), bool.
        base: The same of the run compared with.
    """
    gained, lost = int((cell & ~base).sum()), int((~cell & base).sum())
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    return {"gained": gained, "lost": lost, "p": p}


def _seed_noise(correct: Mapping[str, np.ndarray]) -> tuple[float | None, int]:
    """Standard deviation of accuracy between seeds, pooled over cells, and its degrees of freedom."""
    by_run = [runs.mean(axis=1) for runs in correct.values()]
    freedom = sum(len(runs) - 1 for runs in by_run)
    if not freedom:
        return None, 0
    squares = sum(float(((runs - runs.mean()) ** 2).sum()) for runs in by_run)
    return float(np.sqrt(squares / freedom)), freedom
