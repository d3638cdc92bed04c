"""Words that were small in the photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthgen.choices import check_range
from synthgen.effects.base import effects


@effects.add("low_resolution")
@dataclass(frozen=True, kw_only=True, slots=True)
class LowResolution:
    """Shrink the image, compress it there, and enlarge it to its size again.

    Source: a quarter of the crops in public street sets are less than 23 px high; JPEG blocks belong
    to the small image, as in the photos those crops were cut from.

    Attributes:
        height_px: Least and greatest height of the small image; images that are lower are left alone.
        quality: Least and greatest JPEG quality of the small image, 1 to 100.
    """

    height_px: tuple[float, float] = (14.0, 32.0)
    quality: tuple[int, int] = (60, 98)

    def __post_init__(self) -> None:
        check_range("height_px", self.height_px, 4)
        check_range("quality", self.quality, 1, 100)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "height_px": rng.uniform(*self.height_px, n),
            "quality": rng.integers(self.quality[0], self.quality[1] + 1, n),
            "smooth": rng.random(n) < 0.5,
        }

    def apply(self, image: np.ndarray, *, height_px: float, quality: int, smooth: bool) -> np.ndarray:
        height, width = image.shape[:2]
        if height_px >= height:
            return image.copy()
        small_size = max(1, round(width * height_px / height)), max(1, round(height_px))
        small = cv2.cvtColor(cv2.resize(image, small_size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
        small = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
        return cv2.resize(small, (width, height), interpolation=how)
