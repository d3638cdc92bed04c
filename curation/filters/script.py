"""Words of other scripts."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.base import Drop, filters, known
from curation.filters.rows import Rows


@filters.add("script")
@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """Drops words with a character of another script. What Unicode gives to no script, such as 7 and %, fits.

    Attributes:
        scripts: Which stay, by Unicode's names: ``Latin``, ``Greek``, ``Han``.
    """

    scripts: tuple[str, ...]
    reasons: ClassVar[tuple[str, ...]] = ("other_script",)

    def __post_init__(self) -> None:
        from fontTools.unicodedata import Scripts

        if not self.scripts:
            raise ValueError("scripts is empty; nothing would stay")
        for name in self.scripts:
            known("script", name, (name.replace("_", " ") for name in Scripts.NAMES.values()))

    def drops(self, rows: Rows) -> Iterator[Drop]:
        fit = {*self.scripts, "Common", "Inherited"}
        others = {c for c in set("".join(rows.labels)) if _script(c) not in fit}
        found = rows.where(lambda label: not others.isdisjoint(label))
        yield Drop("other_script", found, lambda i: _named(rows.labels[i], others))


@functools.lru_cache(maxsize=1 << 16)
def _script(c: str) -> str:
    from fontTools.unicodedata import script, script_name

    return str(script_name(script(c)))


def _named(label: str, others: set[str]) -> str:
    return f"{', '.join(sorted({_script(c) for c in others.intersection(label)}))} in {label!r}"
