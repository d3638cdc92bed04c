"""Raised or sunken letters: light on the slopes of their edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.choices import check_range, check_share
from synthgen.decorations.base import decorations
from synthgen.layers import Colour, shifted, soften


@decorations.add("emboss")
@dataclass(frozen=True, kw_only=True, slots=True)
class Emboss:
    """Lighten the slopes that face the light and darken those that face away.

    Source: the bevel of drawing programs: the slope of the blurred mask along the light; ranges are ours.

    Attributes:
        width: Least and greatest breadth of the slopes against the letters' height.
        levels: Least and greatest change of brightness on the steepest slope, in grey levels of 255.
        outside: Share of words whose ground slopes too, as stamped letters have it; otherwise letters only.
    """

    on_top: ClassVar[bool] = True
    width: tuple[float, float] = (0.03, 0.1)
    levels: tuple[float, float] = (30.0, 90.0)
    outside: float = 0.4

    def __post_init__(self) -> None:
        check_range("width", self.width, 0.01, 0.5)
        check_range("levels", self.levels, 0, 255)
        check_share("outside", self.outside, at_most_one=True)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "width": rng.uniform(*self.width, n),
            "levels": rng.uniform(*self.levels, n),
            "light_deg": rng.uniform(0, 360, n),
            "outside": rng.random(n) < self.outside,
        }

    def apply(
        self,
        image: Pixels,
        *,
        mask: Pixels,
        text: Colour,
        letter_px: float,
        width: float,
        levels: float,
        light_deg: float,
        outside: bool,
    ) -> Pixels:
        reach = max(width * letter_px, 0.8)
        hill = soften(mask, reach / 2)
        x, y = math.cos(math.radians(light_deg)) * reach / 2, -math.sin(math.radians(light_deg)) * reach / 2
        far, near = shifted(hill, x, y), shifted(hill, -x, -y)  # heights a step from the light and to it
        lit, dark = cv2.subtract(far, near), cv2.subtract(near, far)
        if not outside:
            lit, dark = (cv2.multiply(slope, mask, scale=1 / 255) for slope in (lit, dark))
        gain = levels / 160  # a step of the mask loses about a third of its height in the blur
        lit, dark = (cv2.convertScaleAbs(slope, alpha=gain) for slope in (lit, dark))
        return cv2.subtract(cv2.add(image, cv2.merge([lit] * 3)), cv2.merge([dark] * 3))
