"""Pictures too small to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.base import Drop, filters, positive
from curation.filters.rows import Rows


@filters.add("size")
@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Drops words whose picture is low or narrow.

    Source: 8 px is the default of ``min_image_dim`` in PARSeq's tools/filter_lmdb.py; its data set class
    has an option of that name too, but fails when it is used.

    Attributes:
        min_width_px: Least width that stays.
        min_height_px: Least height that stays.
    """

    min_width_px: int = 8
    min_height_px: int = 8
    reasons: ClassVar[tuple[str, ...]] = ("too_small",)

    def __post_init__(self) -> None:
        positive(min_width_px=self.min_width_px, min_height_px=self.min_height_px)

    def drops(self, rows: Rows) -> Iterator[Drop]:
        small = (rows.width < self.min_width_px) | (rows.height < self.min_height_px)
        yield Drop("too_small", small, lambda i: f"{rows.width[i]} x {rows.height[i]} px")
