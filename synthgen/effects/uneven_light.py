"""Light that falls from one side."""

from __future__ import annotations

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
        towards = np.array([np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))])
        corners = np.array([[(-1, -1), (1, -1)], [(-1, 1), (1, 1)]]) @ towards
        shade = (corners - corners.min()) / np.ptp(corners)
        light = np.rint(255 * (1 - loss * shade)).astype(np.uint8)
        plane = cv2.resize(light, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
        return cv2.multiply(image, cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB), scale=1 / 255)
