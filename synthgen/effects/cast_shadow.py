"""The shadow of something outside the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range, check_share
from synthgen.effects.base import effects
from synthgen.light import coloured, slope
from synthgen.pools import clouds, cut


@effects.add("cast_shadow")
@dataclass(frozen=True, kw_only=True, slots=True)
class CastShadow:
    """Darken one side of a straight edge, or the blotches that leaves would leave in shade.

    Shadows are lit by the sky, so they are a little bluer than what is in the light. What is in shade
    keeps 1 - loss of its contrast.

    Source: shadows that cross outdoor signs, as in augraphy's ShadowCast; the ranges are ours.

    Attributes:
        loss: Least and greatest share of the light that is missing in full shade, 0 to 1.
        softness: Least and greatest width of the edge, as a share of the image's extent.
        dapple: Share of shadows that are blotches, 0 to 1.
    """

    loss: tuple[float, float] = (0.15, 0.65)
    softness: tuple[float, float] = (0.01, 0.3)
    dapple: float = 0.35

    def __post_init__(self) -> None:
        check_range("loss", self.loss, 0, 1)
        check_range("softness", self.softness, 0, 1)
        check_share("dapple", self.dapple, at_most_one=True)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "loss": rng.uniform(*self.loss, n),
            "softness": rng.uniform(*self.softness, n),
            "edge": rng.uniform(0.2, 0.8, n),
            "angle_deg": rng.uniform(0, 360, n),
            "dapple": rng.random(n) < self.dapple,
            "scale": np.exp(rng.uniform(np.log(0.8), np.log(4), n)),
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(
        self,
        image: np.ndarray,
        *,
        loss: float,
        softness: float,
        edge: float,
        angle_deg: float,
        dapple: bool,
        scale: float,
        u: float,
        v: float,
    ) -> np.ndarray:
        height, width = image.shape[:2]
        if dapple:
            piece = cut(clouds(), u, v, max(2, round(width / scale)), max(2, round(height / scale)))
            plane = cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR)
        else:
            plane = slope(width, height, angle_deg)
        shade = np.minimum(np.maximum((_GREYS - edge) / max(softness, 0.004) + 0.5, 0), 1)
        lost = (loss * shade)[:, None] * [1.0, 0.97, 0.9]
        return cv2.multiply(image, coloured(plane, 255 * (1 - lost)), scale=1 / 255)


_GREYS = np.arange(256) / 255
