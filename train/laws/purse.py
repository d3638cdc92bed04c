"""How to spend a budget on real and synthetic words, by a joint law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.errors import UserError
from train.laws.exchange import BEYOND, Floats, Surface
from train.laws.interval import Interval

SPLITS = 300  # amounts tried of each kind of words; neighbours differ by a few per cent
ALIKE = 0.001  # splits whose predicted errors differ by less are called as good; a tenth of a point


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
