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
_new = tuple.__new__  # a named tuple's own way is three times slower, and each glyph needs one
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
    for (_, (_, _, half_width, half_height), _, _), (x, y, along, up) in zip(run.glyphs, spots, strict=True):
        along, up = abs(along), abs(up)
        wide, high = along * half_width + up * half_height, up * half_width + along * half_height
        boxes.append((x - wide, y - high, x + wide, y + high))
    left, bottom, right, top = zip(*boxes, strict=True)
    return min(left), min(bottom), max(right), max(top)


def upright_box(run: Run) -> Box:
    """Left, bottom, right, top of the ink of glyphs as the font sets them, in em, y **up**."""
    bottoms = [y + middle - half for _, (_, middle, _, half), _, y in run.glyphs]
    tops = [y + middle + half for _, (_, middle, _, half), _, y in run.glyphs]
    lefts = [x + middle - half for _, (middle, _, half, _), x, _ in run.glyphs]
    rights = [x + middle + half for _, (middle, _, half, _), x, _ in run.glyphs]
    return min(lefts), min(bottoms), max(rights), max(tops)


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
    if bend is None and spots is None:
        return _seen_straight(run, middle, stretch, lean, _camera(row, half))
    # Leaning already, about the word's middle.
    if spots is None:
        around = [
            ((x + ink_x - middle) * stretch + lean * (y + ink_y), y + ink_y)
            for _, (ink_x, ink_y, _, _), x, y in run.glyphs
        ]
    else:
        around = [((x - middle) * stretch + lean * y, y) for x, y, _, _ in spots]
    bent = None if bend is None else _bent(around, bend, half)
    return _seen(run, spots, around, bent, stretch, lean, _camera(row, half))


def _seen_straight(run: Run, middle: float, stretch: float, lean: float, camera: _Camera) -> Placed:
    """What ``_seen`` does, to the last bit, for glyphs side by side on a straight line.

    Four words in five stand so: what all their glyphs share is worked out once.
    """
    cxx, cxy, cyx, cyy, fall, rise = camera
    foot_x, foot_y, foot_nears = cxx * stretch, cyx * stretch, fall * stretch
    up_x, up_y, up_nears = cxx * lean + cxy, cyx * lean + cyy, fall * lean + rise
    glyphs, boxes, letter_height = [], [], 0.0
    for glyph, (ink_x, ink_y, half_width, half_height), x, y in run.glyphs:
        x, y = (x + ink_x - middle) * stretch + lean * (y + ink_y), y + ink_y
        depth, foot_grows, up_grows = 1.0 - fall * x - rise * y, foot_nears, up_nears
        if depth <= 0.5:  # no nearer than that
            depth, foot_grows, up_grows = 0.5, 0.0, 0.0
        sx, sy = (cxx * x + cxy * y) / depth, (cyx * x + cyy * y) / depth
        xx, yx = (foot_x + sx * foot_grows) / depth, (foot_y + sy * foot_grows) / depth
        xy, yy = (up_x + sx * up_grows) / depth, (up_y + sy * up_grows) / depth
        tall = 2 * half_height * math.hypot(xy, yy)
        if tall > letter_height:
            letter_height = tall
        dx, dy = sx - xx * ink_x - xy * ink_y, sy - yx * ink_x - yy * ink_y
        glyphs.append(_new(PlacedGlyph, (glyph, xx, xy, yx, yy, dx, dy)))
        wide = abs(xx) * half_width + abs(xy) * half_height
        high = abs(yx) * half_width + abs(yy) * half_height
        boxes.append((sx - wide, sy - high, sx + wide, sy + high))
    return Placed(run.face, glyphs, boxes, letter_height)


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
    for i, (glyph, (ink_x, ink_y, half_width, half_height), _, _) in enumerate(run.glyphs):
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
        tall = 2 * half_height * math.hypot(xy, yy)
        if tall > letter_height:
            letter_height = tall
        if spots is not None:
            _, _, a, b = spots[i]
            xx, yx, xy, yy = a * xx + b * xy, a * yx + b * yy, a * xy - b * xx, a * yy - b * yx
        dx, dy = sx - xx * ink_x - xy * ink_y, sy - yx * ink_x - yy * ink_y
        glyphs.append(_new(PlacedGlyph, (glyph, xx, xy, yx, yy, dx, dy)))
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
