"""Light that falls from one side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects


@effects.add("uneven_light")
@dataclass(frozen=True, kw_only=True, slots=True)
class UnevenLight:
    """Darken the image towards one of its sides.

    Source: illumination gradients of augraphy (sparkfish/augraphy); the range is ours.

    Attributes:
        loss: Least and greatest share of the light that is missing at the darkest corner, 0 to 1.
    """

    loss: tuple[float, float] = (0.1, 0.5)

    def __post_init__(self) -> None:
        check_range("loss", self.loss, 0, 1)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"loss": rng.uniform(*self.loss, n), "angle_deg": rng.uniform(0.0, 360.0, n)}

    def apply(self, image: np.ndarray, *, loss: float, angle_deg: float) -> np.ndarray:
        x, y = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        corners = (-x - y, x - y), (-x + y, x + y)
        reach = abs(x) + abs(y)  # to the corner that is lit least, and the same to the one opposite
        light = [[round(255 * (1 - loss * ((at + reach) / (2 * reach)))) for at in side] for side in corners]
        plane = cv2.resize(np.array(light, np.uint8), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return cv2.multiply(image, cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB), scale=1 / 255)
