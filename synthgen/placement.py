"""Where each glyph goes: curve, slant, perspective and rotation as one map, applied to outlines.

The map is followed to first order within each glyph, so that a glyph is drawn from its outline through
one affine transform, sharp at any size, and no pixel is ever resampled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from synthgen.choices import Columns, Streams
from synthgen.shaping import Face, Run

Bend = Callable[[np.ndarray, float], np.ndarray]
_STEP = 1e-4  # em; the difference quotient's error stays far below a hundredth of a pixel
_PROBES = np.array([[[0.0, 0.0]], [[_STEP, 0.0]], [[0.0, _STEP]]])


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """How a word stands before the camera.

    Angles and perspective are drawn around 0 from Student's t with 4 degrees of freedom: most words
    are nearly upright, and one in twenty stands at three times the scale or more.

    Source: ranges by eye from crops of public street sets.

    Attributes:
        tracking_em: Least and greatest extra space between letters, in em. Values are drawn from a
            triangle with its peak at 0, so that normal spacing is the most frequent.
        stretch: Least and greatest width of letters against the font's own; triangle, peak at 1.
        slant_deg: Scale of the letters' lean, in degrees.
        skew_deg: Scale of the lines' slope with upright letters, in degrees.
        rotation_deg: Scale of the rotation, in degrees.
        perspective: Scale of the relative difference in size from the middle to an end.
    """

    tracking_em: tuple[float, float] = (-0.05, 0.25)
    stretch: tuple[float, float] = (0.7, 1.3)
    slant_deg: float = 3.5
    skew_deg: float = 3.5
    rotation_deg: float = 3.0
    perspective: float = 0.05

    def __post_init__(self) -> None:
        if not self.tracking_em[0] <= 0 <= self.tracking_em[1]:
            raise ValueError("tracking_em must enclose 0, the font's own spacing")
        if not 0 < self.stretch[0] <= 1 <= self.stretch[1]:
            raise ValueError("stretch must enclose 1, the font's own width, and stay above 0")
        for name in ("slant_deg", "skew_deg", "rotation_deg", "perspective"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name):g}")

    def plan(self, rng: Streams, n: int) -> Columns:
        """Decide ``n`` postures, one column each of shape (n,)."""

        def spread(name: str, scale: float, limit: float) -> np.ndarray:
            return np.clip(rng(name).standard_t(4, n) * scale, -limit, limit)

        return {
            "tracking_em": _triangle(rng("tracking_em"), *self.tracking_em, 0.0, n),
            "stretch": _triangle(rng("stretch"), *self.stretch, 1.0, n),
            "slant_deg": spread("slant_deg", self.slant_deg, 30),
            "skew_deg": spread("skew_deg", self.skew_deg, 30),
            "rotation_deg": spread("rotation_deg", self.rotation_deg, 90),
            "perspective": spread("perspective", self.perspective, 0.35),
        }


class PlacedGlyph(NamedTuple):
    """A glyph and its affine transform from the font's em, y up, to the plane, y down."""

    glyph: int
    xx: float
    xy: float
    yx: float
    yy: float
    dx: float
    dy: float


@dataclass(frozen=True)
class Placed:
    """Glyphs in the plane, in em; x to the right, y **down**, as image rows grow.

    Attributes:
        face: What the word is set in.
        glyphs: In visual order.
        box: Left, top, right, bottom of all ink.
        letter_height: Height of the tallest glyph as it stands, measured along its own upright.
    """

    face: Face
    glyphs: list[PlacedGlyph]
    box: tuple[float, float, float, float]
    letter_height: float


def place(run: Run, row: Mapping[str, Any], bend: Bend | None = None) -> Placed:
    """Put a shaped word where ``row`` says.

    Args:
        run: The word on its line.
        row: The columns of ``Posture``.
        bend: Moves points, given half the word's width; None leaves the line straight.
    """
    stretch, lean = row["stretch"], math.tan(math.radians(row["slant_deg"]))
    middle, half = (run.left + run.right) / 2, max((run.right - run.left) / 2 * row["stretch"], 1e-3)
    spots = []  # the middle of each glyph's ink, leaning already, about the word's middle
    for _, ink, x, y in run.glyphs:
        up = y + ink.y
        spots.append(((x + ink.x - middle) * stretch + lean * up, up))
    around = [(x, y, 1.0, 0.0, 0.0, 1.0) for x, y in spots] if bend is None else _bent(spots, bend, half)
    camera = _Camera(row, half)
    glyphs, boxes, letter_height = [], [], 0.0
    for (glyph, ink, _, _), (x, y, ux, uy, vx, vy) in zip(run.glyphs, around, strict=True):
        # Along the letters' feet and along their uprights, through the bend and then the camera.
        sx, sy, xx, yx = camera.see(x, y, ux * stretch, uy * stretch)
        _, _, xy, yy = camera.see(x, y, ux * lean + vx, uy * lean + vy)
        glyphs.append(
            PlacedGlyph(glyph, xx, xy, yx, yy, sx - xx * ink.x - xy * ink.y, sy - yx * ink.x - yy * ink.y)
        )
        wide = abs(xx) * ink.half_width + abs(xy) * ink.half_height
        high = abs(yx) * ink.half_width + abs(yy) * ink.half_height
        boxes.append((sx - wide, sy - high, sx + wide, sy + high))
        letter_height = max(letter_height, 2 * ink.half_height * math.hypot(xy, yy))
    left, top, right, bottom = zip(*boxes, strict=True)
    return Placed(run.face, glyphs, (min(left), min(top), max(right), max(bottom)), letter_height)


def _bent(spots: list[tuple[float, float]], bend: Bend, half: float) -> list[tuple[float, ...]]:
    """Where a layout takes each spot, and the images there of a step along x and of one along y."""
    landed = bend(np.array(spots) + _PROBES, half)
    steps = (landed[1:] - landed[0]) / _STEP
    table: list[tuple[float, ...]] = np.concatenate([landed[0], steps[0], steps[1]], axis=1).tolist()
    return table


class _Camera:
    """Perspective about the word's middle, then the slope, the rotation and the turn to rows growing down."""

    def __init__(self, row: Mapping[str, Any], half: float) -> None:
        turn = math.radians(row["rotation_deg"])
        cos, sin, slope = math.cos(turn), math.sin(turn), math.tan(math.radians(row["skew_deg"]))
        self.xx, self.xy = cos - sin * slope, -sin
        self.yx, self.yy = -sin - cos * slope, -cos
        self.fall = row["perspective"] / half

    def see(self, x: float, y: float, dx: float, dy: float) -> tuple[float, float, float, float]:
        """Where the point (x, y) is seen, and how a step (dx, dy) from there looks."""
        depth = max(1.0 - self.fall * x, 0.5)
        seen_x, seen_y = (self.xx * x + self.xy * y) / depth, (self.yx * x + self.yy * y) / depth
        shrink = -self.fall * dx if depth > 0.5 else 0.0
        return (
            seen_x,
            seen_y,
            (self.xx * dx + self.xy * dy - seen_x * shrink) / depth,
            (self.yx * dx + self.yy * dy - seen_y * shrink) / depth,
        )


def _triangle(rng: np.random.Generator, low: float, high: float, peak: float, n: int) -> np.ndarray:
    return rng.triangular(low, peak, high, n) if high > low else np.full(n, low)
