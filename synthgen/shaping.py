"""From text to glyphs in a line, through HarfBuzz: kerning, ligatures, right-to-left and Indic scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import uharfbuzz as hb

_APART = {"liga": False, "clig": False}  # letters set apart cannot be joined in one glyph
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
    def load(cls, path: Path) -> Face:
        """Map the font file ``path`` into memory."""
        face = hb.Face(hb.Blob.from_file_path(str(path)))
        return cls(hb.Font(face), face.upem)

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
    """

    face: Face
    glyphs: list[tuple[int, Ink, float, float]]
    left: float
    right: float
    clusters: list[int]
    joined: bool = False


def shape(face: Face, text: str, tracking: float = 0.0) -> Run | None:
    """Set ``text`` in one line.

    Args:
        face: The font.
        text: In logical order.
        tracking: Extra space after every glyph, in em; below 0 brings them closer. Scripts whose
            letters hang together get none.

    Returns:
        The run, or None where a character has no glyph or nothing has ink.
    """
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.language = "und"  # else it is the computer's own, and fonts draw some languages otherwise
    buffer.guess_segment_properties()
    if joined := buffer.script in JOINED_SCRIPTS:
        tracking = 0.0
    hb.shape(face.font, buffer, _APART if tracking > _JOINED_EM else None)
    glyphs, clusters, pen, em = [], [], 0.0, face.em
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if not info.codepoint:
            return None
        if ink := face.ink(info.codepoint):
            glyphs.append((info.codepoint, ink, pen + position.x_offset / em, position.y_offset / em))
            clusters.append(info.cluster)
        if position.x_advance:  # a combining mark takes no room, so it gets no gap either
            pen += position.x_advance / em + tracking
    if not glyphs:
        return None
    left = min(x + ink.x - ink.half_width for _, ink, x, _ in glyphs)
    right = max(x + ink.x + ink.half_width for _, ink, x, _ in glyphs)
    return Run(face, glyphs, left, right, clusters, joined)


def letters_of(run: Run) -> list[list[int]]:
    """The glyphs, by their position in the run, that make up each letter with its marks, in visual order."""
    found: dict[int, list[int]] = {}
    for i, cluster in enumerate(run.clusters):
        found.setdefault(cluster, []).append(i)
    return list(found.values())
