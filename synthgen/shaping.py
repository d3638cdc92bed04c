"""From text to glyphs in a line, through HarfBuzz: kerning, ligatures, right-to-left and Indic scripts."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import uharfbuzz as hb
from fontTools.ttLib import TTFont

from synthgen.itemise import PLAIN_BELOW, Item, itemise
from synthgen.ligatures import features

COLOUR_TABLES = frozenset({"COLR", "CBDT", "CBLC", "sbix", "SVG "})
_WEB = (b"wOFF", b"wOF2")  # HarfBuzz does not unpack them
# Arabic, Syriac, N'Ko, Mongolian, Mandaic, Adlam; and the scripts of India that hang from a line.
JOINED_SCRIPTS = frozenset(["Arab", "Syrc", "Nkoo", "Mong", "Mand", "Adlm", "Deva", "Beng", "Guru"])
_JOINED_EM = 0.02  # tracking up to which ligatures stay


class Ink(NamedTuple):
    """Where a glyph's ink is, from the glyph's own origin, in em: centre and half extents; y upwards."""

    x: float
    y: float
    half_width: float
    half_height: float


@dataclass(frozen=True)
class Face:
    """A font ready to draw, and where the ink of its glyphs is, looked up once for each.

    Attributes:
        font: Scaled to its units per em.
        em: Units per em.
    """

    font: hb.Font
    em: int
    _ink: dict[int, Ink | None] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, number: int = 0, axes: Mapping[str, float] | None = None) -> Face:
        """Map a font into memory, without its colours: a layer of colour is no outline to draw.

        Args:
            path: The file.
            number: Which font of a collection, from 0.
            axes: Where a variable font stands on its axes, by their tags; at the default elsewhere.
        """
        with path.open("rb") as file:
            packed = file.read(4) in _WEB
        face = None if packed else hb.Face(hb.Blob.from_file_path(str(path)), number)
        if face is None or not COLOUR_TABLES.isdisjoint(face.table_tags):
            face = hb.Face(hb.Blob(_outlines(path, number)))
        font = hb.Font(face)
        if axes:
            font.set_variations(dict(axes))
        return cls(font, face.upem)

    def ink(self, glyph: int) -> Ink | None:
        """Where the ink of ``glyph`` is; None if it has none."""
        if glyph not in self._ink:
            box = self.font.get_glyph_extents(glyph)
            blank = box is None or not box.width or not box.height
            self._ink[glyph] = None if blank else self._centred(box)
        return self._ink[glyph]

    def _centred(self, box: hb.GlyphExtents) -> Ink:
        width, height = box.width / self.em, box.height / self.em  # height is below 0: the box hangs down
        return Ink(
            box.x_bearing / self.em + width / 2,
            box.y_bearing / self.em + height / 2,
            abs(width) / 2,
            abs(height) / 2,
        )


def _outlines(path: Path, number: int) -> bytes:
    """The font as plain TrueType or OpenType, without colour tables."""
    with TTFont(path, fontNumber=number, recalcBBoxes=False, recalcTimestamp=False) as file:
        for tag in COLOUR_TABLES & set(file.keys()):
            del file[tag]
        file.flavor = None
        plain = io.BytesIO()
        file.save(plain, reorderTables=None)
    return plain.getvalue()


@dataclass(frozen=True)
class Run:
    """A shaped word in em: 1 is the font size, x grows to the right, y upwards, the baseline is at 0.

    Attributes:
        face: What it is set in.
        glyphs: Number, ink, and x and y of the origin of each glyph that has ink, in visual order.
        left: Where its ink begins.
        right: Where its ink ends.
        clusters: Of each glyph, the position in the text of the first character it stands for.
        joined: Whether letters hang together in its script, so that none may be moved alone.
        leftward: Positions in the text that run from right to left.
    """

    face: Face
    glyphs: list[tuple[int, Ink, float, float]]
    left: float
    right: float
    clusters: list[int]
    joined: bool = False
    leftward: frozenset[int] = frozenset()


def shape(face: Face, text: str, tracking: float = 0.0) -> Run | None:
    """Set ``text`` in one line, each script in its own direction, and no sign for several characters.

    Args:
        face: The font.
        text: In logical order.
        tracking: Extra space after every glyph, in em; below 0 brings them closer. Scripts whose
            letters hang together get none.

    Returns:
        The run, or None where a character has no glyph or no ink, or nothing has ink.
    """
    glyphs: list[tuple[int, Ink, float, float]] = []
    clusters, blanks = list[int](), set[int]()
    pen, joined, leftward = 0.0, False, set[int]()
    plain = text.isascii() or max(text) < PLAIN_BELOW
    for item in (None,) if plain else itemise(text):
        buffer = _buffer(text, item)
        hangs = buffer.script in JOINED_SCRIPTS
        joined = joined or hangs
        if item is not None and not item.rightward:
            leftward.update(range(item.start, item.start + item.length))
        hb.shape(face.font, buffer, features(text, tracking > _JOINED_EM and not hangs))
        end = _set(face, buffer, pen, 0.0 if hangs else tracking, (glyphs, clusters, blanks))
        if end is None:
            return None
        pen = end
    if not glyphs or (blanks and _lacks_ink(text, blanks.difference(clusters))):
        return None
    left = min([x + middle - half for _, (middle, _, half, _), x, _ in glyphs])
    right = max([x + middle + half for _, (middle, _, half, _), x, _ in glyphs])
    return Run(face, glyphs, left, right, clusters, joined, frozenset(leftward))


def _buffer(text: str, item: Item | None) -> hb.Buffer:
    buffer = hb.Buffer()
    buffer.language = "und"  # else it is the computer's own, and fonts draw some languages otherwise
    if item is None:
        buffer.add_str(text)
        buffer.guess_segment_properties()
        return buffer
    buffer.add_str(text, item.start, item.length)
    buffer.flags = hb.BufferFlags.DO_NOT_INSERT_DOTTED_CIRCLE  # it would not be in the label
    buffer.direction = "ltr" if item.rightward else "rtl"
    if item.script:
        buffer.script = item.script
    buffer.guess_segment_properties()
    return buffer


def _set(
    face: Face,
    buffer: hb.Buffer,
    pen: float,
    tracking: float,
    onto: tuple[list[tuple[int, Ink, float, float]], list[int], set[int]],
) -> float | None:
    """Add the shaped ``buffer`` at ``pen``; where it ends, or None if a glyph is missing.

    Args:
        face: The font.
        buffer: Glyphs in visual order.
        pen: Where it begins, in em.
        tracking: As for ``shape``.
        onto: Glyphs with ink, their clusters, and clusters that have glyphs without; all are added to.
    """
    glyphs, clusters, blanks = onto
    known, em, gap, last = face._ink, face.em, 0.0, -1
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        glyph, cluster = info.codepoint, info.cluster
        if not glyph:
            return None
        if cluster != last:  # a letter's marks stand where the font puts them, however wide it is set
            pen, gap, last = pen + gap, 0.0, cluster
        ink = known[glyph] if glyph in known else face.ink(glyph)
        x_offset, y_offset, advance, _ = position.position
        if ink is not None:
            glyphs.append((glyph, ink, pen + x_offset / em, y_offset / em))
            clusters.append(cluster)
        else:
            blanks.add(cluster)
        if advance:  # a combining mark takes no room, so it gets no gap either
            pen += advance / em
            gap = tracking
    return pen + gap


def letters_of(run: Run) -> list[list[int]]:
    """The glyphs, by their position in the run, that make up each letter with its marks, in visual order."""
    found: dict[int, list[int]] = {}
    for i, cluster in enumerate(run.clusters):
        found.setdefault(cluster, []).append(i)
    return list(found.values())


def _lacks_ink(text: str, clusters: set[int]) -> bool:
    """Whether a character that should be seen stands first in one of the ``clusters``, all without ink."""
    return any(needs_ink(text[cluster]) for cluster in clusters)


def needs_ink(character: str) -> bool:
    """Whether a character must be seen by itself: no space, no joiner, and no mark, which may melt in."""
    return not character.isspace() and unicodedata.category(character)[0] != "M" and not invisible(character)


def invisible(character: str) -> bool:
    """Whether a character only steers others, such as a zero-width joiner."""
    return unicodedata.category(character) == "Cf" and character not in "\u00ad\u0600\u0601\u06dd\u08e2"
