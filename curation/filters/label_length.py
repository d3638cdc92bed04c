"""Labels shorter or longer than a recognizer reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.core.labels import PROTOCOLS, protocol
from curation.filters.base import Drop, filters, in_order, known
from curation.filters.rows import Rows


@filters.add("label_length")
@dataclass(frozen=True, kw_only=True, slots=True)
class LabelLength:
    """Drops labels by their number of characters.

    Source: 25 is the longest that PARSeq and DTRB read; they count before a charset is applied, as this does.

    Attributes:
        min: Least number of characters that stays.
        max: Greatest number that stays.
        protocol: Whose normalisation comes before counting, its charset aside. ``exact`` counts all there is.
    """

    min: int = 0
    max: int = 25
    protocol: str = "parseq94"
    reasons: ClassVar[tuple[str, ...]] = ("too_short", "too_long")

    def __post_init__(self) -> None:
        in_order(self.min, self.max, ("min", "max"))
        if self.min < 0:
            raise ValueError(f"min must be 0 or more, got {self.min}")
        known("protocol", self.protocol, PROTOCOLS)

    def drops(self, rows: Rows) -> Iterator[Drop]:
        rule = dataclasses.replace(protocol(self.protocol), charset=None, max_length=None)
        n = rows.lengths(len if self.protocol == "exact" else lambda label: len(rule.normalise(label)[0]))
        yield Drop("too_short", n < self.min, lambda i: f"{n[i]} characters")
        yield Drop("too_long", n > self.max, lambda i: f"{n[i]} characters")
