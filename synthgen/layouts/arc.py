"""Words along part of a circle, as on badges and shop signs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthgen.choices import check_range
from synthgen.layouts.base import layouts


@layouts.add("arc")
@dataclass(frozen=True, kw_only=True, slots=True)
class Arc:
    """Wrap the line around a circle; every letter stands upright on it.

    Source: SynthTIGER's curved text (arXiv:2107.09313); the range of bends is ours.

    Attributes:
        bend_deg: Least and greatest angle between the word's two ends, in degrees. Half of the
            words arch upwards, half hang down.
    """

    bend_deg: tuple[float, float] = (20.0, 100.0)

    def __post_init__(self) -> None:
        check_range("bend_deg", self.bend_deg, 0, 330)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        bend = rng.uniform(*self.bend_deg, n)
        return {"bend_deg": np.where(rng.random(n) < 0.5, bend, -bend)}

    def apply(self, points: np.ndarray, *, half_width: float, bend_deg: float) -> np.ndarray:
        # No tighter than 1.2 em, or the letters of short words tread on each other's feet.
        radius = math.copysign(max(2 * half_width / math.radians(max(abs(bend_deg), 1.0)), 1.2), bend_deg)
        angle = points[..., 0] / radius
        reach = radius + points[..., 1]
        return np.stack([reach * np.sin(angle), reach * np.cos(angle) - radius], axis=-1)
