"""The data-mixing law: error by the shares of a mixture whose volume is held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curation.core.errors import UserError
from train.laws.base import Columns, Floats, laws

SLOPES = (-12.0, 12.0)
ALIKE = 0.01  # volumes nearer than this share of each other count as one


@dataclass(frozen=True, kw_only=True, slots=True)
class MixingForm:
    """``c + k exp(sum_j t_j (r_j - centre_j))``."""

    parts: tuple[str, ...]
    centre: Floats
    bounds: Floats
    pinned: Mapping[str, float]

    n_scales: ClassVar[int] = 2

    def terms(self, shapes: Floats, columns: Columns) -> tuple[Floats, Floats]:
        place = _shares(self.parts, columns) - self.centre
        grown = np.exp(shapes @ place.T)  # (B, R)
        terms = np.stack([np.ones_like(grown), grown], axis=2)
        by_slope = grown[..., None] * place
        return terms, np.stack([np.zeros_like(by_slope), by_slope], axis=2)

    def parameters(self, scales: Floats, shapes: Floats) -> dict[str, Floats]:
        slopes = {f"t_{name}": shapes[:, i] for i, name in enumerate(self.parts)}
        return {"c": scales[:, 0], "k": scales[:, 1] * np.exp(-shapes @ self.centre), **slopes}


@laws.add("mixing")
@dataclass(frozen=True, kw_only=True)
class Mixing:
    """``error = c + k exp(sum_j t_j r_j)`` with ``r_j`` the share of part j among the different words.

    It bends one way only: an error that first falls and then rises with a share is not of this form, and
    where that is measured the law misses its cells.

    Attributes:
        parts: Whose shares, one part fewer than there are: what they leave is the last. The words of part x
            are in the column ``n_x``.

    Source:
        Ye et al. 2024 (arXiv:2403.16952).
    """

    kind: ClassVar[str]
    parts: tuple[str, ...] = ("synthetic",)

    @property
    def title(self) -> str:
        return "mixing of " + ", ".join(self.parts)

    @property
    def columns(self) -> tuple[str, ...]:
        return ("n_total", *(f"n_{name}" for name in self.parts))

    def prepare(self, columns: Columns) -> MixingForm:
        """Raises UserError: the volume moves, or fewer mixtures than one more than the parameters."""
        volume = np.asarray(columns["n_total"], float)
        if volume.max() > (1 + ALIKE) * volume.min():
            raise UserError(
                f"the mixing law needs a volume that is held fixed, and it moves from {volume.min():,.0f} to "
                f"{volume.max():,.0f} words; use the design fixed_total"
            )
        places = _shares(self.parts, columns)
        need = len(self.parts) + 3
        if (n := len(np.unique(places, axis=0))) < need:
            raise UserError(f"the mixing law needs {need} or more mixtures, got {n}; add shares")
        if still := [name for name, share in zip(self.parts, places.T, strict=True) if np.ptp(share) == 0]:
            raise UserError(
                f"the mixing law needs the share of {still[0]} to move, and it stands; leave it out"
            )
        return MixingForm(
            parts=self.parts,
            centre=places.mean(axis=0),
            bounds=np.tile(SLOPES, (len(self.parts), 1)),
            pinned={},
        )


def _shares(parts: tuple[str, ...], columns: Columns) -> Floats:
    """Share of each part in the different words, (K, parts)."""
    total = np.asarray(columns["n_total"], float)
    return np.stack([np.asarray(columns[f"n_{name}"], float) / total for name in parts], axis=1)
