"""Two other forms of error by real and synthetic words, to compare the joint law with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curation.core.errors import UserError
from train.laws.base import Columns, Floats, laws, middle
from train.laws.power import EXPONENTS, PIN

SHARE_EXPONENTS = (0.02, 3.0)
WEIGHTS = (-5.0, 5.0)  # log of a synthetic share's weight beside a real one's


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferForm:
    """``gap * (s / s0)^-b + scale * (n / n0)^-a * (s / s0)^-b``."""

    centres: tuple[float, float]
    bounds: Floats
    pinned: Mapping[str, float]

    n_scales: ClassVar[int] = 2

    def terms(self, shapes: Floats, columns: Columns) -> tuple[Floats, Floats]:
        log_n, log_s = (
            np.log(np.asarray(columns[name], float) / centre)
            for name, centre in zip(("n_synthetic", "n_real"), self.centres, strict=True)
        )
        by_real = np.exp(-shapes[:, 1, None] * log_s)
        both = by_real * np.exp(-shapes[:, 0, None] * log_n)
        by_a = np.stack([np.zeros_like(both), -both * log_n], axis=2)
        by_b = np.stack([-by_real * log_s, -both * log_s], axis=2)
        return np.stack([by_real, both], axis=2), np.stack([by_a, by_b], axis=3)

    def parameters(self, scales: Floats, shapes: Floats) -> dict[str, Floats]:
        n, s = self.centres
        a, b = shapes.T
        delta = scales[:, 1] * n**a * s**b
        gap = np.divide(scales[:, 0] * s**b, delta, out=np.full_like(delta, np.inf), where=delta > 0)
        return {"delta": delta, "gamma": gap, "a": a, "b": b}


@laws.add("transfer")
@dataclass(frozen=True, kw_only=True)
class Transfer:
    """``error = delta * (gamma + n^-a) * s^-b`` with n synthetic words before, s real words after.

    ``gamma`` is the transfer gap: what more synthetic words cannot close. Cells without one of the kinds are
    outside the law.

    Source:
        Mikami et al. 2021 (arXiv:2108.11018).
    """

    kind: ClassVar[str]

    @property
    def title(self) -> str:
        return "transfer"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("n_real", "n_synthetic")

    def prepare(self, columns: Columns) -> TransferForm:
        """Raises UserError: a cell lacks one of the kinds, or too few amounts of either."""
        synthetic, real = (np.asarray(columns[name], float) for name in ("n_synthetic", "n_real"))
        if (outside := int(((synthetic <= 0) | (real <= 0)).sum())) > 0:
            raise UserError(
                f"the transfer law holds where there are real and synthetic words, and {outside} cells have "
                "one kind alone; leave them out"
            )
        _refuse_few("transfer", synthetic, real)
        return TransferForm(
            centres=(middle(synthetic), middle(real)),
            bounds=np.array([EXPONENTS, EXPONENTS]),
            pinned={"b": PIN},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AdditiveForm:
    """``E + C / (real^g + weight * synthetic^h) + B (D / D0)^-b`` with shares real + synthetic = 1."""

    centre: float
    bounds: Floats
    pinned: Mapping[str, float]

    n_scales: ClassVar[int] = 3

    def terms(self, shapes: Floats, columns: Columns) -> tuple[Floats, Floats]:
        g, h, log_weight, b = (shapes[:, i, None] for i in range(4))
        real, synthetic = (np.asarray(columns[name], float) for name in ("n_real", "n_synthetic"))
        total = real + synthetic
        real_part, real_slope = _raised(real / total, g)
        part, slope = _raised(synthetic / total, h)
        weight = np.exp(log_weight)
        mixed = 1 / (real_part + weight * part)
        log_total = np.log(total / self.centre)
        fall = np.exp(-b * log_total)
        none = np.zeros_like(fall)
        by_mix = np.stack(
            [-(mixed**2) * x for x in (real_slope, weight * slope, weight * part, none)], axis=2
        )
        by_words = np.stack([none, none, none, -fall * log_total], axis=2)
        slopes = np.stack([np.zeros_like(by_mix), by_mix, by_words], axis=2)
        return np.stack([np.ones_like(fall), mixed, fall], axis=2), slopes

    def parameters(self, scales: Floats, shapes: Floats) -> dict[str, Floats]:
        g, h, log_weight, b = shapes.T
        with_words = {"B": scales[:, 2] * self.centre**b, "b": b}
        mixing = {"C": scales[:, 1], "g": g, "h": h, "weight": np.exp(log_weight)}
        return {"E": scales[:, 0], **mixing, **with_words}


@laws.add("additive")
@dataclass(frozen=True, kw_only=True)
class Additive:
    """``error = E + C / (real^g + weight * synthetic^h) + B D^-b`` with shares of D different words.

    The mixture and the volume act apart: no amount of words changes what the shares do. Seven parameters:
    it needs many cells.

    Source:
        Shukor et al. 2025 (arXiv:2507.09404), the additive law, its size term left out.
    """

    kind: ClassVar[str]

    @property
    def title(self) -> str:
        return "additive"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("n_real", "n_synthetic")

    def prepare(self, columns: Columns) -> AdditiveForm:
        """Raises UserError: no words in a cell, too few cells or amounts."""
        synthetic, real = (np.asarray(columns[name], float) for name in ("n_synthetic", "n_real"))
        if ((total := real + synthetic) <= 0).any():
            raise UserError("an additive law needs words in every cell; leave out those with none")
        _refuse_few("additive", synthetic, real)
        if (n := len({(r, s) for r, s in zip(real, synthetic, strict=True)})) < 8:
            raise UserError(f"an additive law needs 8 or more different cells, got {n}; add cells")
        bounds = np.array([SHARE_EXPONENTS, SHARE_EXPONENTS, WEIGHTS, EXPONENTS])
        return AdditiveForm(centre=middle(total), bounds=bounds, pinned={})


def _raised(share: Floats, exponent: Floats) -> tuple[Floats, Floats]:
    """A share to a power and its derivative by the power, both 0 where the share is."""
    log_share = np.log(np.where(share > 0, share, 1.0))
    raised = np.where(share > 0, np.exp(exponent * log_share), 0.0)
    return raised, raised * log_share


def _refuse_few(law: str, synthetic: Floats, real: Floats) -> None:
    for name, values in (("synthetic", synthetic), ("real", real)):
        if (n := len(np.unique(values))) < 3:
            raise UserError(f"the {law} law needs 3 or more amounts of {name} words, got {n}; add cells")
