"""What a joint law says of the worth of a synthetic word, and of twice the words."""

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
BEYOND = 4.0  # a law is not asked for more than so many times the words it was fitted to


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

    def errors(
        self, n_real: ArrayLike, n_synthetic: ArrayLike, passes: float | None = None
    ) -> tuple[Floats, Floats]:
        """Error and its draws at counts of words of equal shape (K,); at least one of each two above 0.

        Args:
            n_real: Different real words.
            n_synthetic: Different synthetic words.
            passes: How often a run sees each word, if it is to grow with its words; None for ``samples``.
        """
        real, synthetic = np.broadcast_arrays(np.asarray(n_real, float), np.asarray(n_synthetic, float))
        total = real + synthetic
        samples = np.full(total.shape, self.samples) if passes is None else passes * total
        seen = np.minimum(1.0, samples / total)  # the share of different words that a run gets to see
        columns = {
            "n_real": real * seen,
            "n_synthetic": synthetic * seen,
            "n_total": total * seen,
            "seen_real": samples * real / total,
            "seen_synthetic": samples * synthetic / total,
            "samples": samples,
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


def worth(
    surface: Surface, n_real: ArrayLike, n_synthetic: ArrayLike, passes: float | None = None
) -> tuple[Floats, Floats]:
    """Real words that one more synthetic word is worth, at points (K,) with words of both kinds.

    The slope of error by synthetic words over that by real words, while the samples seen stay.

    Args:
        surface: The law.
        n_real: Different real words.
        n_synthetic: Different synthetic words.
        passes: As of ``Surface.errors``; not None for runs that grow with their words.

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
    counts = [np.concatenate(of_kind) for of_kind in zip(*points, strict=True)]
    estimate, draws = surface.errors(counts[0], counts[1], passes)

    def ratio(errors: Floats) -> Floats:
        more_real, less_real, more_synthetic, less_synthetic = np.split(errors, 4, axis=-1)
        by_real = (less_real - more_real) / real
        by_synthetic = (less_synthetic - more_synthetic) / synthetic
        return np.where(by_real > 0, by_synthetic / np.where(by_real > 0, by_real, 1.0), np.nan)

    return ratio(estimate), ratio(draws)


def rate(
    surface: Surface, n_real: float, n_synthetic: float, *, equal_passes: bool = False
) -> dict[str, Any]:
    """Synthetic words worth one real word at a point, with the reciprocal and whether it is extrapolated.

    Args:
        surface: The law.
        n_real: Different real words.
        n_synthetic: Different synthetic words.
        equal_passes: Compare runs that grow with their words, so that each is seen as often as before; else
            runs stay as long, and what is seen of one word is not seen of another.

    Raises:
        UserError: the point is too far away, or the runs leave it open whether one kind helps at all.
    """
    surface.refuse_far(n_real, n_synthetic)
    passes = surface.samples / (n_real + n_synthetic)
    estimate, draws = worth(surface, [n_real], [n_synthetic], passes if equal_passes else None)
    at = f"at {n_real:,.0f} real and {n_synthetic:,.0f} synthetic words"
    if np.isnan(estimate).any() or np.isnan(draws).mean() > 0.025:
        raise UserError(
            f"{at} the law does not tell whether more real words help in runs that see "
            f"{surface.samples:,.0f} samples. Add sizes, seeds, test words or steps"
        )
    found = Interval.of(estimate[0], draws[~np.isnan(draws)])
    if found.low95 <= 0 or estimate[0] <= 0:
        raise UserError(
            f"{at} the runs do not tell whether synthetic words help: one is worth {found.estimate:.3f} real "
            f"words [{found.low95:.3f}, {found.high95:.3f}]. Add sizes, seeds, test words or steps"
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
        "passes": passes,
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
