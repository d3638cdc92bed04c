"""A halo around letters: neon, back-lit signs, the soft edge that designers add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.choices import check_range
from synthgen.decorations.base import decorations
from synthgen.layers import Colour, away_from, cover, soften


@decorations.add("glow")
@dataclass(frozen=True, kw_only=True, slots=True)
class Glow:
    """Lay a blurred coloured halo behind the letters.

    Source: the outer glow of drawing programs; ranges are ours.

    Attributes:
        reach: Least and greatest standard deviation of the blur against the letters' height.
        strength: Least and greatest opacity beside the letters.
        contrast: Least luma difference between letters and halo, in grey levels of 255.
    """

    on_top: ClassVar[bool] = False
    reach: tuple[float, float] = (0.06, 0.2)
    strength: tuple[float, float] = (0.4, 1.0)
    contrast: float = 60.0

    def __post_init__(self) -> None:
        check_range("reach", self.reach, 0.01, 1)
        check_range("strength", self.strength, 0, 1)
        check_range("contrast", (0, self.contrast), 0, 127)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "reach": rng.uniform(*self.reach, n),
            "strength": rng.uniform(*self.strength, n),
            "at": rng.random(n),
            "chroma": rng.uniform(0, 90, n),
            "hue_deg": rng.uniform(0, 360, n),
        }

    def apply(
        self,
        image: Pixels,
        *,
        mask: Pixels,
        text: Colour,
        letter_px: float,
        reach: float,
        strength: float,
        at: float,
        chroma: float,
        hue_deg: float,
    ) -> Pixels:
        halo = soften(mask, reach * letter_px)
        # Doubled, for a straight edge leaves half of the mask: the halo is opaque up to the letters.
        halo = cv2.convertScaleAbs(halo, alpha=2 * strength)
        if strength < 1:
            halo = cv2.min(halo, 255 * strength)
        return cover(image, away_from(text, self.contrast, at, chroma, hue_deg), halo)
