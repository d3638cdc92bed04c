"""How large a word is drawn, and how closely the crop is cut around it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthgen.choices import Columns, Streams, check_range, check_share
from synthgen.placement import Box, Placed

SIDES = ("left", "top", "right", "bottom")
_MARGINS = tuple(f"margin_{side}" for side in SIDES)
MOST_CUT = 0.25
MOST_PIXELS = 400_000  # of one image: a word that needs more is drawn again with other decisions


@dataclass(frozen=True, kw_only=True, slots=True)
class Framing:
    """Size of the image and its margins.

    Source: margins by eye from crops of public sets, which are tight and sometimes cut.

    Attributes:
        height_px: Least and greatest height of the image; of words that run upwards or downwards, width.
        letter_px: Least height of the letters; an image grows where a curve leaves them less.
        tight: Least and greatest margin of tight crops, against the letters' height.
        loose: Likewise of loose crops.
        cut: Greatest part of the letters' height that a cut crop loses on a side; no letter ever loses
            more than ``MOST_CUT`` of its own width or height.
        shares: Weights of tight, loose and cut sides; each side is drawn for itself.
    """

    height_px: tuple[int, int] = (40, 56)
    letter_px: float = 14.0
    tight: tuple[float, float] = (0.0, 0.14)
    loose: tuple[float, float] = (0.14, 0.45)
    cut: float = 0.05
    shares: tuple[float, float, float] = (0.75, 0.2, 0.05)

    def __post_init__(self) -> None:
        check_range("height_px", self.height_px, 8, 1024)
        if not 0 < self.letter_px <= 512:
            raise ValueError(f"letter_px must be above 0 and at most 512, got {self.letter_px:g}")
        check_range("tight", self.tight, 0, 10)
        check_range("loose", self.loose, 0, 10)
        check_range("cut", (0, self.cut), 0, 0.2)
        for share in self.shares:
            check_share("each of shares", share)
        if not sum(self.shares):
            raise ValueError("shares are all 0, so no kind of crop is left")

    def plan(self, rng: Streams, n: int) -> Columns:
        """Decide ``n`` frames: columns ``height_px`` and ``margin_left`` to ``margin_bottom``."""
        columns: Columns = {
            "height_px": rng("height_px").integers(self.height_px[0], self.height_px[1] + 1, n)
        }
        edges = np.cumsum(self.shares) / sum(self.shares)
        for side in SIDES:
            kind, at = rng("margin", side).random((2, n))
            tight = self.tight[0] + at * (self.tight[1] - self.tight[0])
            loose = self.loose[0] + at * (self.loose[1] - self.loose[0])
            columns[f"margin_{side}"] = np.where(
                kind < edges[0], tight, np.where(kind < edges[1], loose, -at * self.cut)
            )
        return columns


@dataclass(frozen=True)
class Frame:
    """A crop around a placed word.

    Attributes:
        scale: Pixels per em.
        origin: Point of the plane, in em, at the upper left corner.
        size: Width and height in pixels.
    """

    scale: float
    origin: tuple[float, float]
    size: tuple[int, int]


def frame(placed: Placed, row: Mapping[str, Any], letter_px: float, *, upended: bool = False) -> Frame | None:
    """Cut a crop as the columns of ``Framing`` say; None if it would be larger than ``MOST_PIXELS``.

    Args:
        placed: The word.
        row: The columns of ``Framing``.
        letter_px: Least height of the letters.
        upended: Whether the line runs upwards or downwards, so that the planned height is its width.
    """
    unit = placed.letter_height
    box, margins = placed.box, [row[margin] * unit for margin in _MARGINS]
    if min(margins) < 0:
        margins = _bounded(margins, box, placed.boxes)
    left, top, right, bottom = box
    left, top, right, bottom = left - margins[0], top - margins[1], right + margins[2], bottom + margins[3]
    width, height = right - left, bottom - top
    scale = max(row["height_px"] / (width if upended else height), letter_px / unit)
    columns, rows = max(8, _pixels(width * scale)), max(8, _pixels(height * scale))
    return Frame(scale, (left, top), (columns, rows)) if columns * rows <= MOST_PIXELS else None


def _pixels(length: float) -> int:
    """The length rounded up; noise in its last bits does not add a row."""
    whole = math.ceil(length)
    if whole - length < 0.999:  # rounding to decimals is slow, and changes nothing so far from a whole number
        return whole
    return math.ceil(round(length, 6))


def _bounded(margins: list[float], around: Box, boxes: list[Box]) -> list[float]:
    """Cut no glyph by more than ``MOST_CUT`` of it."""
    bounded = []
    for i, (margin, edge) in enumerate(zip(margins, around, strict=True)):
        if margin < 0:
            inside = min([abs(box[i] - edge) + MOST_CUT * abs(box[i - 2] - box[i]) for box in boxes])
            margin = max(margin, -inside)
        bounded.append(margin)
    return bounded
