"""Labels with white space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curation.filters.base import filters


@filters.add("repair_white_space")
@dataclass(frozen=True, kw_only=True, slots=True)
class RepairWhiteSpace:
    """Removes white space from labels.

    Attributes:
        remove: ``ends`` for that before and after the label, ``all`` also for that inside, as PARSeq does:
            the picture then shows a gap where the label has none.
    """

    remove: Literal["ends", "all"] = "ends"

    def repaired(self, label: str) -> str:
        return label.strip() if self.remove == "ends" else "".join(label.split())
