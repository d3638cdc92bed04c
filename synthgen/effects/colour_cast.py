"""Light of a colour that the camera did not correct, and colours that are too weak or too strong."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.colour_space import LUMA
from synthgen.effects.base import effects


@effects.add("colour_cast")
@dataclass(frozen=True, kw_only=True, slots=True)
class ColourCast:
    """Weigh the colour channels, and move all colours away from grey or towards it.

    Source: von Kries' diagonal model of white balance; the ranges are ours.

    Attributes:
        warmth: Greatest gain of red over green, and loss of blue, either way, as a share.
        green: Greatest gain of green over both, either way, as a share.
        saturation: Least and greatest multiple of the distance from grey.
    """

    warmth: float = 0.15
    green: float = 0.08
    saturation: tuple[float, float] = (0.5, 1.4)

    def __post_init__(self) -> None:
        check_range("warmth", (0, self.warmth), 0, 0.9)
        check_range("green", (0, self.green), 0, 0.9)
        check_range("saturation", self.saturation, 0, 10)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "warmth": rng.uniform(-self.warmth, self.warmth, n),
            "green": rng.uniform(-self.green, self.green, n),
            "saturation": rng.uniform(*self.saturation, n),
        }

    def apply(self, image: np.ndarray, *, warmth: float, green: float, saturation: float) -> np.ndarray:
        gains = np.array([1 + warmth, 1 + green, 1 - warmth])
        gains /= LUMA @ gains  # white keeps its luma
        from_grey = np.tile(LUMA, (3, 1)) * (1 - saturation) + np.eye(3) * saturation
        return cv2.transform(image, gains[:, None] * from_grey)
