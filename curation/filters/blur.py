"""Words out of focus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from curation.core.images import Pixels
from curation.filters.base import Drop, filters, positive
from curation.filters.contrast import spread
from curation.filters.rows import Rows

SHARPEST = 0.98  # the quantile of the slopes that counts as the sharpest edges
FAINT = 8.0  # of less contrast than this, slopes are noise


@filters.add("blur")
@dataclass(frozen=True, kw_only=True, slots=True)
class Blur:
    """Drops words without a sharp edge, at the height of 32 px at which they are read.

    Of 6,725 training words of IIIT5K, ICDAR 2015 and SVT 39 have edges above 6 px and one above 10; people
    read them still. Blurred by a Gaussian of 3 px, such words can be read and have about 8; blurred by 4 px,
    most cannot, and have about 10.

    Attributes:
        max_edge_px: Greatest width of an edge that stays, in pixels; see ``edge_px``.
    """

    max_edge_px: float = 10.0
    looks: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = ("blurred",)

    def __post_init__(self) -> None:
        positive(max_edge_px=self.max_edge_px)

    def drops(self, rows: Rows) -> Iterator[Drop]:
        found = rows.measured(edge_px, spread)
        yield Drop("blurred", found > self.max_edge_px, lambda i: f"edges {found[i]:.1f} px wide")


def edge_px(image: Pixels, found: tuple[int, int] | None = None) -> float:
    """Over how many pixels the sharpest edges rise from the darkest to the lightest, about; 0 if it is plain.

    Contrast over slope: a step between two pixels gives 1, whatever its height.

    Args:
        image: (H, W, 3) uint8 RGB.
        found: What ``contrast.spread`` says of it, if that is known already.
    """
    contrast, channel = found or spread(image)
    if contrast < FAINT:
        return 0.0
    grey = cv2.extractChannel(image, channel)
    upto = np.zeros(256)
    for slopes in (cv2.absdiff(grey[:, 1:], grey[:, :-1]), cv2.absdiff(grey[1:], grey[:-1])):
        if slopes.size:
            upto += cv2.calcHist([slopes], [0], None, [256], [0, 256])[:, 0]
    upto = np.cumsum(upto)
    sharpest = int(np.searchsorted(upto, SHARPEST * upto[-1]))
    return contrast / max(sharpest, 1)
