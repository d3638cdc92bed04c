"""Lit letters that glow, and bright grounds that eat into dark ones."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects
from synthgen.light import screen


@effects.add("bloom")
@dataclass(frozen=True, kw_only=True, slots=True)
class Bloom:
    """Scatter the light of bright pixels over their neighbours, as a lens does when overexposed.

    Light is added as through a veil: at least 1 - strength of every contrast is left.

    Source: neon and lit shop signs in ICDAR 2015; the ranges are ours.

    Attributes:
        threshold: Least and greatest level from which a pixel counts as bright, 0 to 254.
        radius: Least and greatest standard deviation of the glow, against the image's height.
        strength: Least and greatest share of the bright pixels' light that is scattered, 0 to 1.
    """

    threshold: tuple[float, float] = (90.0, 200.0)
    radius: tuple[float, float] = (0.03, 0.15)
    strength: tuple[float, float] = (0.2, 0.7)

    def __post_init__(self) -> None:
        check_range("threshold", self.threshold, 0, 254)
        check_range("radius", self.radius, 0.001, 2)
        check_range("strength", self.strength, 0, 1)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "threshold": rng.uniform(*self.threshold, n),
            "radius": rng.uniform(*self.radius, n),
            "strength": rng.uniform(*self.strength, n),
        }

    def apply(self, image: np.ndarray, *, threshold: float, radius: float, strength: float) -> np.ndarray:
        gain = strength * 255 / (255 - threshold)
        bright = np.minimum(np.maximum((_GREYS - threshold) * gain, 0), 255)
        light = cv2.LUT(image, np.rint(bright).astype(np.uint8))
        size = image.shape[1] // 2 + 1, image.shape[0] // 2 + 1  # half the size: the glow is soft anyway
        light = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
        light = cv2.GaussianBlur(light, (0, 0), max(0.3, radius * size[1]), borderType=cv2.BORDER_REPLICATE)
        return screen(image, cv2.resize(light, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))


_GREYS = np.arange(256.0)
