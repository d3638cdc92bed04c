"""Where the words and characters of a rendered label stand in the image."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from synthgen.framing import Frame
from synthgen.placement import Placed
from synthgen.shaping import Run

Stored = Literal["none", "words", "characters"]
Quad = list[float]
COLUMNS: dict[str, tuple[str, ...]] = {
    "none": (),
    "words": ("word_boxes",),
    "characters": ("word_boxes", "character_boxes"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Boxes:
    """Quadrilaterals around ink in logical order, each of 8 numbers: x and y of four corners, in pixels.

    Corners go clockwise from the upper left as one reads the text, so that a box knows where up is; they
    lie outside the image where the crop cuts the text. Coordinates count from the image's upper left
    corner: the first pixel's middle is (0.5, 0.5).

    Attributes:
        words: Of each word of the label, parts between white space.
        characters: Of each character with its combining marks; empty for one without ink, such as a
            space. Characters that share a glyph share its width evenly.
    """

    words: list[Quad]
    characters: list[Quad]


def boxes_of(text: str, run: Run, placed: Placed, cut: Frame) -> Boxes:
    """Box the words and characters of ``text``, placed and cut as drawn."""
    corners = _corners(run, placed)
    matrices = np.array([(g.xx, g.xy, g.yx, g.yy) for g in placed.glyphs]).reshape(-1, 2, 2)
    starts = np.array(run.clusters)
    to_pixels = _Pixels(np.array(cut.origin), cut.scale)
    begins = np.array([start for start, _ in graphemes(text)])
    characters: list[Quad] = [[] for _ in begins]
    clusters = np.unique(starts)
    blanks = [match.start() for match in re.finditer(r"\s", text)]  # no glyph with ink begins there
    for cluster, after in zip(clusters, [*clusters[1:], len(text)], strict=True):
        end = min([after, *(blank for blank in blanks if blank > cluster)])
        glyphs = np.flatnonzero(starts == cluster)
        largest = max(glyphs, key=lambda i: run.glyphs[i][1].half_height)
        (inside,) = np.nonzero((begins >= cluster) & (begins < end))
        pieces = _around(corners[glyphs], matrices[largest], max(len(inside), 1))
        for part, piece in zip(inside, pieces[::-1] if cluster in run.leftward else pieces, strict=False):
            characters[part] = to_pixels(piece)
    words = []
    for match in re.finditer(r"\S+", text):
        glyphs = np.flatnonzero((starts >= match.start()) & (starts < match.end()))
        words.append(to_pixels(_around(corners[glyphs], _common(matrices[glyphs]))[0]) if len(glyphs) else [])
    return Boxes(words=words, characters=characters)


def graphemes(text: str) -> list[tuple[int, int]]:
    """Start and end of each character with the marks and joiners that belong to it."""
    starts: list[int] = []
    for i, character in enumerate(text):
        mark = unicodedata.category(character) in ("Mn", "Me", "Mc") or character in "\u200c\u200d"
        if not starts or not (mark or text[i - 1] == "\u200d"):
            starts.append(i)
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


@dataclass(frozen=True)
class _Pixels:
    origin: np.ndarray
    scale: float

    def __call__(self, quad: np.ndarray) -> Quad:
        found: Quad = np.round((quad - self.origin) * self.scale, 2).ravel().tolist()
        return found


def _corners(run: Run, placed: Placed) -> np.ndarray:
    """The four corners of each glyph's ink in the plane, (n, 4, 2)."""
    found = []
    for (_, ink, _, _), (_, xx, xy, yx, yy, dx, dy) in zip(run.glyphs, placed.glyphs, strict=True):
        left, right = ink.x - ink.half_width, ink.x + ink.half_width
        bottom, top = ink.y - ink.half_height, ink.y + ink.half_height
        em = ((left, top), (right, top), (right, bottom), (left, bottom))
        found.append([(xx * x + xy * y + dx, yx * x + yy * y + dy) for x, y in em])
    return np.array(found)


def _around(corners: np.ndarray, matrix: np.ndarray, pieces: int = 1) -> list[np.ndarray]:
    """The least box along the columns of ``matrix`` around all corners, cut evenly in ``pieces``."""
    points = corners.reshape(-1, 2) @ np.linalg.inv(matrix).T
    (left, bottom), (right, top) = points.min(0), points.max(0)
    edges = pairwise(np.linspace(left, right, pieces + 1))
    return [np.array([(a, top), (b, top), (b, bottom), (a, bottom)]) @ matrix.T for a, b in edges]


def _common(matrices: np.ndarray) -> np.ndarray:
    """The mean direction of glyphs; of the middle one where a circle leaves no mean."""
    mean: np.ndarray = matrices.mean(0)
    typical = np.abs(np.linalg.det(matrices)).mean()
    return mean if abs(np.linalg.det(mean)) > 0.25 * typical else matrices[len(matrices) // 2]
