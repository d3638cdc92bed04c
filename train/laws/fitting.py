"""Fit a law to words right and wrong, and say how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.rng import stream
from train.laws.base import Columns, Floats, Form, Law, laws
from train.laws.descend import HIGH, LOW, best_of, starts
from train.laws.interval import Interval
from train.laws.noise import Noise, draw_errors
from train.laws.points import Points
from train.laws.refusals import chance, refuse_flat, refuse_vague

MISSES = 0.05  # probability below which the law is taken to miss the cells by more than their noise
REFIT = {"candidates": 100, "n": 1}  # starts of each resample, beside the fit itself


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cells:
    """Runs gathered by cell: what the likelihood needs of them, nothing lost.

    Attributes:
        names: (C,), sorted.
        columns: Means over the runs of a cell, each (C,).
        error: Mean error, (C,), weighted by ``worth``.
        worth: Words that the runs of the cell are worth together, (C,).
        share: Run -> its part in its cell's mean, (R, C).
    """

    names: list[str]
    columns: Columns
    error: Floats
    worth: Floats
    share: Floats

    @classmethod
    def of(cls, points: Points, noise: Noise) -> Cells:
        names, cell = np.unique(points.cell, return_inverse=True)
        owner = np.eye(len(names))[cell]
        worth = noise.worth(points)
        total = worth @ owner
        share = owner * worth[:, None] / total
        mean = owner / owner.sum(axis=0)
        columns = {name: values @ mean for name, values in points.columns.items()}
        return cls(
            names=[str(name) for name in names],
            columns=columns,
            error=points.error @ share,
            worth=total,
            share=share,
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fitted:
    """A law with its parameters, and draws of them.

    Attributes:
        law: As it was asked for.
        form: As it was made ready for these cells.
        theta: Scales, then shapes, (L + Q,).
        theta_draws: The same of every refit, (n_boot, L + Q).
        noise: Of seeds.
        deviance: Twice the log likelihood that the fit falls short of a perfect one, noise of seeds taken in.
        freedom: Cells less parameters: what the deviance is expected to be.
        misses: By how much the law misses the cells: 1 if by no more than their noise, else deviance over
            freedom; the draws are as much wider in variance.
        cells: One row a cell: ``cell``, ``observed``, ``predicted`` (errors, fractions).
        found: Share of the starts that ended at the best.
    """

    law: Law
    form: Form
    theta: Floats
    theta_draws: Floats
    noise: Noise
    deviance: float
    freedom: int
    misses: float
    cells: list[dict[str, Any]]
    found: float

    @property
    def estimate(self) -> dict[str, float]:
        """The parameters, by the letters of the law's formula."""
        return {name: float(value[0]) for name, value in self._named(self.theta[None]).items()}

    @property
    def draws(self) -> dict[str, Floats]:
        """The parameters of every refit, each (n_boot,)."""
        return self._named(self.theta_draws)

    def interval(self, name: str) -> Interval:
        """One parameter with its intervals."""
        return Interval.of(self.estimate[name], self.draws[name])

    def predict(self, columns: Columns) -> tuple[Floats, Floats]:
        """The law's error at other places, fractions.

        Args:
            columns: Those of the law, each (K,).

        Returns:
            The estimate (K,), and draws (n_boot, K).
        """
        every = predict(self.form, np.concatenate([self.theta[None], self.theta_draws]), columns).clip(0, 1)
        return every[0], every[1:]

    def predict_runs(self, columns: Columns, words: Floats, *, seed: int = 0) -> Floats:
        """Draws of the error that one new run would measure at each place, (n_boot, K).

        To the draws of the law come another seed and its flipping words. If the law was fitted with
        ``same_words``, this is the spread of a run read on those words; else the law's own draws hold the
        choice of test words already, which is then counted once for cells and run together.

        Args:
            columns: Those of the law, each (K,).
            words: Words of the test, (K,).
            seed: Of the noise.
        """
        rng = stream(seed, "law run", self.law.title)
        _, draws = self.predict(columns)
        extra = self.noise.seed_variances(rng, len(draws))[:, None] - self.noise.seed_variance
        miss = np.sqrt(self.misses)
        sd = np.sqrt(self.noise.variance(draws, np.asarray(words, float)) + extra) * miss
        drawn: Floats = (draws + rng.standard_normal(draws.shape) * sd).clip(0, 1)
        return drawn

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "law": self.law.kind,
            "title": self.law.title,
            "estimate": {name: self.interval(name).json() for name in self.estimate},
            "deviance": self.deviance,
            "freedom": self.freedom,
            "misses": self.misses,
            "starts_at_best": self.found,
            "fitted": self.cells,
        }

    def _named(self, theta: Floats) -> dict[str, Floats]:
        scales, shapes = np.split(theta, [self.form.n_scales], axis=1)
        return self.form.parameters(scales, shapes)


