"""Predictions that own up to not knowing which law it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.core.errors import UserError
from train.laws.base import Columns, Floats, Law
from train.laws.choosing import judge
from train.laws.fitting import Fitted, fit, resolve
from train.laws.points import Points


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Blend:
    """Several fits that predict budgets left out equally well, each with an equal part of the draws.

    A law without a floor is surer of itself than the cells allow when a floor fits them as well; together
    their draws are as wide as what is known.

    Attributes:
        fits: The best of them first.
    """

    fits: tuple[Fitted, ...]

    @property
    def title(self) -> str:
        """The laws, best first."""
        return " or ".join(one.law.title for one in self.fits)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that any of the laws reckons with."""
        return tuple(sorted({name for one in self.fits for name in one.law.columns}))

    def predict(self, columns: Columns) -> tuple[Floats, Floats]:
        """As of a single fit: the mean of the estimates (K,), and all draws (n, K)."""
        each = [one.predict(columns) for one in self.fits]
        estimate: Floats = np.mean([estimate for estimate, _ in each], axis=0)
        return estimate, np.concatenate([draws for _, draws in each])

    def predict_runs(self, columns: Columns, words: Floats, *, seed: int = 0) -> Floats:
        """As of a single fit: draws of what one new run would measure, (n, K)."""
        return np.concatenate([one.predict_runs(columns, words, seed=seed) for one in self.fits])


def blend(
    candidates: Sequence[Law | str],
    points: Points,
    budget_column: str,
    *,
    seed: int = 0,
    n_boot: int = 1000,
    same_words: bool = False,
) -> Blend:
    """Fit all laws that predict budgets left out as well as the best, within one standard error.

    Laws that too few budgets are there to judge take part too. A law whose parameters are not pinned down is
    no reason to leave it out here: its predictions say how unsure they are.

    Args:
        candidates: Laws, the preferred ones first.
        points: The runs of one test set.
        budget_column: As of ``choose``.
        seed: Of starts and resamples.
        n_boot: Resamples, shared out among the laws.
        same_words: As of ``fit``.

    Raises:
        UserError: no law can be fitted; the reason of the first.
    """
    found = [resolve(law) for law in candidates]
    rows, order = judge(found, points, budget_column, seed=seed)
    some = [i for i in order if rows[i]["tied"] or rows[i]["held_out_error"] is None]
    if not some:
        raise UserError(rows[0]["refused"])
    return together([found[i] for i in some], points, seed=seed, n_boot=n_boot, same_words=same_words)


def together(
    some: Sequence[Law], points: Points, *, seed: int = 0, n_boot: int = 1000, same_words: bool = False
) -> Blend:
    """Fit these laws, with ``n_boot`` resamples shared out among them, whether pinned down or not."""
    each = max(1, n_boot // len(some))
    how = {"seed": seed, "n_boot": each, "same_words": same_words, "vague": True}
    return Blend(fits=tuple(fit(law, points, **how) for law in some))
