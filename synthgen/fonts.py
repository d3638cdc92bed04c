"""The font index: which files there are, and which characters each can really draw."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont

from curation.core.errors import UserError
from synthgen.materials import FONT_ENDINGS, listing
from synthgen.shaping import Face

_PROBES = "adgpr"  # small letters with an ascender, with a descender, with neither


@dataclass(frozen=True)
class FontFile:
    """One font that can be drawn.

    Attributes:
        name: Path below the fonts folder, with ``/``.
        family: As its name table says.
        style: Likewise: ``Bold Italic``.
        characters: Those of the asked charset that it draws; white space needs no ink.
    """

    name: str
    family: str
    style: str
    characters: frozenset[str]


@dataclass(frozen=True)
class FontIndex:
    """The fonts of one folder.

    Attributes:
        folder: Where they lie.
        fonts: Those that draw at least one character of the charset, sorted by name.
        skipped: Name and reason of the others: ``unreadable``, ``no_charmap``, ``no_character``.
    """

    folder: Path
    fonts: tuple[FontFile, ...]
    skipped: tuple[tuple[str, str], ...]


def index_fonts(folder: Path, charset: str) -> FontIndex:
    """Look into every font below ``folder``.

    Raises:
        UserError: the folder is missing or has no usable font, or a character of ``charset`` is in none.
    """
    fonts, skipped = [], []
    for path in listing(folder, FONT_ENDINGS, "fonts"):
        name = path.relative_to(folder).as_posix()
        found = _inspect(path, name, charset)
        if isinstance(found, FontFile):
            fonts.append(found)
        else:
            skipped.append((name, found))
    if not fonts:
        raise UserError(f"folder {folder} holds no usable font ({_reasons(skipped)}). Give other fonts.")
    covered = frozenset().union(*(font.characters for font in fonts))
    if missing := [c for c in charset if c not in covered]:
        raise UserError(
            f"no font in {folder} draws {' '.join(missing)}. Add a font that does, "
            "or take the characters out of the recipe's charset."
        )
    return FontIndex(folder, tuple(fonts), tuple(skipped))


class FontPicker:
    """Draws fonts for texts, so that every character of a text is covered.

    A family of k files gets the weight of the square root of k: large families do not drown the
    single display faces, and their many weights still count.

    Args:
        index: What to draw from.
    """

    def __init__(self, index: FontIndex) -> None:
        self.names = np.array([font.name for font in index.fonts], object)
        sizes = Counter(font.family for font in index.fonts)
        self._weights = np.array([sizes[font.family] ** -0.5 for font in index.fonts])
        self._fonts_of: dict[str, int] = {}  # character -> bit set of the fonts that draw it
        for bit, font in enumerate(index.fonts):
            for character in font.characters:
                self._fonts_of[character] = self._fonts_of.get(character, 0) | 1 << bit
        self._edges = functools.lru_cache(maxsize=4096)(self._edges_of)

    def pick(self, texts: np.ndarray, dice: np.ndarray) -> np.ndarray:
        """Pick a font for each text.

        Args:
            texts: Shape (n,), object (str).
            dice: Uniform draws in [0, 1), shape (n,).

        Returns:
            Font names, shape (n,), object (str); empty where no font covers the whole text.
        """
        return np.array([self._one(t, d) for t, d in zip(texts.tolist(), dice.tolist(), strict=True)], object)

    def _one(self, text: str, dice: float) -> str:
        fonts = -1
        for character in text:
            fonts &= self._fonts_of.get(character, 0)
        if fonts <= 0:
            return ""
        allowed, edges = self._edges(fonts)
        at = min(int(np.searchsorted(edges, dice, side="right")), len(allowed) - 1)
        name: str = self.names[allowed[at]]
        return name

    def _edges_of(self, fonts: int) -> tuple[np.ndarray, np.ndarray]:
        allowed = np.fromiter(_bits(fonts), int)
        edges = np.cumsum(self._weights[allowed])
        return allowed, edges / edges[-1]


def _inspect(path: Path, name: str, charset: str) -> FontFile | str:
    """The font at ``path``, or the reason why it cannot be used."""
    try:
        with path.open("rb") as stream, TTFont(stream, lazy=True, fontNumber=0) as file:
            charmap = (file.getBestCmap() if "cmap" in file else None) or {}
            family = file["name"].getBestFamilyName() or path.stem
            style = file["name"].getBestSubFamilyName() or "Regular"
    except Exception:  # fontTools lets struct.error, IndexError and many more out of a damaged table
        return "unreadable"
    if not charmap:
        return "no_charmap"
    face = Face.load(path)
    drawn = {
        c
        for c in charset
        if ord(c) in charmap and (c.isspace() or face.ink(face.font.get_nominal_glyph(ord(c)) or 0))
    }
    if _has_capitals_for_small_letters(face, charmap):
        drawn = {c for c in drawn if not c.islower()}  # a small letter drawn as a capital has a wrong label
    return FontFile(name, family, style, frozenset(drawn)) if drawn else "no_character"


def _has_capitals_for_small_letters(face: Face, charmap: dict[int, str]) -> bool:
    """Whether small letters look like capitals, of full size or small: then a, d and g are equally high."""
    inks = [face.ink(face.font.get_nominal_glyph(ord(c)) or 0) for c in _PROBES if ord(c) in charmap]
    heights = [ink.half_height for ink in inks if ink]
    return len(heights) >= 3 and max(heights) < 1.12 * min(heights)


def _bits(number: int) -> Iterator[int]:
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def _reasons(skipped: list[tuple[str, str]]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in sorted(Counter(r for _, r in skipped).items()))
