"""A sign: a panel of the planned colour on another ground, often with a line around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.backgrounds.base import backgrounds
from synthgen.backgrounds.material import cut_turned
from synthgen.choices import check_range, check_share
from synthgen.light import coloured
from synthgen.surfaces import DEVIATION, MEAN

SIDES = ("left", "top", "right", "bottom")
_STARTS = (0, 90, 180, 270)  # of the corners, clockwise from the lower right one
_ARCS = np.deg2rad(np.linspace(0, 90, 7)) + np.deg2rad(_STARTS)[:, None]
_ARCS = np.stack([np.cos(_ARCS), np.sin(_ARCS)], axis=-1)  # of radius 1, (4, 7, 2)


@backgrounds.add("sign")
@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """Show the edges of a panel between the letters and the border of the image.

    An edge lies somewhere between the ink and the border of the image, or out of sight.

    Source: the rims, frames and rounded plates at the border of many real crops; ranges are ours.

    Attributes:
        levels: Least and greatest luma difference of what is beyond the panel, in grey levels of 255.
        side: Share of sides on which the panel's edge is in sight, 0 to 1.
        round: Share of panels with rounded corners.
        radius: Least and greatest radius of those, against the image's height.
        line: Share of panels with a line inside their edge.
        line_width: Least and greatest width of that line, against the image's height.
        ink_line: Share of lines that have the text's colour; others differ from the panel by ``levels``.
        rough: Share of signs beyond which there is plaster rather than one colour.
        tilt_deg: Greatest rotation of the panel either way.
    """

    levels: tuple[float, float] = (25.0, 150.0)
    side: float = 0.6
    round: float = 0.4
    radius: tuple[float, float] = (0.08, 0.45)
    line: float = 0.45
    line_width: tuple[float, float] = (0.015, 0.07)
    ink_line: float = 0.6
    rough: float = 0.4
    tilt_deg: float = 2.0

    def __post_init__(self) -> None:
        check_range("levels", self.levels, 0, 255)
        check_range("radius", self.radius, 0, 0.5)
        check_range("line_width", self.line_width, 0, 0.3)
        check_range("tilt_deg", (0, self.tilt_deg), 0, 10)
        for name in ("side", "round", "line", "ink_line", "rough"):
            check_share(name, getattr(self, name), at_most_one=True)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        far = np.where(rng.random((4, n)) < self.side, rng.uniform(0.15, 0.85, (4, n)), 9.0)
        tints = rng.normal(0, 18, (3, n))
        return {
            **{f"far_{side}": far[i] for i, side in enumerate(SIDES)},
            "levels": rng.uniform(*self.levels, n),
            "darker": rng.random(n) < 0.5,
            **{f"tint_{letter}": tints[i] for i, letter in enumerate("rgb")},
            "radius": rng.uniform(*self.radius, n) * (rng.random(n) < self.round),
            "line_width": rng.uniform(*self.line_width, n) * (rng.random(n) < self.line),
            "line_at": rng.uniform(0.0, 0.8, n),
            "line_ink": rng.random(n) < self.ink_line,
            "rough": rng.uniform(3, 20, n) * (rng.random(n) < self.rough),
            "tilt_deg": rng.uniform(-self.tilt_deg, self.tilt_deg, n),
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(
        self,
        image: np.ndarray,
        *,
        letters: Pixels | None = None,
        ink: tuple[int, int, int] | None = None,
        **row: float,
    ) -> np.ndarray:
        height, width = image.shape[:2]
        colour = image[0, 0].astype(np.float64)
        tint = np.array([row["tint_r"], row["tint_g"], row["tint_b"]])
        shift = shifted(float(colour.mean()), row["levels"], bool(row["darker"]))
        out = _beyond(image, colour + shift + tint, row)
        box = ink_box(letters, width, height)
        panel = _panel(box, width, height, row, 1.0)
        cv2.fillPoly(out, [panel], colour.tolist(), lineType=cv2.LINE_AA, shift=4)
        if row["line_width"]:
            same = row["line_ink"] and ink is not None
            stroke = ink if same else np.clip(colour + shift - tint, 0, 255).tolist()
            thick = max(1, round(row["line_width"] * height))
            path = _panel(box, width, height, row, row["line_at"])
            cv2.polylines(out, [path], True, stroke, thick, lineType=cv2.LINE_AA, shift=4)
        return out


def shifted(level: float, levels: float, darker: bool) -> float:
    """A difference of ``levels`` from ``level``, in the other direction where there is no room for it."""
    down = darker if 0 <= level + (-levels if darker else levels) <= 255 else level > 127
    return -levels if down else levels


def ink_box(letters: Pixels | None, width: int, height: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is inked; the middle of the image if that is not known."""
    if letters is None:
        return 0.1 * width, 0.2 * height, 0.9 * width, 0.8 * height
    left, top, wide, high = cv2.boundingRect(letters)
    return float(left), float(top), float(left + wide), float(top + high)


def _beyond(image: Pixels, colour: np.ndarray, row: dict[str, float]) -> Pixels:
    """What is seen beyond the panel: one colour, or plaster of that colour."""
    height, width = image.shape[:2]
    colour = np.minimum(np.maximum(colour, 0), 255)
    if not row["rough"]:
        return cv2.repeat(np.rint(colour).astype(np.uint8)[None, None], height, width)
    grey = cut_turned("concrete", width, height, 1.5, 0.0, row["u"], row["v"])
    return coloured(grey, colour + _STEPS * (row["rough"] / DEVIATION))


def _panel(
    box: tuple[float, float, float, float], width: int, height: int, row: dict[str, float], part: float
) -> np.ndarray:
    """The panel's outline in sixteenths of a pixel, (N, 1, 2) int32; ``part`` 0 shrinks it to the ink."""
    hidden = 0.6 * (width + height)
    room = (box[0], box[1], width - box[2], height - box[3])
    gap = [
        hidden if row[f"far_{side}"] > 1 else part * row[f"far_{side}"] * max(space, 0.0)
        for side, space in zip(SIDES, room, strict=True)
    ]
    left, top, right, bottom = box[0] - gap[0], box[1] - gap[1], box[2] + gap[2], box[3] + gap[3]
    radius = min(row["radius"] * height, (right - left) / 2, (bottom - top) / 2)
    radius = min(radius, 2.0 + 3.4 * min(gap)) * (0.5 + 0.5 * part)  # a larger one would cut letters' corners
    points = _rounded(left, top, right, bottom, radius)
    middle = np.array([width / 2, height / 2])
    cos, sin = math.cos(math.radians(row["tilt_deg"])), math.sin(math.radians(row["tilt_deg"]))
    points = (points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
    return np.rint(points * 16).astype(np.int32)[:, None]


def _rounded(left: float, top: float, right: float, bottom: float, radius: float) -> np.ndarray:
    """A box with rounded corners, clockwise from the lower right one, (N, 2)."""
    if radius < 0.5:
        return np.array([[right, bottom], [left, bottom], [left, top], [right, top]])
    low, high, up, down = left + radius, right - radius, top + radius, bottom - radius
    middles = np.array([[[high, down]], [[low, down]], [[low, up]], [[high, up]]])
    return (middles + radius * _ARCS).reshape(-1, 2)


_STEPS = np.arange(256.0)[:, None] - MEAN
