"""Labels with characters that a recognizer does not know."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.core.labels import PROTOCOLS, Protocol, protocol
from curation.filters.base import Drop, filters, known
from curation.filters.rows import Rows


@filters.add("label_charset")
@dataclass(frozen=True, kw_only=True, slots=True)
class LabelCharset:
    """Drops words whose label has a character outside a charset; labels are never edited.

    Under a protocol a character counts as what the protocol makes of it: ``ï`` is in ``parseq94``, because
    it becomes ``i``. One of which a part would be lost is not: ``ø``, which that protocol would delete, and
    ``½``, of which it would leave 12.

    Attributes:
        protocol: A protocol that has a charset.
        charset: The characters themselves, exactly. Give one of the two.
    """

    protocol: str | None = None
    charset: str | None = None
    reasons: ClassVar[tuple[str, ...]] = ("unsupported_character",)

    def __post_init__(self) -> None:
        if (self.protocol is None) == (self.charset is None):
            raise ValueError("give either protocol or charset")
        if self.charset is not None and not self.charset:
            raise ValueError("charset is empty; nothing would stay")
        if self.protocol is not None:
            known("protocol", self.protocol, PROTOCOLS)
        if self.protocol is not None and protocol(self.protocol).charset is None:
            having = ", ".join(name for name, p in PROTOCOLS.items() if p.charset is not None)
            raise ValueError(f"the protocol {self.protocol!r} has no charset; those that have one: {having}")

    def drops(self, rows: Rows) -> Iterator[Drop]:
        outside = {c for c in set("".join(rows.labels)) if not self._knows(c)}
        found = rows.where(lambda label: not outside.isdisjoint(label))
        yield Drop("unsupported_character", found, lambda i: _named(rows.labels[i], outside))

    def _knows(self, c: str) -> bool:
        if self.charset is not None:
            return c in self.charset
        return _survives(c, protocol(self.protocol or ""))


@functools.lru_cache(maxsize=1 << 16)
def _survives(c: str, rule: Protocol) -> bool:
    """Whether all of the character ``c`` is left when the protocol is through with it."""
    if rule.remove_whitespace and c.isspace():
        return True
    parts = unicodedata.normalize("NFKD", c) if rule.nfkd_ascii else c
    letters = [part for part in parts if not (rule.nfkd_ascii and unicodedata.combining(part))]
    lower = [part.lower() if rule.lowercase else part for part in letters]
    return all(part in (rule.charset or "") for part in lower)


def _named(label: str, outside: set[str]) -> str:
    wrong = "".join(sorted(outside.intersection(label)))
    return f"{wrong!r} in {label!r}"
