"""Mild's changes and the commonest defects of photographed words."""

from __future__ import annotations

from dataclasses import dataclass

from train.augments.base import augments
from train.augments.mild import Mild
from train.augments.plan import Range


@augments.add("strong")
@dataclass(frozen=True, kw_only=True)
class Strong(Mild):
    """As ``mild``, with wider ranges, and with words of few pixels, blurred by motion or covered in part."""

    rotation_deg: Range = (-10.0, 10.0)
    perspective: Range = (-0.2, 0.2)
    noise: Range = (0.0, 0.2)
    cover_share: float = 0.1
    motion_share: float = 0.15
    detail_share: float = 0.35
