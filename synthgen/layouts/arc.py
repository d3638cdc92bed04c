"""Words along part of a circle, as on badges and shop signs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthgen.choices import check_range, check_share
from synthgen.layouts.base import layouts

TOPS_EM = 0.7  # height of capitals in most fonts


@layouts.add("arc")
@dataclass(frozen=True, kw_only=True, slots=True)
class Arc:
    """Wrap the line around a circle; every letter stands upright on it.

    Source: SynthTIGER's curved text (arXiv:2107.09313); the range of bends is ours.

    Attributes:
        bend_deg: Least and greatest angle between the word's two ends, in degrees. Half of the
            words arch upwards, half hang down.
        strong: Share of words bent by ``strong_deg`` instead, 0 to 1.
        strong_deg: Their least and greatest angle; 180 is half a circle.
    """

    bend_deg: tuple[float, float] = (20.0, 100.0)

    strong: float = 0.0
    strong_deg: tuple[float, float] = (100.0, 240.0)

    def __post_init__(self) -> None:
        check_range("bend_deg", self.bend_deg, 0, 330)
        check_share("strong", self.strong, at_most_one=True)
        check_range("strong_deg", self.strong_deg, 0, 330)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        bend = rng.uniform(*self.bend_deg, n)
        upwards = rng.random(n) < 0.5
        if self.strong:
            bend = np.where(rng.random(n) < self.strong, rng.uniform(*self.strong_deg, n), bend)
        return {"bend_deg": np.where(upwards, bend, -bend)}

    def apply(self, points: np.ndarray, *, half_width: float, bend_deg: float) -> np.ndarray:
        # Spacing is kept where letters come closest: at their feet, or at their tops if they hang down.
        level = 0.0 if bend_deg > 0 else TOPS_EM
        # No tighter than 1.2 em, or the letters of short words tread on each other's feet.
        radius = math.copysign(max(2 * half_width / math.radians(max(abs(bend_deg), 1.0)), 1.2), bend_deg)
        angle = points[..., 0] / radius
        reach = radius + points[..., 1] - level
        return np.stack([reach * np.sin(angle), reach * np.cos(angle) - radius + level], axis=-1)
