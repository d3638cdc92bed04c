"""Noise of an image sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range, check_share
from synthgen.effects.base import effects
from synthgen.pools import NOISE_SIGMA, cut, grain


@effects.add("noise")
@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """Add Gaussian noise, of its own in each channel or the same in all.

    Source: MJSynth (arXiv:1406.2227); drawing from a pool is ours, for speed.

    Attributes:
        sigma: Least and greatest standard deviation, in grey levels of 255.
        grey: Share of images whose noise has no colour, 0 to 1.
    """

    sigma: tuple[float, float] = (1.0, 10.0)
    grey: float = 0.5

    def __post_init__(self) -> None:
        check_range("sigma", self.sigma, 0)
        check_share("grey", self.grey, at_most_one=True)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "sigma": rng.uniform(*self.sigma, n),
            "grey": rng.random(n) < self.grey,
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(self, image: np.ndarray, *, sigma: float, grey: bool, u: float, v: float) -> np.ndarray:
        noise = cut(grain(), u, v, image.shape[1], image.shape[0])
        if grey:
            noise = cv2.cvtColor(np.ascontiguousarray(noise[..., 0]), cv2.COLOR_GRAY2RGB)
        gain = sigma / NOISE_SIGMA
        return cv2.addWeighted(image, 1.0, noise, gain, -128 * gain)
