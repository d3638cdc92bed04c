"""Words along a wave, as on flags and cloth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgen.choices import check_range
from synthgen.layouts.base import layouts


@layouts.add("wave")
@dataclass(frozen=True, kw_only=True, slots=True)
class Wave:
    """Lift and lower the line along a sine; letters lean with its slope.

    Source: trdg's sine distortion (Belval/TextRecognitionDataGenerator); ranges are ours.

    Attributes:
        height_em: Least and greatest height of the wave above its middle, in em.
        periods: Least and greatest number of whole waves along the word.
    """

    height_em: tuple[float, float] = (0.05, 0.25)
    periods: tuple[float, float] = (0.5, 1.5)

    def __post_init__(self) -> None:
        check_range("height_em", self.height_em, 0)
        check_range("periods", self.periods, 0, 10)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "height_em": rng.uniform(*self.height_em, n),
            "periods": rng.uniform(*self.periods, n),
            "phase_deg": rng.uniform(0.0, 360.0, n),
        }

    def apply(
        self, points: np.ndarray, *, half_width: float, height_em: float, periods: float, phase_deg: float
    ) -> np.ndarray:
        turns = points[..., 0] / (2 * half_width) * periods + phase_deg / 360
        lift = min(height_em, half_width / 3) * np.sin(2 * np.pi * turns)
        return np.stack([points[..., 0], points[..., 1] + lift], axis=-1)
