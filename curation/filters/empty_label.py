"""Words without a transcription."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.base import Drop, filters
from curation.filters.rows import Rows


@filters.add("empty_label")
@dataclass(frozen=True, kw_only=True, slots=True)
class EmptyLabel:
    """Drops words whose label is empty or white space."""

    reasons: ClassVar[tuple[str, ...]] = ("empty_label",)

    def drops(self, rows: Rows) -> Iterator[Drop]:
        yield Drop("empty_label", rows.where(lambda label: not label.strip()), lambda i: "")
