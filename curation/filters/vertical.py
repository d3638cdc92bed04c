"""Words set from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.base import Drop, filters, n_letters, positive
from curation.filters.rows import Rows


@filters.add("vertical")
@dataclass(frozen=True, kw_only=True, slots=True)
class Vertical:
    """Drops words of more than one character whose picture is much higher than wide.

    Source: MMOCR drops words of LSVT whose height is above twice the width.

    Attributes:
        max_ratio: Greatest height that stays, in widths.
    """

    max_ratio: float = 2.0
    reasons: ClassVar[tuple[str, ...]] = ("vertical",)

    def __post_init__(self) -> None:
        positive(max_ratio=self.max_ratio)

    def drops(self, rows: Rows) -> Iterator[Drop]:
        high = (rows.height > self.max_ratio * rows.width) & (rows.lengths(n_letters) > 1)
        yield Drop("vertical", high, lambda i: f"{rows.width[i]} x {rows.height[i]} px")
