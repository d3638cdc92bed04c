"""Words on a straight line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgen.layouts.base import layouts


@layouts.add("straight")
@dataclass(frozen=True, kw_only=True, slots=True)
class Straight:
    """Leave the word on its line.

    Source: most words of any real set; nothing is taken from elsewhere.
    """

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {}

    def apply(self, points: np.ndarray, *, half_width: float) -> np.ndarray:
        return points
