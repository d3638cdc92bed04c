"""Glare: the light of a lamp or the sky, mirrored by a sign."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects
from synthgen.light import coloured, ellipse, screen


@effects.add("highlight")
@dataclass(frozen=True, kw_only=True, slots=True)
class Highlight:
    """Lay a soft spot or streak of light over the image.

    Light is added as through a veil: what is under it keeps at least 1 - strength of its contrast.

    Source: specular spots in ICDAR 2015; the ranges are ours.

    Attributes:
        strength: Least and greatest share of the way to white in the middle, 0 to 1.
        radius: Least and greatest length of the spot's shorter half axis, against the image's height.
        aspect: Greatest ratio of its axes; drawn on a log scale, long ones are streaks.
        tint: Greatest loss of light in the blue (warm lamps) or the red channel (sky), as a share.
    """

    strength: tuple[float, float] = (0.15, 0.7)
    radius: tuple[float, float] = (0.25, 1.2)
    aspect: float = 8.0
    tint: float = 0.25

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0, 1)
        check_range("radius", self.radius, 0.01, 100)
        check_range("aspect", (1, self.aspect), 1, 1000)
        check_range("tint", (0, self.tint), 0, 1)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "strength": rng.uniform(*self.strength, n),
            "radius": np.exp(rng.uniform(*np.log(self.radius), n)),
            "aspect": np.exp(rng.uniform(0, np.log(self.aspect), n)),
            "angle_deg": rng.uniform(0, 180, n),
            "x": rng.uniform(-0.05, 1.05, n),
            "y": rng.uniform(-0.2, 1.2, n),
            "tint": rng.uniform(-self.tint, self.tint, n),
        }

    def apply(
        self,
        image: np.ndarray,
        *,
        strength: float,
        radius: float,
        aspect: float,
        angle_deg: float,
        x: float,
        y: float,
        tint: float,
    ) -> np.ndarray:
        height, width = image.shape[:2]
        short = radius * height
        plane = ellipse(width, height, x * width, y * height, short * aspect, short, angle_deg)
        colour = np.array([1 - max(-tint, 0.0), 1.0 - 0.3 * abs(tint), 1 - max(tint, 0.0)])
        light = coloured(plane, _GREYS * (strength * colour))
        return screen(image, light) if cv2.countNonZero(plane) else image.copy()


_GREYS = np.arange(256.0)[:, None]
