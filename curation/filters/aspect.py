"""Boxes that cannot hold their label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curation.filters.base import Drop, filters, in_order, n_letters, positive
from curation.filters.rows import Rows


@filters.add("aspect")
@dataclass(frozen=True, kw_only=True, slots=True)
class Aspect:
    """Drops words by the width that each character has in the picture, in heights of the picture.

    Much less than in print means that the picture shows a part of the word or another one, much more that it
    shows more than the word. Words set from top to bottom have little, too; they are left to ``vertical``.
    Of the 6,574 training words of IIIT5K, ICDAR 2015 and SVT that are not, 6 have less than 0.1, set aslant,
    and none has more than 2; half lie between 0.36 and 0.58.

    Attributes:
        min_advance: Least width a character that stays, in heights.
        max_advance: Greatest width a character that stays, in heights.
        vertical: Pictures higher than this many widths are not judged.
    """

    min_advance: float = 0.1
    max_advance: float = 2.0
    vertical: float = 1.5
    reasons: ClassVar[tuple[str, ...]] = ("too_narrow", "too_wide")

    def __post_init__(self) -> None:
        positive(min_advance=self.min_advance, max_advance=self.max_advance, vertical=self.vertical)
        in_order(self.min_advance, self.max_advance, ("min_advance", "max_advance"))

    def drops(self, rows: Rows) -> Iterator[Drop]:
        n = np.maximum(rows.lengths(n_letters), 1)
        advance = rows.width / np.maximum(rows.height * n, 1)
        lying = rows.height <= self.vertical * rows.width

        def detail(i: int) -> str:
            return f"{advance[i]:.3f} heights a character, {rows.width[i]} x {rows.height[i]} px"

        yield Drop("too_narrow", lying & (advance < self.min_advance), detail)
        yield Drop("too_wide", lying & (advance > self.max_advance), detail)
