"""What is not fitted, or fitted and not believed: in one sentence each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from curation.core.errors import UserError
from train.laws.base import Floats
from train.laws.noise import Noise
from train.laws.points import Points

LEAST_COUNT = 10  # words right, and words wrong, that the best and the worst run must at least have
FLAT = 0.05  # probability above which cells are taken to read equally many words
NO_SLOPE = 1e-3  # an exponent below which nothing falls
NO_WORTH = 1e-4  # a synthetic word worth less than this of a real one may be worth nothing


def refuse_flat(points: Points, error: Floats, worth: Floats, noise: Noise) -> None:
    """Refuse runs of which nothing can be learned, whatever the law.

    Args:
        points: The runs.
        error: Of each cell, (C,).
        worth: Words that each cell is worth, (C,).
        noise: Of seeds.

    Raises:
        UserError: all cells read nearly no or nearly every word, or equally many.
    """
    words = int(points.words.min())
    right, wrong = (points.right / points.words).max(), points.error.max()
    for share, what, cure in (
        (right, "read", "Train longer or on more words"),
        (wrong, "miss", "Take a harder test"),
    ):
        if share * words < LEAST_COUNT:
            raise UserError(
                f"all runs {what} fewer than {LEAST_COUNT} of the {words:,} test words, "
                f"too few to fit a law to. {cure}"
            )
    mean = (error @ worth) / worth.sum()
    spread = float((worth * (error - mean) ** 2).sum() / (mean * (1 - mean)))
    if chance(spread, len(error) - 1, noise) > FLAT:
        if not noise.freedom:
            raise UserError(
                f"the {len(error)} cells have one seed each, and differ by no more than seeds may do, so no "
                "law shows. Train more seeds, cells further apart, or take a larger test"
            )
        raise UserError(
            f"the {len(error)} cells differ by no more than seeds and test words do, so no law shows. "
            "Train cells further apart, more seeds, or take a larger test"
        )


def refuse_vague(
    title: str,
    pinned: Mapping[str, float],
    n_cells: int,
    estimate: Mapping[str, float],
    draws: Mapping[str, Floats],
) -> None:
    """Refuse a fit whose parameters may be nearly anything.

    Args:
        title: Of the law.
        pinned: Parameter -> how far apart the ends of its 80 % interval may lie, as a factor.
        n_cells: How many cells it was fitted to.
        estimate: Parameter -> value.
        draws: Parameter -> values of the refits.

    Raises:
        UserError: as said.
    """
    for name, factor in pinned.items():
        low, high = np.percentile(draws[name], [10, 90]).tolist()
        if name == "k" and low <= NO_WORTH:
            most = np.percentile(draws[name], 97.5)
            raise UserError(
                f"in the {n_cells} cells one synthetic word is worth at most {most:.2g} real ones "
                "(95 % interval), and perhaps nothing, so no rate can be told"
            )
        if estimate[name] <= NO_SLOPE and name != "k":
            raise UserError(
                f"the error of the {n_cells} cells does not fall as the law {title!r} would have it: "
                f"its {name} is 0. Choose another law"
            )
        if low <= 0 or high > factor * low:
            raise UserError(
                f"the {n_cells} cells do not pin the law {title!r} down: its {name} may be anything from "
                f"{low:.2g} to {high:.2g} (80 % interval). Add cells further apart, seeds or test words"
            )


def chance(deviance: float, freedom: int, noise: Noise) -> float:
    """How likely noise alone leaves such a deviance."""
    if freedom < 1:
        return 1.0
    if noise.freedom:
        return float(stats.f.sf(deviance / freedom, freedom, noise.freedom))
    return float(stats.chi2.sf(deviance, freedom))
