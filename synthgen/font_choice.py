"""Which fonts a recipe prefers, and which it leaves out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol


class Described(Protocol):
    """What a choice looks at; see ``FontFile``."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def font_class(self) -> str: ...
    @property
    def weight(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def italic(self) -> bool: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FontWeight:
    """Fonts that are drawn more often, or less.

    Attributes:
        factor: Times as often; 0 leaves them out.
        match: Glob over a font's file name, family or class, whatever the case: ``*stencil*``.
        boldness: Least and greatest weight, from 1 to 1000: 400 is regular, 700 bold.
        width: Least and greatest width, from 1, ultra-condensed, over 5, normal, to 9.
        italic: Whether only italics or only upright fonts are meant; None for both.
    """

    factor: float
    match: str = "*"
    boldness: tuple[int, int] = (1, 1000)
    width: tuple[int, int] = (1, 9)
    italic: bool | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor >= 0):
            raise ValueError(f"factor must be 0 or more, got {self.factor:g}")

    def fits(self, font: Described) -> bool:
        """Whether ``font`` is meant."""
        return (
            matches(font, (self.match,))
            and self.boldness[0] <= font.weight <= self.boldness[1]
            and self.width[0] <= font.width <= self.width[1]
            and self.italic in (None, font.italic)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FontChoice:
    """Which fonts of the folder are drawn, and how often.

    A font's class is the word that ``classes.tsv`` in the fonts' folder gives it, else the name of the
    folder in it that the font lies in. Globs are compared with file name, family and class.

    Attributes:
        include: Globs of the fonts to draw; empty for all.
        exclude: Globs of fonts to leave out.
        weights: Factors; those of all entries that fit a font are multiplied.
        no_capitals: Globs of fonts that set no word wholly in capitals, as no one does in a running hand;
            words of one letter aside.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    weights: tuple[FontWeight, ...] = ()
    no_capitals: tuple[str, ...] = ()

    def factor(self, font: Described) -> float:
        """How much more often than by default ``font`` is drawn; 0 if never."""
        if (self.include and not matches(font, self.include)) or matches(font, self.exclude):
            return 0.0
        return math.prod(entry.factor for entry in self.weights if entry.fits(font))

    def idle(self, fonts: Sequence[Described]) -> str:
        """The first part of the choice that is about none of ``fonts``; empty if there is none."""
        for key in ("include", "exclude", "no_capitals"):
            for pattern in getattr(self, key):
                if not any(matches(font, (pattern,)) for font in fonts):
                    return f"{key} {pattern!r}"
        for i, entry in enumerate(self.weights):
            if not any(map(entry.fits, fonts)):
                return f"weights[{i}]"
        return ""


def matches(font: Described, patterns: Sequence[str]) -> bool:
    """Whether a glob of ``patterns`` fits the font's file name, family or class."""
    said = [text.lower() for text in (font.name, font.family, font.font_class)]
    return any(fnmatchcase(text, pattern.lower()) for pattern in patterns for text in said)
