"""Letters that take over their ground's fine detail: the look of Poisson blending without its cost."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.blends.base import blends
from synthgen.choices import check_range
from synthgen.layers import mix


@blends.add("grain")
@dataclass(frozen=True, kw_only=True, slots=True)
class Grain:
    """Add the ground's detail, what differs from its blurred self, to the letters.

    Source: the look of SynthText's Poisson blending (arXiv:1604.06646), by a detail layer; ranges are ours.

    Attributes:
        strength: Least and greatest share of the ground's detail that the letters take over.
        reach: Standard deviation of the blur against the image's height: what is coarser is left behind.
    """

    strength: tuple[float, float] = (0.5, 1.0)
    reach: float = 0.12

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0, 2)
        check_range("reach", (self.reach, self.reach), 0.02, 1)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"strength": rng.uniform(*self.strength, n)}

    def apply(
        self, ground: Pixels, *, paint: Pixels, mask: Pixels, opacity: float, strength: float
    ) -> Pixels:
        size = 2 * max(1, round(self.reach * ground.shape[0])) + 1
        coarse = cv2.blur(ground, (size, size))
        detail = cv2.addWeighted(ground, strength, coarse, -strength, 128)
        return mix(ground, cv2.addWeighted(paint, 1, detail, 1, -128), mask, opacity)
