"""Labels written in ASCII."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from curation.filters.base import filters


@filters.add("repair_ascii")
@dataclass(frozen=True, kw_only=True, slots=True)
class RepairAscii:
    """Decomposes characters (NFKD) and deletes all but ASCII, as PARSeq does: ``naïve`` becomes ``naive``.

    What does not decompose is lost without a trace: ``søren`` becomes ``sren``, and ``½`` becomes 12. Have
    ``label_charset`` with a protocol before it to drop such words instead.

    Source: baudm/parseq strhub/data/dataset.py at 1902db0.
    """

    def repaired(self, label: str) -> str:
        if label.isascii():
            return label
        return unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
