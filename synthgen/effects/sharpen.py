"""Halos of sharpened pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects


@effects.add("sharpen")
@dataclass(frozen=True, kw_only=True, slots=True)
class Sharpen:
    """Add what blur would take away (an unsharp mask), as phones and web sites do to small pictures.

    Source: the halos around letters in IIIT5K-Words and ICDAR 2015; the ranges are ours.

    Attributes:
        amount: Least and greatest multiple of the detail that is added.
        sigma_px: Least and greatest standard deviation of the blur that defines detail.
    """

    amount: tuple[float, float] = (0.4, 2.5)
    sigma_px: tuple[float, float] = (0.6, 2.0)

    def __post_init__(self) -> None:
        check_range("amount", self.amount, 0, 20)
        check_range("sigma_px", self.sigma_px, 0.1, 30)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"amount": rng.uniform(*self.amount, n), "sigma_px": rng.uniform(*self.sigma_px, n)}

    def apply(self, image: np.ndarray, *, amount: float, sigma_px: float) -> np.ndarray:
        soft = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
        return cv2.addWeighted(image, 1 + amount, soft, -amount, 0)
