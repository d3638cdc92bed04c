"""Plaster, wood, brushed metal, paper: fractal noise, stretched and strengthened."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.backgrounds.base import backgrounds
from synthgen.choices import check_range
from synthgen.pools import clouds, cut


@backgrounds.add("texture")
@dataclass(frozen=True, kw_only=True, slots=True)
class Texture:
    """Add fractal noise; drawn out along one direction it looks like wood or brushed metal.

    Source: Perlin's fractal sums (SIGGRAPH 1985), as value noise; ranges are ours.

    Attributes:
        levels: Least and greatest standard deviation, in grey levels of 255.
        scale: Least and greatest size of the grain against the noise pool's; drawn on a log scale.
        stretch: Greatest ratio of the grain's length to its breadth; half of the textures have none.
    """

    levels: tuple[float, float] = (3.0, 16.0)
    scale: tuple[float, float] = (0.3, 3.0)
    stretch: float = 12.0

    def __post_init__(self) -> None:
        check_range("levels", self.levels, 0, 255)
        check_range("scale", self.scale, 0.05, 50)
        check_range("stretch", (1, self.stretch), 1, 100)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        stretch = np.exp(rng.uniform(0.0, np.log(self.stretch), n)) if self.stretch > 1 else np.ones(n)
        return {
            "levels": rng.uniform(*self.levels, n),
            "scale": np.exp(rng.uniform(*np.log(self.scale), n)),
            "stretch": np.where(rng.random(n) < 0.5, stretch, 1.0),
            "upright": rng.random(n) < 0.5,
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(
        self,
        image: np.ndarray,
        *,
        levels: float,
        scale: float,
        stretch: float,
        upright: bool,
        u: float,
        v: float,
    ) -> np.ndarray:
        height, width = image.shape[:2]
        across, along = (scale, scale * stretch) if upright else (scale * stretch, scale)
        piece = cut(clouds(), u, v, max(2, round(width / across)), max(2, round(height / along)))
        grain = cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR)
        gain = levels / 45
        return cv2.addWeighted(image, 1.0, cv2.cvtColor(grain, cv2.COLOR_GRAY2RGB), gain, -128 * gain)
