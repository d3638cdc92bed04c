"""Pictures that cannot be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curation.filters.base import Drop, filters
from curation.filters.rows import Rows


@filters.add("unreadable_image")
@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableImage:
    """Drops words whose picture is damaged, no picture at all, or larger than can be decoded safely.

    Every filter that looks at pictures does the same with those that it cannot decode.
    """

    looks: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = ("broken_image",)

    def drops(self, rows: Rows) -> Iterator[Drop]:
        for i in np.flatnonzero(rows.alive).tolist():
            rows.picture(i)
        yield from ()
