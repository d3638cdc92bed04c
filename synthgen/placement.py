"""Where each glyph goes: curve, slant, perspective and rotation as one map, applied to outlines.

The map is followed to first order within each glyph, so that a glyph is drawn from its outline through
one affine transform, sharp at any size, and no pixel is ever resampled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from synthgen.shaping import Face, Run

Bend = Callable[[np.ndarray, float], np.ndarray]
_STEP = 1e-4  # em; the difference quotient's error stays far below a hundredth of a pixel
_PROBES = np.array([[[0.0, 0.0]], [[_STEP, 0.0]], [[0.0, _STEP]]])


class PlacedGlyph(NamedTuple):
    """A glyph and its affine transform from the font's em, y up, to the plane, y down."""

    glyph: int
    xx: float
    xy: float
    yx: float
    yy: float
    dx: float
    dy: float


class Spot(NamedTuple):
    """Where a glyph's ink has its middle on the straight line, in em, y up, and how it is turned there.

    One em along the glyph's feet becomes (``along``, ``up``): (1, 0) is upright at its own size.
    """

    x: float
    y: float
    along: float = 1.0
    up: float = 0.0


Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Placed:
    """Glyphs in the plane, in em; x to the right, y **down**, as image rows grow.

    Attributes:
        face: What the word is set in.
        glyphs: In visual order.
        boxes: Left, top, right, bottom of each glyph's ink.
        letter_height: Height of the tallest glyph as it stands, measured along its own upright; a
            letter's own size (``Spot``) does not count.
    """

    face: Face
    glyphs: list[PlacedGlyph]
    boxes: list[Box]
    letter_height: float

    @property
    def box(self) -> Box:
        """Left, top, right, bottom of all ink."""
        left, top, right, bottom = zip(*self.boxes, strict=True)
        return min(left), min(top), max(right), max(bottom)


def spots_of(run: Run) -> list[Spot]:
    """The spots of glyphs that stand as the font sets them."""
    return [Spot(x + ink.x, y + ink.y) for _, ink, x, y in run.glyphs]


def ink_box(run: Run, spots: Sequence[Spot]) -> Box:
    """Left, bottom, right, top of the ink of glyphs on their spots, in em, y **up**."""
    boxes = []
    for (_, ink, _, _), (x, y, along, up) in zip(run.glyphs, spots, strict=True):
        wide = abs(along) * ink.half_width + abs(up) * ink.half_height
        high = abs(up) * ink.half_width + abs(along) * ink.half_height
        boxes.append((x - wide, y - high, x + wide, y + high))
    left, bottom, right, top = zip(*boxes, strict=True)
    return min(left), min(bottom), max(right), max(top)


def place(
    run: Run,
    row: Mapping[str, Any],
    bend: Bend | None = None,
    spots: Sequence[Spot] | None = None,
    ends: tuple[float, float] | None = None,
) -> Placed:
    """Put a shaped word where ``row`` says.

    Args:
        run: The word on its line.
        row: The columns of ``Posture``.
        bend: Moves points, given half the word's width; None leaves the line straight.
        spots: Where single glyphs stand on the line; None for where the font sets them.
        ends: Where the word begins and ends that bend and perspective are measured by; None for the
            run's own ends.
    """
    left, right = ends or (run.left, run.right)
    stretch, lean = row["stretch"], math.tan(math.radians(row["slant_deg"]))
    middle, half = (left + right) / 2, max((right - left) / 2 * stretch, 1e-3)
    if spots is None:
        ups = [y + ink.y for _, ink, _, y in run.glyphs]
        along = [x + ink.x for _, ink, x, _ in run.glyphs]
    else:
        along, ups = [spot.x for spot in spots], [spot.y for spot in spots]
    # Leaning already, about the word's middle.
    around = [((x - middle) * stretch + lean * up, up) for x, up in zip(along, ups, strict=True)]
    bent = None if bend is None else _bent(around, bend, half)
    return _seen(run, spots, around, bent, stretch, lean, _camera(row, half))


def _seen(
    run: Run,
    spots: Sequence[Spot] | None,
    around: list[tuple[float, float]],
    bent: list[list[float]] | None,
    stretch: float,
    lean: float,
    camera: _Camera,
) -> Placed:
    """Follow each glyph through bend and camera; one loop without calls, for it runs for every glyph."""
    cxx, cxy, cyx, cyy, fall, rise = camera
    fx, fy, ux, uy = stretch, 0.0, lean, 1.0  # steps of one em along the letters' feet and uprights
    glyphs, boxes, letter_height = [], [], 0.0
    for i, (glyph, ink, _, _) in enumerate(run.glyphs):
        if bent is None:
            x, y = around[i]
        else:
            x, y, ax, ay, bx, by = bent[i]
            fx, fy, ux, uy = ax * stretch, ay * stretch, ax * lean + bx, ay * lean + by
        depth = 1.0 - fall * x - rise * y
        near_x, near_y = fall, rise
        if depth <= 0.5:  # no nearer than that
            depth, near_x, near_y = 0.5, 0.0, 0.0
        sx, sy = (cxx * x + cxy * y) / depth, (cyx * x + cyy * y) / depth
        grow = near_x * fx + near_y * fy
        xx, yx = (cxx * fx + cxy * fy + sx * grow) / depth, (cyx * fx + cyy * fy + sy * grow) / depth
        grow = near_x * ux + near_y * uy
        xy, yy = (cxx * ux + cxy * uy + sx * grow) / depth, (cyx * ux + cyy * uy + sy * grow) / depth
        _, _, half_width, half_height = ink
        letter_height = max(letter_height, 2 * half_height * math.hypot(xy, yy))
        if spots is not None:
            _, _, a, b = spots[i]
            xx, yx, xy, yy = a * xx + b * xy, a * yx + b * yy, a * xy - b * xx, a * yy - b * yx
        glyphs.append(
            PlacedGlyph(glyph, xx, xy, yx, yy, sx - xx * ink.x - xy * ink.y, sy - yx * ink.x - yy * ink.y)
        )
        wide = abs(xx) * half_width + abs(xy) * half_height
        high = abs(yx) * half_width + abs(yy) * half_height
        boxes.append((sx - wide, sy - high, sx + wide, sy + high))
    return Placed(run.face, glyphs, boxes, letter_height)


def _bent(spots: list[tuple[float, float]], bend: Bend, half: float) -> list[list[float]]:
    """Where a layout takes each spot, and the images there of a step along x and of one along y."""
    landed = bend(np.array(spots) + _PROBES, half)
    steps = (landed[1:] - landed[0]) / _STEP
    table: list[list[float]] = np.concatenate([landed[0], steps[0], steps[1]], axis=1).tolist()
    return table


class _Camera(NamedTuple):
    """Perspective about the word's middle, then the slope, the rotation and the turn to rows growing down.

    A point is seen at the matrix times it, divided by its depth, 1 - ``fall`` x - ``rise`` y.
    """

    xx: float
    xy: float
    yx: float
    yy: float
    fall: float
    rise: float


def _camera(row: Mapping[str, Any], half: float) -> _Camera:
    turn = math.radians(row["rotation_deg"])
    cos, sin, slope = math.cos(turn), math.sin(turn), math.tan(math.radians(row["skew_deg"]))
    return _Camera(
        cos - sin * slope,
        -sin,
        -sin - cos * slope,
        -cos,
        row["perspective"] / half,
        row.get("keystone", 0.0) / half,
    )
