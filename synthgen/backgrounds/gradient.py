"""A card whose brightness runs from one side to the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.backgrounds.base import backgrounds
from synthgen.choices import check_range


@backgrounds.add("gradient")
@dataclass(frozen=True, kw_only=True, slots=True)
class Gradient:
    """Add a plane, the card's own colour in its middle, with a difference of its own in each channel.

    Source: as in trdg and text_renderer; the range is ours.

    Attributes:
        levels: Least and greatest difference from the middle to a corner, in grey levels of 255.
    """

    levels: tuple[float, float] = (5.0, 40.0)

    def __post_init__(self) -> None:
        check_range("levels", self.levels, 0, 255)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "levels": rng.uniform(*self.levels, n),
            "tint": rng.uniform(-1.0, 1.0, n),
            "angle_deg": rng.uniform(0.0, 360.0, n),
        }

    def apply(self, image: np.ndarray, *, levels: float, tint: float, angle_deg: float) -> np.ndarray:
        x, y = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        reach = levels / (abs(x) + abs(y))
        corners = np.array([[-x - y, x - y], [-x + y, x + y]])[..., None] * reach
        channels = corners * [1 + 0.3 * tint, 1.0, 1 - 0.3 * tint] + 128
        plane = cv2.resize(
            np.minimum(np.maximum(np.rint(channels), 0), 255).astype(np.uint8),
            (image.shape[1], image.shape[0]),
            interpolation=cv2.INTER_LINEAR,
        )
        return cv2.addWeighted(image, 1.0, plane, 1.0, -128.0)
