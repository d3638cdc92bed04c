"""From a planned row to the coverage of its letters: shaping, layout, neighbours, crop, rasterising."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.boxes import Boxes, boxes_of
from synthgen.choices import Bound
from synthgen.engines.base import UnfitError
from synthgen.framing import Frame, frame
from synthgen.glyphs import rasterise
from synthgen.jitter import loosen
from synthgen.layouts import Layout
from synthgen.layouts.straight import Straight
from synthgen.legibility import CORE
from synthgen.neighbours import Beside, set_beside, widest_gap
from synthgen.placement import Bend, Placed, Spot, ink_box, place, spots_of
from synthgen.shaping import Face, Run, shape

UPENDED = 0.7  # sine of the rotation from which a line runs upwards or downwards
_CLEAR = np.ones((3, 3), np.uint8)  # neighbours stay a pixel away from the word


@dataclass(frozen=True)
class Letters:
    """A word's letters in its image, and those of its neighbours.

    Attributes:
        word: (H, W) uint8 coverage of the word to be read.
        ink: Likewise of all that is painted as the word is; ``word`` itself where nothing else is.
        others: Likewise of neighbours in a colour of their own; None without.
        letter_px: Height of the word's letters in pixels.
        boxes: Where words and characters stand; None if not asked for.
    """

    word: Pixels
    ink: Pixels
    others: Pixels | None
    letter_px: float
    boxes: Boxes | None = None

    @property
    def measured(self) -> Pixels:
        """``word`` with neighbours marked as neither letters nor ground, to measure contrast by."""
        beside = self.others if self.others is not None else self.ink
        return self.word if beside is self.word else cv2.max(self.word, cv2.min(beside, CORE - 1))

    def painted_as(self, shape: Callable[[Pixels], Pixels]) -> Letters:
        """The same letters with their coverage changed by ``shape``."""
        word = shape(self.word)
        ink = word if self.ink is self.word else shape(self.ink)
        return Letters(word, ink, self.others, self.letter_px)


class Typesetter:
    """Sets words as planned rows say; a pure function of the row and the fonts."""

    def __init__(
        self,
        layouts: Sequence[Layout],
        letter_px: float,
        face: Callable[[Mapping[str, Any]], Face],
        other_face: Callable[[str], Face],
        *,
        boxed: bool = False,
    ) -> None:
        self._layouts = {layout.kind: Bound.of(layout, f"layout_{layout.kind}") for layout in layouts}
        self._letter_px = letter_px
        self._face = face
        self._other_face = other_face
        self._boxed = boxed

    def set(self, row: Mapping[str, Any]) -> Letters:
        """Draw the letters of ``row`` as coverage.

        Raises:
            UnfitError: ``missing_glyph``, ``joined_script`` or ``too_large``.
        """
        run = shape(self._face(row), row["text"], row["tracking_em"])
        if run is None:
            raise UnfitError("missing_glyph")
        spots, ends = self._spots(run, row)
        bend = self.bend(row)
        placed = place(run, row, bend, spots, ends)
        beside = self._beside(run, spots, row) if row.get("neighbours") else None
        roomy = row if beside is None else _roomier(row, beside, placed)
        cut = frame(placed, roomy, self._letter_px, upended=self._upended(row))
        if cut is None:
            raise UnfitError("too_large")
        word = rasterise(placed, cut.scale, cut.origin, cut.size)
        letter_px = placed.letter_height * cut.scale
        boxes = boxes_of(row["text"], run, placed, cut) if self._boxed else None
        if beside is None:
            return Letters(word, word, None, letter_px, boxes)
        others = _rasterise_beside(
            place(beside.run, row, bend, beside.spots, ends or (run.left, run.right)), cut
        )
        if cv2.countNonZero(cv2.min(others, cv2.dilate(word, _CLEAR))):
            return Letters(word, word, None, letter_px, boxes)  # where a line bends back onto itself
        if row["neighbour_font"]:
            return Letters(word, word, others, letter_px, boxes)
        return Letters(word, cv2.max(word, others), None, letter_px, boxes)

    def bend(self, row: Mapping[str, Any]) -> Bend | None:
        """The layout of ``row`` as a map of points; None for a straight line."""
        bound = self._layouts[row["layout"]]
        if isinstance(bound.component, Straight) or hasattr(bound.component, "arrange"):
            return None  # nine words in ten; it need not be tried out to see that it moves nothing
        return lambda points, half: bound.apply(points, row, half_width=half)

    def _upended(self, row: Mapping[str, Any]) -> bool:
        """Whether the line runs upwards or downwards."""
        turned = abs(math.sin(math.radians(row["rotation_deg"]))) > UPENDED
        return turned != (len(row["text"]) > 1 and hasattr(self._layouts[row["layout"]].component, "arrange"))

    def _spots(
        self, run: Run, row: Mapping[str, Any]
    ) -> tuple[list[Spot] | None, tuple[float, float] | None]:
        """Where glyphs stand on the line if not where the font sets them, and the ends of the word then."""
        bound, spots = self._layouts[row["layout"]], None
        if hasattr(bound.component, "arrange"):
            if run.joined:
                raise UnfitError("joined_script")
            lean = math.tan(math.radians(row["slant_deg"])) / row["stretch"]
            spots = bound.component.arrange(run, lean, **bound.arguments(row))
        if row.get("jitter") or row.get("initial_size") or row.get("raised"):
            spots = loosen(run, spots or spots_of(run), row, line=spots is None)
        if spots is None:
            return None, None
        left, bottom, right, top = ink_box(run, spots)
        # The longer side: a column would be bent by perspective as if it were very near.
        middle, half = (left + right) / 2, max(right - left, (top - bottom) / row["stretch"]) / 2
        return spots, (middle - half, middle + half)

    def _beside(self, run: Run, spots: list[Spot] | None, row: Mapping[str, Any]) -> Beside | None:
        face = self._other_face(row["neighbour_font"]) if row["neighbour_font"] else run.face
        height = 2 * max(ink.half_height for _, ink, _, _ in run.glyphs)
        spots = spots or spots_of(run)
        return set_beside(face, ink_box(run, spots), height, row, widest_gap(run, spots))


def _roomier(row: Mapping[str, Any], beside: Beside, placed: Placed) -> dict[str, Any]:
    """The row with margins that show the neighbours; margins are counted in heights of the letters."""
    wide = row["stretch"] / placed.letter_height
    unit = {"left": wide, "right": wide, "top": 1 / placed.letter_height, "bottom": 1 / placed.letter_height}
    return {**row} | {f"margin_{side}": seen * unit[side] for side, seen in beside.margins.items()}


def _rasterise_beside(placed: Placed, cut: Frame) -> Pixels:
    """Draw the glyphs that the frame shows; those that a bend turned inside out are left out."""
    left, top = cut.origin
    right, bottom = left + cut.size[0] / cut.scale, top + cut.size[1] / cut.scale
    shown = [
        glyph
        for glyph, box in zip(placed.glyphs, placed.boxes, strict=True)
        if box[0] < right
        and box[2] > left
        and box[1] < bottom
        and box[3] > top
        and glyph.xx * glyph.yy < glyph.xy * glyph.yx
    ]
    return rasterise(replace(placed, glyphs=shown), cut.scale, cut.origin, cut.size)
