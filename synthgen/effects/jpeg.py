"""Blocks and ringing of JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects


@effects.add("jpeg")
@dataclass(frozen=True, kw_only=True, slots=True)
class Jpeg:
    """Compress the image and decode it again.

    Source: SynthTIGER (arXiv:2107.09313), whose range is 50 to 95.

    Attributes:
        quality: Least and greatest quality, 1 to 100.
    """

    quality: tuple[int, int] = (30, 90)

    def __post_init__(self) -> None:
        check_range("quality", self.quality, 1, 100)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"quality": rng.integers(self.quality[0], self.quality[1] + 1, n)}

    def apply(self, image: np.ndarray, *, quality: int) -> np.ndarray:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)  # the standard weighs blue least
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
        return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
