"""What a joint law says of money: the worth of a synthetic word, and which words to get next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curation.core.errors import UserError
from train.laws.interval import Interval

Floats = NDArray[np.float64]
STEP = 0.01  # of a count, to either side of it: where slopes are taken
SPLITS = 300  # amounts tried of each kind of words; neighbours differ by a few per cent
BEYOND = 4.0  # a law is not asked for more than so many times the words it was fitted to
ALIKE = 0.001  # splits whose predicted errors differ by less are called as good; a tenth of a point


class Predicts(Protocol):
    """A fitted law of error: what ``train.laws.fit`` gives, or anything else that can do this."""

    def predict(self, columns: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """Errors at K points, (K,), and as they would be under other runs and test words, (draws, K)."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """A joint law together with how the runs are trained that it speaks of.

    All predictions are for runs that see ``samples`` words, so more words of one kind are seen less often
    each, and words that no run would come to see count for nothing.

    Attributes:
        law: Error over ``n_real``, ``n_synthetic``, ``seen_real``, ``seen_synthetic``, ``n_total``,
            ``samples`` and the columns in ``fixed``.
        samples: Words a run sees, repeats counted.
        most_real: Most real words that the law was fitted to.
        most_synthetic: The same of synthetic ones.
        fixed: Further columns, such as ``parameters``.
    """

    law: Predicts
    samples: float
    most_real: float
    most_synthetic: float
    fixed: Mapping[str, float] = field(default_factory=dict)

    def errors(self, n_real: ArrayLike, n_synthetic: ArrayLike) -> tuple[Floats, Floats]:
        """Error and its draws at counts of words of equal shape (K,); at least one of each two above 0."""
        real, synthetic = np.broadcast_arrays(np.asarray(n_real, float), np.asarray(n_synthetic, float))
        total = real + synthetic
        seen = np.minimum(1.0, self.samples / total)  # the share of different words that a run gets to see
        columns = {
            "n_real": real * seen,
            "n_synthetic": synthetic * seen,
            "n_total": total * seen,
            "seen_real": self.samples * real / total,
            "seen_synthetic": self.samples * synthetic / total,
            "samples": np.full(total.shape, self.samples),
            **{name: np.full(total.shape, value) for name, value in self.fixed.items()},
        }
        return self.law.predict(columns)

    def beyond(self, n_real: float, n_synthetic: float) -> bool:
        """Whether a point has more words of a kind than any run had."""
        return n_real > self.most_real or n_synthetic > self.most_synthetic

    def refuse_far(self, n_real: float, n_synthetic: float) -> None:
        """Raise a UserError for a point too far from all runs."""
        for n, most, kind in (
            (n_real, self.most_real, "real"),
            (n_synthetic, self.most_synthetic, "synthetic"),
        ):
            if n > BEYOND * most:
                raise UserError(
                    f"{n:,.0f} {kind} words are more than {BEYOND:g} times the {most:,.0f} that runs were "
                    "trained on, and the law is not to be trusted that far. Run larger cells"
                )


def worth(surface: Surface, n_real: ArrayLike, n_synthetic: ArrayLike) -> tuple[Floats, Floats]:
    """Real words that one more synthetic word is worth, at points (K,) with words of both kinds.

    The slope of error by synthetic words over that by real words, while the samples seen stay.

    Returns:
        The worth (K,) and its draws (draws, K): 0 or less where more synthetic words do not help. NaN where
        more real words do not help either, so that there is nothing to compare with.
    """
    real, synthetic = np.broadcast_arrays(np.asarray(n_real, float), np.asarray(n_synthetic, float))
    up, down = 1 + STEP, 1 - STEP
    points = [
        (real * up, synthetic),
        (real * down, synthetic),
        (real, synthetic * up),
        (real, synthetic * down),
    ]
    estimate, draws = surface.errors(*(np.concatenate(counts) for counts in zip(*points, strict=True)))

    def ratio(errors: Floats) -> Floats:
        more_real, less_real, more_synthetic, less_synthetic = np.split(errors, 4, axis=-1)
        by_real = (less_real - more_real) / real
        by_synthetic = (less_synthetic - more_synthetic) / synthetic
        return np.where(by_real > 0, by_synthetic / np.where(by_real > 0, by_real, 1.0), np.nan)

    return ratio(estimate), ratio(draws)


def rate(surface: Surface, n_real: float, n_synthetic: float) -> dict[str, Any]:
    """Synthetic words worth one real word at a point, with the reciprocal and whether it is extrapolated.

    Raises:
        UserError: the point is too far away, or the runs leave it open whether one kind helps at all.
    """
    surface.refuse_far(n_real, n_synthetic)
    estimate, draws = worth(surface, [n_real], [n_synthetic])
    at = f"at {n_real:,.0f} real and {n_synthetic:,.0f} synthetic words"
    if np.isnan(estimate).any() or np.isnan(draws).mean() > 0.025:
        raise UserError(
            f"{at} the law does not tell whether more real words help. Add sizes, seeds or test words"
        )
    found = Interval.of(estimate[0], draws[~np.isnan(draws)])
    if found.low95 <= 0 or estimate[0] <= 0:
        raise UserError(
            f"{at} the runs do not tell whether synthetic words help: one is worth {found.estimate:.3f} real "
            f"words [{found.low95:.3f}, {found.high95:.3f}]. Add sizes, seeds or test words"
        )
    turned = Interval(
        estimate=1 / found.estimate,
        low95=1 / found.high95,
        low80=1 / found.high80,
        high80=1 / found.low80,
        high95=1 / found.low95,
    )
    return {
        "at": {"n_real": n_real, "n_synthetic": n_synthetic},
        "rate": turned.json(),
        "worth": found.json(),
        "beyond": surface.beyond(n_real, n_synthetic),
    }


def rate_map(surface: Surface, reals: ArrayLike, synthetics: ArrayLike) -> dict[str, Any]:
    """The exchange rate at every pair of counts, with its 80 % interval.

    Returns:
        ``real`` and ``synthetic``, the counts, and ``rate``, ``low80`` and ``high80``: one row for each
        count of real words. None stands where synthetic or real words do not help.
    """
    real, synthetic = np.asarray(reals, float), np.asarray(synthetics, float)
    grid = [counts.ravel() for counts in np.meshgrid(real, synthetic, indexing="ij")]
    estimate, draws = worth(surface, *grid)
    ends = np.where(np.isnan(draws).any(axis=0), np.nan, np.percentile(draws, [10, 90], axis=0))

    def laid_out(values: Floats) -> list[list[float | None]]:
        rates = [1 / value if value > 0 else None for value in values.tolist()]  # NaN is not above 0
        return [rates[i : i + len(synthetic)] for i in range(0, len(rates), len(synthetic))]

    return {
        "real": real.tolist(),
        "synthetic": synthetic.tolist(),
        "rate": laid_out(estimate),
        "low80": laid_out(ends[1]),
        "high80": laid_out(ends[0]),
    }


def doubling(surface: Surface, n_real: float, n_synthetic: float) -> dict[str, Any]:
    """Accuracy gained by twice the real words, by twice the synthetic ones, and by both.

    Raises:
        UserError: the point is too far away.
    """
    surface.refuse_far(2 * n_real, 2 * n_synthetic)
    estimate, draws = surface.errors(
        [n_real, 2 * n_real, n_real, 2 * n_real], [n_synthetic, n_synthetic, 2 * n_synthetic, 2 * n_synthetic]
    )
    gains = {"real": 1, "synthetic": 2, "both": 3}
    return {
        "at": {"n_real": n_real, "n_synthetic": n_synthetic},
        "beyond": surface.beyond(2 * n_real, 2 * n_synthetic),
        **{
            name: Interval.of(estimate[0] - estimate[i], draws[:, 0] - draws[:, i]).json()
            for name, i in gains.items()
        },
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Purse:
    """Money to spend on words; prices in its unit, for one word.

    Attributes:
        have_real: Real words that one has already.
        have_synthetic: The same of synthetic ones.
    """

    budget: float
    price_real: float
    price_synthetic: float
    have_real: float = 0.0
    have_synthetic: float = 0.0

    def __post_init__(self) -> None:
        if not (self.budget > 0 and self.price_real > 0 and self.price_synthetic >= 0):
            raise UserError(
                "budget and price of a real word must be above 0, the price of a synthetic word 0 or more, "
                f"got {self.budget:g}, {self.price_real:g} and {self.price_synthetic:g}. Change them"
            )
        if self.have_real < 0 or self.have_synthetic < 0:
            raise UserError("nobody has fewer than 0 words already. Change --have-real or --have-synthetic")


def best_split(surface: Surface, purse: Purse) -> dict[str, Any]:
    """The words to buy, so that a run on them and on those one has errs least.

    No more words of a kind are bought than ``BEYOND`` times the most that runs had, nor more in all than
    a run sees: what the money could buy beyond is left over, and said.

    Raises:
        UserError: the words one has are already too many to say anything.
    """
    surface.refuse_far(purse.have_real, purse.have_synthetic)
    real, synthetic = _affordable(surface, purse)
    estimate, draws = surface.errors(real, synthetic)
    best, per_draw = int(estimate.argmin()), draws.argmin(axis=1)
    bought = real[best] - purse.have_real, synthetic[best] - purse.have_synthetic
    share = synthetic / (real + synthetic)
    as_good = share[estimate <= estimate[best] + ALIKE]
    spent = bought[0] * purse.price_real + bought[1] * purse.price_synthetic
    found = {
        "budget": purse.budget,
        "price_real": purse.price_real,
        "price_synthetic": purse.price_synthetic,
        "have_real": purse.have_real,
        "have_synthetic": purse.have_synthetic,
        "real": float(real[best]),
        "synthetic": float(synthetic[best]),
        "buy_real": float(bought[0]),
        "buy_synthetic": float(bought[1]),
        "left_over": max(0.0, float(purse.budget - spent)),
        "share": Interval.of(share[best], share[per_draw]).json(),
        "as_good_share": [float(as_good.min()), float(as_good.max())],
        "error": Interval.of(estimate[best], draws[:, best]).json(),
        **{
            name: Interval.of(estimate[at] - estimate[best], draws[:, at] - draws[:, best]).json()
            for name, at in (("over_real_only", -2), ("over_synthetic_only", -1))
        },
        "beyond": surface.beyond(float(real[best]), float(synthetic[best])),
        "ratio": None,
    }
    if real[best] > 0 and (real[per_draw] > 0).all():
        ratio = synthetic / np.maximum(real, 1e-9)
        found["ratio"] = Interval.of(ratio[best], ratio[per_draw]).json()
    return found


def _affordable(surface: Surface, purse: Purse) -> tuple[Floats, Floats]:
    """Ways to spend the budget as far as it may be spent: the words one then has of either kind.

    The last two are real words alone, and synthetic words alone.
    """
    most_real = max(0.0, min(purse.budget / purse.price_real, BEYOND * surface.most_real - purse.have_real))
    cap = max(0.0, min(BEYOND * surface.most_synthetic, surface.samples) - purse.have_synthetic)
    most_synthetic = min(_buys(purse.budget, purse.price_synthetic), cap)
    steps = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, SPLITS)])
    by_rest = (purse.budget - most_synthetic * steps * purse.price_synthetic) / purse.price_real
    real = np.concatenate([most_real * steps, np.clip(by_rest, 0.0, most_real)])
    left = purse.budget - real * purse.price_real
    synthetic = np.clip([_buys(money, purse.price_synthetic) for money in left], 0.0, most_synthetic)
    real = np.concatenate([real, [most_real, 0.0]]) + purse.have_real
    synthetic = np.concatenate([synthetic, [0.0, most_synthetic]]) + purse.have_synthetic
    if not (real + synthetic > 0).all():
        raise UserError(
            f"{purse.budget:g} buys no words that the law knows of. Run cells with both kinds of words"
        )
    return real, synthetic


def _buys(money: float, price: float) -> float:
    return money / price if price else np.inf
