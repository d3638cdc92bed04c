"""From text to placed glyphs, through HarfBuzz: kerning, ligatures, right-to-left and Indic scripts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import uharfbuzz as hb

_APART = {"liga": False, "clig": False}  # letters set apart cannot be joined in one glyph


@dataclass(frozen=True)
class Run:
    """A shaped word, in em: 1 is the font size; x grows to the right, y upwards, the baseline at 0.

    Attributes:
        font: What it is set in.
        glyphs: Glyph numbers in visual order, those with ink only.
        origins: Where each glyph's own origin stands, (G, 2) float.
        boxes: Left, bottom, right, top of each glyph's ink about its own origin, (G, 4) float.
    """

    font: hb.Font
    glyphs: list[int]
    origins: np.ndarray
    boxes: np.ndarray


def shape(font: hb.Font, text: str, tracking: float = 0.0) -> Run | None:
    """Set ``text`` in one line.

    Args:
        font: Scaled to its units per em, as ``fonts.load_font`` gives it.
        text: In logical order.
        tracking: Extra space after every glyph, in em; below 0 brings them closer.

    Returns:
        The run, or None where a character has no glyph or nothing has ink.
    """
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(font, buffer, _APART if tracking else None)
    em = font.face.upem
    gap = tracking * em
    glyphs, origins, boxes, pen = [], [], [], 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if not info.codepoint:
            return None
        ink = font.get_glyph_extents(info.codepoint)
        if ink is not None and ink.width and ink.height:
            glyphs.append(info.codepoint)
            origins.append((pen + position.x_offset, position.y_offset))
            top, left = ink.y_bearing, ink.x_bearing
            boxes.append((left, top + ink.height, left + ink.width, top))
        if position.x_advance:  # a combining mark takes no room, so it gets no gap either
            pen += position.x_advance + gap
    if not glyphs:
        return None
    return Run(font, glyphs, np.array(origins, float) / em, np.array(boxes, float) / em)
