"""A card with an edge in it: the border of a sign, the line between two boards."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.backgrounds.base import backgrounds
from synthgen.choices import check_range


@backgrounds.add("split")
@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Give everything beyond a line near the border another brightness.

    Source: the rims and rules that show at the border of many real crops; ranges are ours.

    Attributes:
        levels: Least and greatest difference in brightness, in grey levels of 255; either sign.
        reach: Least and greatest distance of the line from the border, relative to the height.
        tilt_deg: Greatest slope of the line, in degrees either way.
    """

    levels: tuple[float, float] = (15.0, 120.0)
    reach: tuple[float, float] = (0.02, 0.2)
    tilt_deg: float = 6.0

    def __post_init__(self) -> None:
        check_range("levels", self.levels, 0, 255)
        check_range("reach", self.reach, 0, 1)
        check_range("tilt_deg", (0, self.tilt_deg), 0, 45)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        sign = np.where(rng.random(n) < 0.5, 1.0, -1.0)
        return {
            "levels": rng.uniform(*self.levels, n) * sign,
            "reach": rng.uniform(*self.reach, n),
            "tilt_deg": rng.uniform(-self.tilt_deg, self.tilt_deg, n),
            "side": rng.choice(4, n, p=[0.35, 0.35, 0.15, 0.15]),
        }

    def apply(
        self, image: np.ndarray, *, levels: float, reach: float, tilt_deg: float, side: int
    ) -> np.ndarray:
        out = image.copy()
        height, width = image.shape[:2]
        colour = [min(max(channel + levels, 0.0), 255.0) for channel in cv2.mean(image)[:3]]
        deep = reach * height
        length = width if side < 2 else height
        lean = np.tan(np.deg2rad(tilt_deg)) * length / 2
        near, far = deep - lean, deep + lean
        if side < 2:
            corners = [(0, -height), (width, -height), (width, far), (0, near)]
            corners = corners if side == 0 else [(x, height - y) for x, y in corners]
        else:
            corners = [(-width, 0), (-width, height), (far, height), (near, 0)]
            corners = corners if side == 2 else [(width - x, y) for x, y in corners]
        points = np.rint(np.array(corners) * 16).astype(np.int32)
        return cv2.fillPoly(out, [points], colour, lineType=cv2.LINE_AA, shift=4)
