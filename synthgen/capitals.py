"""Whether a word is set in capitals."""

from __future__ import annotations


def in_capitals(text: str) -> bool:
    """Whether ``text`` is in capitals, be it with a small i as in ``BRiLLiANT``; ``Hi`` is not."""
    if text.isupper():
        return True
    rest = text.replace("i", "")
    return rest != text and rest.isupper() and sum(map(str.isupper, rest)) > 1
