"""Labels of several words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.base import Drop, filters
from curation.filters.rows import Rows


@filters.add("white_space")
@dataclass(frozen=True, kw_only=True, slots=True)
class WhiteSpace:
    """Drops labels with white space inside, which are lines rather than words; at the ends it is harmless."""

    reasons: ClassVar[tuple[str, ...]] = ("white_space",)

    def drops(self, rows: Rows) -> Iterator[Drop]:
        inside = rows.where(lambda label: len(label.split()) > 1)
        yield Drop("white_space", inside, lambda i: repr(rows.labels[i]))
