"""Blur of a lens that is focused elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects


@effects.add("defocus")
@dataclass(frozen=True, kw_only=True, slots=True)
class Defocus:
    """Blur with a Gaussian.

    Source: MJSynth (arXiv:1406.2227) and every renderer since; the range is ours.

    Attributes:
        sigma_px: Least and greatest standard deviation, in pixels of the rendered image.
    """

    sigma_px: tuple[float, float] = (0.4, 1.8)

    def __post_init__(self) -> None:
        check_range("sigma_px", self.sigma_px, 0, 30)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"sigma_px": rng.uniform(*self.sigma_px, n)}

    def apply(self, image: np.ndarray, *, sigma_px: float) -> np.ndarray:
        if sigma_px < 0.1:  # the kernel would be a single 1
            return image.copy()
        return cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
