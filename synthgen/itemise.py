"""Cutting a word into pieces of one script and one direction, in the order in which they stand."""

from __future__ import annotations

from typing import NamedTuple

from fontTools import unicodedata as scripts

from synthgen.bidi import levels, visual

_SHARED = frozenset({"Zyyy", "Zinh", "Zzzz"})  # digits, marks, punctuation: they go with their neighbours
PLAIN_BELOW = "\u0590"  # Latin, Greek, Cyrillic, Armenian: left to right, letter by letter


class Item(NamedTuple):
    """A piece of a text.

    Attributes:
        start: Its first character.
        length: Its characters.
        script: ISO 15924, such as ``Arab``; empty where nothing in the text has a script of its own.
        rightward: Whether it runs from left to right.
    """

    start: int
    length: int
    script: str
    rightward: bool


def itemise(text: str) -> list[Item]:
    """The pieces of ``text`` from left to right."""
    depth, script = levels(text), _scripts(text)
    cuts = [i for i in range(len(text)) if not i or (depth[i], script[i]) != (depth[i - 1], script[i - 1])]
    items = [
        Item(start, stop - start, script[start], depth[start] % 2 == 0)
        for start, stop in zip(cuts, [*cuts[1:], len(text)], strict=True)
    ]
    return visual(items, [depth[item.start] for item in items])


def script_of(character: str) -> str:
    """The script of a character, ISO 15924; empty for one that many scripts share."""
    script: str = scripts.script(character)
    return "" if script in _SHARED else script


def _scripts(text: str) -> list[str]:
    """The script of each character; what scripts share goes with what stands before it, else after."""
    found = [script_of(character) for character in text]
    for i in range(1, len(found)):
        found[i] = found[i] or found[i - 1]
    for i in range(len(found) - 2, -1, -1):
        found[i] = found[i] or found[i + 1]
    return found
