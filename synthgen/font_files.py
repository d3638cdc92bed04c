"""One font file: which faces it holds, what they are called, and which characters they can really draw."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont

from synthgen.itemise import script_of
from synthgen.shaping import COLOUR_TABLES, Face, Ink, invisible, needs_ink

_PROBES = "adgpr"  # small letters with an ascender, with a descender, with neither
_OUTLINES = frozenset({"glyf", "CFF ", "CFF2"})
_HIDDEN_AXIS = 1
_LEAST_OF_SCRIPT = 10  # characters below which a font is not said to serve a script
# Characters that some fonts draw with the same outline as one of those after them, and which then go: a digit
# or a bar before a letter. A capital I like a small l stays: words in capitals need it, and tell it apart.
_ALIKE = (("0", "OΟО"), ("1", "IΙІl"), ("|", "IΙІl1"))
_LICENCES = {  # what a name table says -> SPDX name
    r"open font licen[cs]e|scripts\.sil\.org/ofl|openfontlicense\.org": "OFL-1.1",
    r"apache licen[cs]e|apache\.org/licenses": "Apache-2.0",
    r"ubuntu font licen[cs]e": "Ubuntu-font-1.0",
    r"creativecommons\.org/publicdomain/zero|\bcc0\b": "CC0-1.0",
    r"gust font licen[cs]e": "GUST-Font-License",
    r"\bmit licen[cs]e|permission is hereby granted, free of charge, to any person obtaining": "MIT",
    r"bitstream vera": "Bitstream-Vera",
    r"general public licen[cs]e|\bgpl\b": "GPL",
    r"public domain": "LicenseRef-public-domain",
}

REASONS = {
    "unreadable": "the file is damaged or no font",
    "no_charmap": "it has no character map",
    "no_character": "it draws no character of the charset",
    "colour_only": "it has colour pictures and no outlines",
    "needs_brotli": "it is WOFF2, which needs the package brotli: pip install 'glyphmix[woff2]'",
    "no_access": "the file cannot be read: look at its rights and at the disk",
    "duplicate": "the same bytes as another file",
    "excluded": "the recipe excludes it",
}
PASSING = frozenset({"needs_brotli", "no_access"})  # may be otherwise next time, with the same file


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """An axis of a variable font, such as ``wght`` from 100 to 900."""

    tag: str
    low: float
    default: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceFacts:
    """What a face says of itself, and what it draws.

    Attributes:
        number: Which one of a collection, from 0; None for a file with a single face.
        family: As its name table says; empty where it says nothing.
        style: Likewise: ``Bold Italic``.
        weight: From 1 to 1000; 400 is regular, 700 bold.
        width: From 1, ultra-condensed, over 5, normal, to 9, ultra-expanded.
        italic: Whether it is slanted.
        licence: SPDX name, or ``unknown``.
        axes: Of a variable font, those that are not hidden.
        scripts: ISO 15924 names of the scripts it has letters of, the fullest first.
        characters: Those of the asked charset that it draws, in the charset's order.
    """

    number: int | None
    family: str
    style: str
    weight: int
    width: int
    italic: bool
    licence: str
    axes: tuple[Axis, ...]
    scripts: tuple[str, ...]
    characters: str


def inspect(path: Path, charset: str) -> list[FaceFacts | str]:
    """Each face of the font file ``path``, or the reason (see ``REASONS``) why it cannot be used."""
    try:
        return list(_faces(path, charset))
    except ImportError:
        return ["needs_brotli"]
    except OSError:
        return ["no_access"]
    except Exception:  # fontTools lets struct.error, IndexError and many more out of a damaged table
        return ["unreadable"]


def licence_of(texts: Collection[str]) -> str:
    """The licence that a font's own words name, as SPDX; ``unknown`` if none is recognised."""
    said = " ".join(texts).lower()
    return next((name for pattern, name in _LICENCES.items() if re.search(pattern, said)), "unknown")


def _faces(path: Path, charset: str) -> Iterator[FaceFacts | str]:
    with path.open("rb") as stream:
        is_collection = stream.read(4) == b"ttcf"
        stream.seek(0)
        if not is_collection:
            with TTFont(stream, lazy=True) as file:
                yield _facts(file, path, None, charset)
            return
        with TTCollection(stream, lazy=True) as files:
            for number, file in enumerate(files.fonts):
                yield _facts(file, path, number, charset)


