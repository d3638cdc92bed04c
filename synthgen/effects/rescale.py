"""Pictures that were made smaller and larger again by different programs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range, check_share, pick
from synthgen.effects.base import effects

SHRINK = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST_EXACT, cv2.INTER_CUBIC)
ENLARGE = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST_EXACT, cv2.INTER_LANCZOS4)


@effects.add("rescale")
@dataclass(frozen=True, kw_only=True, slots=True)
class Rescale:
    """Shrink the image one way and enlarge it to its size another way.

    All ways but area lose pixels without averaging them, which leaves stairs and broken strokes; enlarging by
    nearest leaves squares, by cubic and Lanczos halos.

    Source: SynthTIGER (arXiv:2107.09313) draws interpolations at random likewise; weights and range are ours.

    Attributes:
        height_px: Least and greatest height of the small image; images that are lower are left alone.
        shrink: Weights of area, linear, nearest and cubic.
        enlarge: Weights of linear, cubic, nearest and Lanczos.
    """

    height_px: tuple[float, float] = (18.0, 40.0)
    shrink: tuple[float, float, float, float] = (0.3, 0.4, 0.15, 0.15)
    enlarge: tuple[float, float, float, float] = (0.35, 0.35, 0.12, 0.18)

    def __post_init__(self) -> None:
        check_range("height_px", self.height_px, 8)
        for name in ("shrink", "enlarge"):
            for weight in getattr(self, name):
                check_share(f"each of {name}", weight)
            if not sum(getattr(self, name)):
                raise ValueError(f"{name} are all 0, so no interpolation is left")

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "height_px": rng.uniform(*self.height_px, n),
            "shrink": pick(rng, self.shrink, n),
            "enlarge": pick(rng, self.enlarge, n),
        }

    def apply(self, image: np.ndarray, *, height_px: float, shrink: int, enlarge: int) -> np.ndarray:
        height, width = image.shape[:2]
        if height_px >= height:
            return image.copy()
        small_size = max(1, round(width * height_px / height)), max(1, round(height_px))
        small = cv2.resize(image, small_size, interpolation=SHRINK[shrink])
        return cv2.resize(small, (width, height), interpolation=ENLARGE[enlarge])
