"""Words that hardly stand out from their ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from curation.core.images import Pixels
from curation.filters.base import Drop, filters
from curation.filters.rows import Rows

DARK, LIGHT = 0.05, 0.95  # the quantiles that count as dark and light: thin letters cover a tenth


@filters.add("contrast")
@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """Drops words of little contrast.

    Of 6,725 training words of IIIT5K, ICDAR 2015 and SVT none has less than 22, which people still read.

    Attributes:
        min: Least contrast that stays, 0-255; see ``contrast``.
    """

    min: float = 15.0
    looks: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = ("low_contrast",)

    def __post_init__(self) -> None:
        if not 0 < self.min < 256:
            raise ValueError(f"min must be above 0 and below 256, got {self.min:g}")

    def drops(self, rows: Rows) -> Iterator[Drop]:
        found = rows.measured(contrast, spread)
        yield Drop("low_contrast", found < self.min, lambda i: f"contrast {found[i]:.0f}")


def contrast(image: Pixels, found: tuple[int, int] | None = None) -> float:
    """From the 5 % to the 95 % quantile of the brightness of red, green or blue: of the one that has most.

    Args:
        image: (H, W, 3) uint8 RGB.
        found: What ``spread`` says of it, if that is known already.
    """
    return float((found or spread(image))[0])


def spread(image: Pixels) -> tuple[int, int]:
    """The contrast, and which channel has it: letters as light as their ground may differ in colour."""
    n = image.shape[0] * image.shape[1]
    found = []
    for channel in range(3):
        upto = np.cumsum(cv2.calcHist([image], [channel], None, [256], [0, 256])[:, 0])
        dark, light = np.searchsorted(upto, [DARK * n, LIGHT * n])
        found.append((int(light - dark), -channel))
    most, channel = max(found)
    return most, -channel
