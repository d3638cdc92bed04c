"""Labels in Unicode's compatibility form."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from curation.filters.base import filters


@filters.add("repair_nfkc")
@dataclass(frozen=True, kw_only=True, slots=True)
class RepairNfkc:
    """Brings labels to NFKC: full-width letters become common ones, ``ﬁ`` becomes fi, accents join."""

    def repaired(self, label: str) -> str:
        return label if label.isascii() else unicodedata.normalize("NFKC", label)
