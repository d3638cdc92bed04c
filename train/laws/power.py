"""Power laws of one quantity: words, parameters or computation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curation.core.errors import UserError
from train.laws.base import Columns, Floats, laws, middle
from train.laws.repeats import fresh_words

EXPONENTS = (0.0, 4.0)  # those of the literature lie between 0.03 and 1
PIN = 4.0  # an exponent whose 80 % interval is wider than this factor says nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerForm:
    """``E + A * (n / centre) ** -a``; about the centre, scale and exponent do not mix."""

    law: _Power
    centre: float
    floor: bool
    bounds: Floats
    pinned: Mapping[str, float]

    @property
    def n_scales(self) -> int:
        return 1 + self.floor

    def terms(self, shapes: Floats, columns: Columns) -> tuple[Floats, Floats]:
        log_n = np.log(self.law.amount(columns) / self.centre)
        fall = np.exp(-shapes * log_n)  # (B, R)
        terms, slopes = fall[..., None], (-fall * log_n)[..., None, None]
        if self.floor:
            terms = np.concatenate([np.ones_like(terms), terms], axis=2)
            slopes = np.concatenate([np.zeros_like(slopes), slopes], axis=2)
        return terms, slopes

    def parameters(self, scales: Floats, shapes: Floats) -> dict[str, Floats]:
        found = {"A": scales[:, -1] * self.centre ** shapes[:, 0], "a": shapes[:, 0]}
        return {"E": scales[:, 0], **found} if self.floor else found


class _Power:
    """What both power laws share."""

    kind: ClassVar[str]
    floor: ClassVar[bool]
    column: str
    discounted: bool

    def __post_init__(self) -> None:
        if self.discounted and self.column != "n_total":
            raise ValueError(f"only the repeats of n_total can be discounted, not those of {self.column}")

    @property
    def title(self) -> str:
        return f"{self.kind} of {self.column}" + (", repeats discounted" if self.discounted else "")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, "samples") if self.discounted else (self.column,)

    def amount(self, columns: Columns) -> Floats:
        """What error falls with, (K,)."""
        n = np.asarray(columns[self.column], float)
        return fresh_words(n, np.asarray(columns["samples"], float))[0] if self.discounted else n

    def prepare(self, columns: Columns) -> PowerForm:
        """Raises UserError: too few sizes, a size of 0, or words that no step reached."""
        n = np.asarray(columns[self.column], float)
        least, law = (4, "a power law") if self.floor else (3, "a power law without a floor")
        if (n <= 0).any():
            raise UserError(f"{law} needs {self.column} above 0 in every cell; leave out those with none")
        counted_once = self.column.startswith("n_") and not self.discounted
        if counted_once and "samples" in columns and (columns["samples"] < n).any():
            raise UserError(
                f"{law} needs runs that see each of their words, and some see "
                f"{min(columns['samples']):,.0f} samples of up to {max(n):,.0f} different words; raise steps"
            )
        if (sizes := len(np.unique(n))) < least:
            raise UserError(
                f"{law} needs cells at {least} or more values of {self.column}, got {sizes}; train more"
            )
        return PowerForm(
            law=self,
            centre=middle(self.amount(columns)),
            floor=self.floor,
            bounds=np.array([EXPONENTS]),
            pinned={"a": PIN},
        )


@laws.add("power")
@dataclass(frozen=True, kw_only=True)
class Power(_Power):
    """``error = E + A * n ** -a``: falls to a floor ``E`` that no amount of this removes.

    The floor needs seeds and a large test: with few, it may be anything from 0 to the least error measured,
    and the exponent moves with it. Nothing far beyond the largest cell follows from such a fit.

    Attributes:
        column: What is n: ``n_total``, ``n_real``, ``parameters``, ``samples``, ``flops``.
        discounted: Count a repeated word less each time (R = 15, as in the joint law); for ``n_total`` alone.
            Where all runs see equally many samples, more words are read less often each, and this says so.

    Source:
        Kaplan et al. 2020 (arXiv:2001.08361); with a floor, Henighan et al. 2020 (arXiv:2010.14701).
    """

    kind: ClassVar[str]
    floor: ClassVar[bool] = True
    column: str = "n_total"
    discounted: bool = False


@laws.add("power_no_floor")
@dataclass(frozen=True, kw_only=True)
class PowerNoFloor(_Power):
    """``error = A * n ** -a``: a straight line on log-log axes, which no error follows for ever.

    Attributes:
        column: As of ``power``.
        discounted: As of ``power``.
    """

    kind: ClassVar[str]
    floor: ClassVar[bool] = False
    column: str = "n_total"
    discounted: bool = False
