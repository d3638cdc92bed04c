"""What is known about every format: ``import --list`` says it."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from curation.core.recipe import resolved
from curation.importers import importers

WIDEST = {"title": 24, "source": 38, "words": 16, "licence": 22}  # characters before a cell goes on below


class Defaults:
    """What an importer may leave unsaid."""

    title: ClassVar[str] = ""
    source_is: ClassVar[str] = ""
    terms: ClassVar[str] = ""
    checksums: ClassVar[Mapping[str, str]] = {}


def fact(importer: Any, name: str) -> Any:
    """The attribute ``name`` of an importer's class, or its default."""
    return getattr(importer, name, None) or getattr(Defaults, name)


def facts(kind: str) -> dict[str, Any]:
    """All that is known about the format ``kind``, as JSON values."""
    importer = importers.get(kind)
    return {
        "format": kind,
        "title": fact(importer, "title") or (importer.__doc__ or kind).splitlines()[0],
        "source": fact(importer, "source_is"),
        "words": dict(importer.expected),
        "licence": importer.licence,
        "terms": fact(importer, "terms"),
        "url": importer.url,
        "citation": importer.citation,
        "checksums": dict(fact(importer, "checksums")),
        "options": options(importer),
    }


def options(importer: type[Any]) -> dict[str, Any]:
    """The options of an importer and their defaults."""
    return {f.name: resolved(f.default) for f in dataclasses.fields(importer) if f.init}


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Facts as an aligned table; long cells go on below, and the address, which comes last, stays whole."""
    names = ["format", "title", "source", "words", "licence", "url"]
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    wrapped = [
        [_wrapped(text, WIDEST.get(name, 1_000)) for name, text in zip(names, row, strict=True)]
        for row in cells
    ]
    widths = [max(len(line) for row in wrapped for line in row[i]) for i in range(len(names))]
    lines = []
    for row in wrapped:
        for i in range(max(map(len, row))):
            parts = [cell[i] if i < len(cell) else "" for cell in row]
            lines.append("  ".join(part.ljust(w) for part, w in zip(parts, widths, strict=True)).rstrip())
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False) or [""]


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(name if n is None else f"{name} {n:,}" for name, n in value.items())
    return str(value)
