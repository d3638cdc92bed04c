"""A figure and how sure it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A figure with its 80 % and 95 % intervals, all in the figure's own unit."""

    estimate: float
    low95: float
    low80: float
    high80: float
    high95: float

    @classmethod
    def of(cls, estimate: float, draws: np.ndarray) -> Interval:
        """Read the intervals off ``draws``, shape (n_draws,)."""
        low95, low80, high80, high95 = np.percentile(draws, [2.5, 10, 90, 97.5]).tolist()
        return cls(estimate=float(estimate), low95=low95, low80=low80, high80=high80, high95=high95)

    @property
    def settled(self) -> bool:
        """Whether the 95 % interval leaves zero out."""
        return self.low95 > 0 or self.high95 < 0

    def json(self) -> dict[str, float]:
        """As JSON values."""
        return asdict(self)
