"""Exposure, contrast and gamma."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects


@effects.add("tone")
@dataclass(frozen=True, kw_only=True, slots=True)
class Tone:
    """Bend and stretch the grey scale, the same in every channel.

    Source: the usual colour jitter (torchvision); gamma as in SynthTIGER (arXiv:2107.09313).

    Attributes:
        brightness: Least and greatest shift, in grey levels of 255.
        contrast: Least and greatest stretch about the middle grey; 1 changes nothing.
        gamma: Least and greatest exponent; below 1 lifts the shadows.
    """

    brightness: tuple[float, float] = (-30.0, 30.0)
    contrast: tuple[float, float] = (0.7, 1.2)
    gamma: tuple[float, float] = (0.7, 1.4)

    def __post_init__(self) -> None:
        check_range("contrast", self.contrast, 0.05, 20)
        check_range("gamma", self.gamma, 0.05, 20)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "brightness": rng.uniform(*self.brightness, n),
            "contrast": rng.uniform(*self.contrast, n),
            "gamma": rng.uniform(*self.gamma, n),
        }

    def apply(self, image: np.ndarray, *, brightness: float, contrast: float, gamma: float) -> np.ndarray:
        curve = _GREYS**gamma * (255 * contrast) + (128 - 128 * contrast + brightness)
        return cv2.LUT(image, np.rint(np.minimum(np.maximum(curve, 0), 255)).astype(np.uint8))


_GREYS = np.arange(256, dtype=np.float32) / 255
