"""A contact sheet of fonts: the same word in each of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.core.images import Pixels
from curation.core.sheet import contact_sheet
from synthgen.fonts import FontFile, FontIndex
from synthgen.glyphs import rasterise
from synthgen.placement import place
from synthgen.shaping import shape

_STRAIGHT = {"stretch": 1.0, "slant_deg": 0.0, "skew_deg": 0.0, "rotation_deg": 0.0, "perspective": 0.0}
_CELL = 160, 48  # width and height of a word's place in pixels


def font_sheet(index: FontIndex, word: str) -> Pixels:
    """Draw ``word`` in every font, black on white; in a font that lacks some of it, what it draws best.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    shown = [(font, _drawn(index, font, word)) for font in index.fonts]
    return contact_sheet(
        [image for _, image in shown], [f"{font.name} {font.font_class}".strip() for font, _ in shown]
    )


def _drawn(index: FontIndex, font: FontFile, word: str) -> Pixels:
    face = index.load(font)
    run = next((run for text in _texts(font, word) if (run := shape(face, text))), None)
    if run is None:
        return np.full((*_CELL[::-1], 3), 255, np.uint8)
    placed = place(run, _STRAIGHT)
    left, top, right, bottom = placed.box
    scale = min((_CELL[1] - 4) / (bottom - top), (_CELL[0] - 4) / (right - left))
    size = round((right - left) * scale) + 4, round((bottom - top) * scale) + 4
    mask = rasterise(placed, scale, (left - 2 / scale, top - 2 / scale), size)
    return np.repeat(255 - mask[..., None], 3, axis=2)


def _texts(font: FontFile, word: str) -> Sequence[str]:
    own = sorted(font.characters)
    texts = word, word.upper(), "".join(c for c in word if c in font.characters), "".join(own[:8]), *own
    return [text for text in texts if text and all(c.isspace() or c in font.characters for c in text)]