def resolve(law: Law | str) -> Law:
    """A law by its registered name, with its own options; a law as it is."""
    if isinstance(law, str):
        made: Law = laws.get(law)()
        return made
    return law


def fit(
    law: Law | str,
    points: Points,
    *,
    seed: int = 0,
    n_boot: int = 1000,
    same_words: bool = False,
    vague: bool = False,
) -> Fitted:
    """Find the law that makes the counts of words right and wrong likeliest, and refit it to resamples.

    Each run is binomial in as many words as it is worth once seeds move it (seeds of a cell tell). Many
    starts: exponents drawn, scales solved, the best followed down. The draws come from refits to other test
    words and other seeds, and where the law misses the cells by more than their noise they are widened. With
    one seed a cell, what seeds do shows only as what the law misses: give two or more to some cells.

    Args:
        law: A law, or the name of one with its usual options.
        points: The runs of one test set.
        seed: Of the starts and resamples.
        n_boot: How many resamples.
        same_words: Draw other seeds only, for what will be measured on the same test words.
        vague: Give back a fit whose parameters may be nearly anything, too: its predictions near the cells
            may still be sure, and say themselves how sure.

    Raises:
        UserError: the runs cannot carry the law, in one sentence that says what is there and what is needed.
    """
    law = resolve(law)
    for name in law.columns:
        points.column(name)
    noise = Noise.of(points)
    cells = Cells.of(points, noise)
    form = law.prepare(cells.columns)
    refuse_flat(points, cells.error, cells.worth, noise)
    rng = stream(seed, "law", law.title)
    error, worth = cells.error[None], cells.worth
    theta, value, all_values = best_of(
        form, cells.columns, error, worth, starts(form, cells.columns, error, worth, rng)
    )
    freedom = len(cells.names) - len(theta[0])
    misses = _misses(float(value[0]), freedom, noise)
    drawn = _refit(form, points, cells, noise, theta[0], misses, rng, n_boot, same_words)
    fitted = Fitted(
        law=law,
        form=form,
        theta=theta[0],
        theta_draws=drawn,
        noise=noise,
        deviance=float(value[0]),
        freedom=freedom,
        misses=misses,
        cells=_table(cells, predict(form, theta, cells.columns)[0]),
        found=float(np.mean(all_values <= value[0] + 1e-6 * (1 + value[0]))),
    )
    if n_boot and not vague:
        refuse_vague(law.title, form.pinned, len(cells.names), fitted.estimate, fitted.draws)
    return fitted


def _misses(deviance: float, freedom: int, noise: Noise) -> float:
    if freedom < 1 or (noise.freedom and chance(deviance, freedom, noise) > MISSES):
        return 1.0
    return max(1.0, deviance / freedom)


def _refit(
    form: Form,
    points: Points,
    cells: Cells,
    noise: Noise,
    theta: Floats,
    misses: float,
    rng: np.random.Generator,
    n_boot: int,
    same_words: bool,
) -> Floats:
    """Fits to ``n_boot`` resamples, each begun at the fit itself and at the best of other shapes."""
    if not n_boot:
        return np.empty((0, len(theta)))
    at_cells = predict(form, theta[None], cells.columns)[0]
    at_runs = at_cells[cells.share.argmax(axis=1)]
    errors = draw_errors(points, at_runs, noise, rng, n_boot, same_words=same_words) @ cells.share
    if misses > 1:
        at = cells.error.clip(LOW, HIGH)
        sd = np.sqrt((misses - 1) * at * (1 - at) / cells.worth)
        errors = (errors + rng.standard_normal(errors.shape) * sd).clip(0, 1)
    begin = starts(form, cells.columns, errors, cells.worth, rng, **REFIT)
    begin = np.concatenate([np.broadcast_to(theta, (n_boot, 1, len(theta))), begin], axis=1)
    return best_of(form, cells.columns, errors, cells.worth, begin)[0]


def predict(form: Form, theta: Floats, columns: Columns) -> Floats:
    """Errors (B, K) of parameters (B, L + Q)."""
    scales, shapes = np.split(theta, [form.n_scales], axis=1)
    terms, _ = form.terms(shapes, columns)
    predicted: Floats = (terms @ scales[..., None])[..., 0]
    return predicted


def _table(cells: Cells, predicted: Floats) -> list[dict[str, Any]]:
    return [
        {"cell": name, "observed": float(error), "predicted": float(value)}
        for name, error, value in zip(cells.names, cells.error, predicted, strict=True)
    ]
