"""Fonts made on the spot, so that tests need none from the system."""

from __future__ import annotations

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

TALL, DEEP = set("bdfhklt"), set("gjpqy")


def make_font(
    path: Path,
    characters: str,
    *,
    family: str = "Test",
    style: str = "Regular",
    blank: str = "",
    small_capitals: bool = False,
) -> Path:
    """Write a font whose letters are combs: as many teeth as the bits of their code point.

    Args:
        path: Where to write; folders are made.
        characters: What the character map holds.
        family: Family in the name table.
        style: Style in the name table.
        blank: Characters that are mapped to an empty glyph.
        small_capitals: Whether small letters are as high as capitals.
    """
    names = {character: f"u{ord(character):04X}" for character in characters}
    glyphs = {".notdef": box(50, 0, 450, 700)}
    for character, name in names.items():
        low, high = (0, 700) if small_capitals or not character.islower() else extent(character)
        empty = character in blank or character.isspace()
        glyphs[name] = TTGlyphPen(None).glyph() if empty else comb(ord(character), low, high)
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({ord(character): name for character, name in names.items()})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": style})
    builder.setupOS2()
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)
    return path


def extent(character: str) -> tuple[int, int]:
    return (-200 if character in DEEP else 0), (700 if character in TALL else 500)


def box(left: int, bottom: int, right: int, top: int) -> object:
    pen = TTGlyphPen(None)
    rectangle(pen, left, bottom, right, top)
    return pen.glyph()


def comb(code: int, low: int, high: int) -> object:
    pen = TTGlyphPen(None)
    rectangle(pen, 50, low, 550, low + 120)
    for tooth in range(4):
        if code >> tooth & 1:
            rectangle(pen, 50 + 130 * tooth, low + 60, 140 + 130 * tooth, high)
    rectangle(pen, 50, low + 60, 120, high)
    return pen.glyph()


def rectangle(pen: TTGlyphPen, left: int, bottom: int, right: int, top: int) -> None:
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()
