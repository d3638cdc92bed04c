"""Labels cut down to the characters that a recognizer knows."""

from __future__ import annotations

from dataclasses import dataclass

from curation.core.labels import CHARSET_94
from curation.filters.base import filters


@filters.add("repair_charset")
@dataclass(frozen=True, kw_only=True, slots=True)
class RepairCharset:
    """Deletes the characters of a label that are outside a charset, and keeps the picture, which shows them.

    So "5€" becomes "5": a wrong label. It is what PARSeq does to its training data; prefer ``label_charset``.

    Source: CharsetAdapter in baudm/parseq strhub/data/utils.py at 1902db0.

    Attributes:
        charset: The characters that stay.
    """

    charset: str = CHARSET_94

    def __post_init__(self) -> None:
        if not self.charset:
            raise ValueError("charset is empty; nothing would stay")

    def repaired(self, label: str) -> str:
        return "".join(c for c in label if c in self.charset)
