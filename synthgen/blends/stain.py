"""Letters that stain their ground, as ink does paper, or are bleached out of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.blends.base import blends
from synthgen.layers import mix


@blends.add("stain")
@dataclass(frozen=True, kw_only=True, slots=True)
class Stain:
    """Multiply the ground to the letters' colour where they are darker, screen it where they are lighter.

    The factor is such that a ground of its mean colour takes exactly the letters' colour.

    Source: the "multiply" and "screen" of PDF (ISO 32000), a channel each.
    """

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {}

    def apply(self, ground: Pixels, *, paint: Pixels, mask: Pixels, opacity: float) -> Pixels:
        parts = []
        for part, colour in zip(cv2.split(ground), cv2.split(paint), strict=True):
            mean = cv2.mean(part)[0]
            darker = cv2.multiply(part, colour, scale=1 / max(mean, 1.0))
            turned = cv2.multiply(
                cv2.bitwise_not(part), cv2.bitwise_not(colour), scale=1 / max(255 - mean, 1.0)
            )
            parts.append(darker if cv2.mean(colour)[0] <= mean else cv2.bitwise_not(turned))
        return mix(ground, cv2.merge(parts), mask, opacity)
