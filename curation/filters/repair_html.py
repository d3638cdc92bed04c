"""Labels with entities of HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass

from curation.filters.base import filters


@filters.add("repair_html")
@dataclass(frozen=True, kw_only=True, slots=True)
class RepairHtml:
    """Turns ``&amp;`` into &, as COCO-Text's labels need it."""

    def repaired(self, label: str) -> str:
        return html.unescape(label) if "&" in label else label
