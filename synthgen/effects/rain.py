"""Streaks of rain between the camera and the sign."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels
from curation.core.rng import stream
from synthgen.choices import check_range
from synthgen.effects.base import effects
from synthgen.light import coloured, screen
from synthgen.pools import HEIGHT, WIDTH

SLANT_DEG = 25.0


@effects.add("rain")
@dataclass(frozen=True, kw_only=True, slots=True)
class Rain:
    """Lay light, nearly upright streaks over the image, as through a veil.

    Source: RandomRain of albumentations, from a pool of streaks drawn once; the ranges are ours.

    Attributes:
        strength: Least and greatest opacity of the brightest streaks, 0 to 1.
        scale: Least and greatest size against the drawn streaks'; drawn on a log scale.
        slant_deg: Greatest slant of the fall either way.
    """

    strength: tuple[float, float] = (0.2, 0.6)
    scale: tuple[float, float] = (0.5, 1.5)
    slant_deg: float = SLANT_DEG

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0, 1)
        check_range("scale", self.scale, 0.1, 50)
        check_range("slant_deg", (0, self.slant_deg), 0, 80)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "strength": rng.uniform(*self.strength, n),
            "scale": np.exp(rng.uniform(*np.log(self.scale), n)),
            "slant_deg": rng.uniform(-self.slant_deg, self.slant_deg, n),
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(
        self, image: np.ndarray, *, strength: float, scale: float, slant_deg: float, u: float, v: float
    ) -> np.ndarray:
        height, width = image.shape[:2]
        lean = np.tan(np.deg2rad(slant_deg)) / scale
        back = np.array([[1 / scale, lean, u * WIDTH], [0.0, 1 / scale, v * HEIGHT]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        streaks = cv2.warpAffine(_streaks(), back, (width, height), flags=flags, borderMode=cv2.BORDER_WRAP)
        return screen(image, coloured(streaks, np.arange(256.0)[:, None] * np.full(3, strength)))


@functools.cache
def _streaks() -> Pixels:
    """Upright streaks, (HEIGHT, WIDTH) uint8, drawn once a process."""
    rng = stream(0, "pool", "rain")
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(1100):
        x, y, length = rng.uniform(0, WIDTH), rng.uniform(-20, HEIGHT), rng.uniform(6, 26)
        ends = [(round(x * 16), round(at * 16)) for at in (y, y + length)]
        cv2.line(image, *ends, int(rng.uniform(80, 255)), 1, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(image, (3, 5), 0)
