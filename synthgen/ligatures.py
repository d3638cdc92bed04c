"""Where a font may not join characters: ``->`` must not become an arrow, nor the x of ``5x7`` a cross."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

# Of the features that are on by themselves, those by which fonts draw one sign for several characters.
_JOINING = ("liga", "clig", "calt", "rlig")
_APART = {"liga": False, "clig": False}  # letters set apart cannot be joined in one glyph
# Signs, the cased letters between two of them, and one at either end; and letters that stand alone.
_SIGNED = re.compile(r"l?s+(?:l*s+)*l?|(?<!l)l(?!l)")


def features(text: str, apart: bool = False) -> dict[str, Any] | None:
    """HarfBuzz features for ``text``: letters are joined as the font says, marks, digits and signs never.

    Letters between marks are not joined either, for ``(c)`` is in many fonts one sign, but ``(`` in
    ``(office`` leaves its ``ffi`` alone. Scripts without case are left to the font: their words need it.

    Args:
        text: In logical order.
        apart: Whether letters are set apart, so that none may be joined.

    Returns:
        None where nothing is switched off.
    """
    if text.isalpha():
        return _APART if apart else None
    spans = [(*span.span(), False) for span in _SIGNED.finditer("".join(map(_kind, text)))]
    if not spans:
        return _APART if apart else None
    off: dict[str, Any] = dict.fromkeys(_JOINING, spans)
    return off | _APART if apart else off


def _kind(character: str) -> str:
    """``l`` for a cased letter, ``s`` for a digit, mark or sign, ``o`` for any other."""
    if character.isalpha():
        return "l" if character.lower() != character.upper() else "o"
    return "s" if unicodedata.category(character)[0] in "NPS" else "o"
