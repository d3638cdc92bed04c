"""Where each glyph goes: curve, slant, perspective and rotation as one map, applied to outlines.

The map is followed to first order within each glyph, so that a glyph is drawn from its outline through
one affine transform, sharp at any size, and no pixel is ever resampled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthgen.choices import Columns, Streams
from synthgen.shaping import Run

Map = Callable[[np.ndarray], np.ndarray]
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


@dataclass(frozen=True)
class Placed:
    """Glyphs in the plane, in em; x to the right, y **down**, as image rows grow.

    Attributes:
        run: The shaped word.
        matrices: (G, 2, 2): glyph coordinates (y up) to the plane.
        offsets: (G, 2): where each glyph's own origin lands.
        box: Left, top, right, bottom of all ink.
        letter_height: Height of the tallest glyph as it stands, measured along its own upright.
    """

    run: Run
    matrices: np.ndarray
    offsets: np.ndarray
    box: tuple[float, float, float, float]
    letter_height: float


def place(run: Run, layout: Callable[[np.ndarray, float], np.ndarray], row: Mapping[str, Any]) -> Placed:
    """Put a shaped word where ``row`` says.

    Args:
        run: The word on its line.
        layout: Bends points, given half the word's width.
        row: The columns of ``Posture``.
    """
    ink_low, ink_high = run.boxes[:, :2], run.boxes[:, 2:]
    centres, reach = (ink_low + ink_high) / 2, (ink_high - ink_low) / 2
    left, right = (run.origins[:, 0] + ink_low[:, 0]).min(), (run.origins[:, 0] + ink_high[:, 0]).max()
    half = max(float(right - left) / 2 * row["stretch"], 1e-3)
    middles = run.origins + centres
    middles[:, 0] = (middles[:, 0] - (left + right) / 2) * row["stretch"]
    landed = _camera(layout(_lean(middles + _PROBES, row), half), half, row)
    matrices = ((landed[1:] - landed[0]) / _STEP).transpose(1, 2, 0)  # columns: images of the unit vectors
    matrices[:, :, 0] *= row["stretch"]
    offsets = landed[0] - (matrices @ centres[:, :, None])[:, :, 0]
    spread = (np.abs(matrices) @ reach[:, :, None])[:, :, 0]
    low, high = (landed[0] - spread).min(axis=0), (landed[0] + spread).max(axis=0)
    heights = reach[:, 1] * 2 * np.hypot(matrices[:, 0, 1], matrices[:, 1, 1])
    return Placed(run, matrices, offsets, (*low.tolist(), *high.tolist()), float(heights.max()))


def _lean(points: np.ndarray, row: Mapping[str, Any]) -> np.ndarray:
    points[..., 0] += math.tan(math.radians(row["slant_deg"])) * points[..., 1]
    return points


def _camera(points: np.ndarray, half: float, row: Mapping[str, Any]) -> np.ndarray:
    """Perspective about the word's middle, then the slope, the rotation and the turn to rows growing down."""
    depth = np.maximum(1.0 - row["perspective"] / half * points[..., 0], 0.5)
    turn = math.radians(row["rotation_deg"])
    cos, sin = math.cos(turn), math.sin(turn)
    slope = math.tan(math.radians(row["skew_deg"]))
    flat = np.array([[cos - sin * slope, -sin - cos * slope], [-sin, -cos]])  # the images of x and y
    return (points @ flat) / depth[..., None]


def _triangle(rng: np.random.Generator, low: float, high: float, peak: float, n: int) -> np.ndarray:
    return rng.triangular(low, peak, high, n) if high > low else np.full(n, low)