def _facts(file: TTFont, path: Path, number: int | None, charset: str) -> FaceFacts | str:
    charmap = (file.getBestCmap() if "cmap" in file else None) or {}
    if not charmap:
        return "no_charmap"
    tags = set(file.keys())
    if not tags & _OUTLINES:
        return "colour_only" if tags & COLOUR_TABLES else "unreadable"
    face = Face.load(path, number or 0)
    characters = _drawn(face, charmap, charset)
    if not characters:
        return "colour_only" if tags & COLOUR_TABLES and any(map(needs_ink, charset)) else "no_character"
    names = file.get("name")
    said = [str(r) for r in names.names if r.nameID in (0, 13, 14)] if names else []
    os2 = file.get("OS/2")
    style = (names.getBestSubFamilyName() if names else None) or "Regular"
    return FaceFacts(
        number=number,
        family=(names.getBestFamilyName() if names else None) or "",
        style=style,
        weight=getattr(os2, "usWeightClass", 400),
        width=getattr(os2, "usWidthClass", 5),
        italic=bool(getattr(os2, "fsSelection", 0) & 0x201) or "italic" in style.lower(),
        licence=licence_of(said),
        axes=_axes(file),
        scripts=_scripts(charmap),
        characters=characters,
    )


def _axes(file: TTFont) -> tuple[Axis, ...]:
    if "fvar" not in file:
        return ()
    return tuple(
        Axis(tag=a.axisTag, low=a.minValue, default=a.defaultValue, high=a.maxValue)
        for a in file["fvar"].axes
        if not a.flags & _HIDDEN_AXIS and a.minValue < a.maxValue
    )


def _scripts(charmap: Collection[int]) -> tuple[str, ...]:
    counts = Counter(script_of(chr(code)) for code in charmap)
    del counts[""]
    return tuple(script for script, n in counts.most_common() if n >= _LEAST_OF_SCRIPT)


def _drawn(face: Face, charmap: Collection[int], charset: str) -> str:
    """The characters of ``charset`` that the face draws with ink of their own, where they need any."""
    drawn = "".join(c for c in charset if _draws(face, charmap, c))
    if all(map(invisible, drawn)):
        return ""
    if _has_capitals_for_small_letters(face, charmap):
        drawn = "".join(c for c in drawn if not c.islower())  # drawn as a capital, its label would be wrong
    return _without_doubles(face, drawn)


def _without_doubles(face: Face, drawn: str) -> str:
    """Without characters that look exactly like another of ``drawn``, such as a zero like an O."""
    for character, others in _ALIKE:
        if character in drawn and any(other in drawn and _same(face, character, other) for other in others):
            drawn = drawn.replace(character, "")
    return drawn


def _same(face: Face, character: str, other: str) -> bool:
    """Whether two characters have the same outline, wherever in its advance it stands."""
    one, two = (face.font.get_nominal_glyph(ord(c)) or 0 for c in (character, other))
    a, b = face.ink(one), face.ink(two)
    if a is None or b is None or a._replace(x=0.0) != b._replace(x=0.0):
        return False
    return one == two or _outline(face, one, a) == _outline(face, two, b)


def _draws(face: Face, charmap: Collection[int], character: str) -> bool:
    if invisible(character):
        return True  # HarfBuzz hides it in a font that lacks it
    glyph = face.font.get_nominal_glyph(ord(character)) if ord(character) in charmap else None
    if not glyph:
        return False
    return not needs_ink(character) or (face.ink(glyph) is not None and not _is_box(face, glyph))


def _is_box(face: Face, glyph: int) -> bool:
    """Whether a glyph is a copy of the box that stands for missing characters."""
    box = face.ink(0)
    return box is not None and face.ink(glyph) == box and _outline(face, glyph, box) == _outline(face, 0, box)


def _outline(face: Face, glyph: int, ink: Ink) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
    """The outline of a glyph, x counted from the left end of its ``ink``."""
    from fontTools.pens.recordingPen import RecordingPen

    pen, left = RecordingPen(), (ink.x - ink.half_width) * face.em
    face.font.draw_glyph_with_pen(glyph, pen)
    return [(stroke, tuple((round(x - left, 3), y) for x, y in points)) for stroke, points in pen.value]


def _has_capitals_for_small_letters(face: Face, charmap: Collection[int]) -> bool:
    """Whether small letters look like capitals, of full size or small: then a, d and g are equally high."""
    inks = [face.ink(face.font.get_nominal_glyph(ord(c)) or 0) for c in _PROBES if ord(c) in charmap]
    heights = [ink.half_height for ink in inks if ink]
    return len(heights) >= 3 and max(heights) < 1.12 * min(heights)
