"""Block letters: their depth, seen from the side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.choices import check_range
from synthgen.decorations.base import decorations
from synthgen.layers import Colour, cover, luma_of, shaded, shifted


@decorations.add("extrusion")
@dataclass(frozen=True, kw_only=True, slots=True)
class Extrusion:
    """Sweep the letters along a direction in a darker shade of their colour; black ones in a lighter.

    Source: the extruded text of SynthTIGER (arXiv:2107.09313); ranges are ours.

    Attributes:
        length: Least and greatest length of the sweep against the letters' height.
        shade: Least and greatest luma of the sides against the letters', 0 to 1.
        contrast: Least luma difference between letters and sides, in grey levels of 255.
    """

    on_top: ClassVar[bool] = False
    length: tuple[float, float] = (0.04, 0.14)
    shade: tuple[float, float] = (0.3, 0.65)
    contrast: float = 45.0

    def __post_init__(self) -> None:
        check_range("length", self.length, 0, 0.5)
        check_range("shade", self.shade, 0, 1)
        check_range("contrast", (0, self.contrast), 0, 127)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "length": rng.uniform(*self.length, n),
            "angle_deg": rng.uniform(0, 360, n),
            "shade": rng.uniform(*self.shade, n),
        }

    def apply(
        self,
        image: Pixels,
        *,
        mask: Pixels,
        text: Colour,
        letter_px: float,
        length: float,
        angle_deg: float,
        shade: float,
    ) -> Pixels:
        luma = luma_of(text)
        dark = min(luma * shade, luma - self.contrast)
        side = shaded(text, dark if dark >= 0 else luma + self.contrast + 60 * (1 - shade))
        return cover(image, side, sweep(mask, length * letter_px, angle_deg))


def sweep(mask: Pixels, length_px: float, angle_deg: float) -> Pixels:
    """Everything that ``mask`` passes over on its way of ``length_px``, itself included.

    The way is halved again and again: as many steps as the length has binary digits, not pixels.

    Args:
        mask: (H, W) uint8.
        length_px: Length of the way, at least 0.
        angle_deg: Its direction, from the right towards the top.
    """
    x, y = math.cos(math.radians(angle_deg)), -math.sin(math.radians(angle_deg))
    swept, step = mask, min(1.0, length_px)
    gone = 0.0
    while gone < length_px:
        move = min(step, length_px - gone)
        swept = cv2.max(swept, shifted(swept, x * move, y * move))
        gone += move
        step = gone
    return swept
