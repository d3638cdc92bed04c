"""Cutting words out of photos, by the box around them or straightened along their outline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curation.core.images import Pixels

Box = tuple[float, float, float, float]
Points = NDArray[np.float64]

FARTHEST_PX = 1e7  # what lies beyond is no slip of an annotator
LARGEST = 4  # times the photo's pixels that a straightened word may have; any outline inside it has less


class OutsideError(ValueError):
    """An outline that has no pixel in its photo."""


class OutlineError(ValueError):
    """An outline that no word can have; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cropping:
    """How words are cut out of photos.

    Attributes:
        crop: ``box`` cuts the least upright box around the outline; ``rectify`` straightens the word, a
            quadrilateral by perspective and a longer outline along its two long sides.
        pad_px: What is added on every side, in pixels.
    """

    crop: Literal["box", "rectify"] = "box"
    pad_px: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.pad_px <= 1000:
            raise ValueError(f"pad_px is {self.pad_px}; it must be from 0 to 1000")

    def cut(self, photo: Pixels, outline: Sequence[float]) -> Pixels:
        """Cut a word out of ``photo``, as far as it lies inside.

        Args:
            photo: (H, W, 3) uint8 RGB.
            outline: x and y in turn of 3 or more points in pixels, from the upper left of the text in
                reading order. A pixel's corners have whole numbers.

        Returns:
            (h, w, 3) uint8 RGB; of a box, a view.

        Raises:
            OutlineError: it has no area or no finite points, or is too large to be straightened.
            OutsideError: no pixel of it lies in the photo.
        """
        check_outline(outline)
        if self.crop == "rectify" and len(outline) > 6:  # a triangle has no two long sides
            if max(map(abs, outline)) > FARTHEST_PX:
                raise OutlineError(f"an outline that reaches {max(map(abs, outline)):g} pixels far")
            return _straighten(photo, _clockwise(outline), self.pad_px)
        left, top, width, height = bounds(outline)
        pad = self.pad_px
        return crop_box(photo, (left - pad, top - pad, width + 2 * pad, height + 2 * pad))


def crop_box(photo: Pixels, box: Box) -> Pixels:
    """Cut an upright box out of ``photo``, clipped to its edges.

    Args:
        photo: (H, W, 3) uint8 RGB.
        box: Left, top, width, height in pixels; the outermost pixels it touches belong to the crop.

    Returns:
        (h, w, 3) uint8 RGB, a view.

    Raises:
        OutsideError: no pixel of the box lies in the photo.
    """
    left, top, width, height = box
    rows = slice(max(0, int(top // 1)), min(photo.shape[0], int(-(-(top + height) // 1))))
    columns = slice(max(0, int(left // 1)), min(photo.shape[1], int(-(-(left + width) // 1))))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise OutsideError(f"the box {box} has no pixel in a photo of {photo.shape[1]}x{photo.shape[0]}")
    return photo[rows, columns]


def check_outline(outline: Sequence[float]) -> None:
    """Check an outline, x and y in turn, in microseconds: sets have millions.

    Raises:
        OutlineError: it has fewer than three points, an odd number of values, one that is not finite, or
            no area.
    """
    if len(outline) < 6 or len(outline) % 2:
        raise OutlineError(f"an outline of {len(outline)} numbers, expected x and y of 3 or more points")
    if not all(map(math.isfinite, outline)):
        raise OutlineError(f"an outline that is not finite: {[*outline[:8]]}")
    _, _, width, height = bounds(outline)
    if not (width > 0 and height > 0 and abs(signed_area(outline)) > 1e-9 * width * height):
        raise OutlineError(f"an outline without area, {width:g} wide and {height:g} high")


def bounds(outline: Sequence[float]) -> Box:
    """Left, top, width, height of the least upright box around an outline."""
    xs, ys = outline[::2], outline[1::2]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def corners(box: Box) -> tuple[float, ...]:
    """The outline of an upright box: x and y of its corners, clockwise from the upper left."""
    left, top, width, height = box
    return (left, top, left + width, top, left + width, top + height, left, top + height)


def signed_area(outline: Sequence[float]) -> float:
    """The area of an outline; positive where it runs clockwise on the screen, for y points down."""
    first_x, first_y = outline[:2]  # far from zero, products would lose the difference
    xs, ys = [x - first_x for x in outline[::2]], [y - first_y for y in outline[1::2]]
    return sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs))) / 2


def _clockwise(outline: Sequence[float]) -> Points:
    """(n, 2) points from the same first one, clockwise: no photo shows its text mirrored."""
    points = np.array(outline, np.float64).reshape(-1, 2)
    return points if signed_area(outline) > 0 else np.roll(points[::-1], 1, axis=0)


def _straighten(photo: Pixels, points: Points, pad_px: int) -> Pixels:
    """Lay the outline out as an upright rectangle of its own width and height."""
    import cv2

    upper, lower = _long_sides(points)
    width = math.ceil((_lengths(upper)[-1] + _lengths(lower)[-1]) / 2)
    across = np.linalg.norm(_along(upper, 9) - _along(lower, 9), axis=1)
    height = math.ceil(across.mean())
    size = (width + 2 * pad_px) * (height + 2 * pad_px)
    if not width or not height or size > LARGEST * photo.shape[0] * photo.shape[1] + (2 * pad_px + 1) ** 2:
        raise OutlineError(
            f"an outline {width} long and {height} high in a photo of {photo.shape[1]}x{photo.shape[0]}"
        )
    u = (np.arange(-pad_px, width + pad_px) + 0.5) / width
    v = (np.arange(-pad_px, height + pad_px) + 0.5) / height
    if len(points) == 4 and _convex(points):
        x, y = _perspective(points, u, v)
    else:
        x, y = _between(upper, lower, u, v)
    inside = (x > 0) & (x < photo.shape[1]) & (y > 0) & (y < photo.shape[0])
    if not inside.any():
        raise OutsideError(f"the outline has no pixel in a photo of {photo.shape[1]}x{photo.shape[0]}")
    seen = tuple(slice(hits[0], hits[-1] + 1) for hits in map(np.flatnonzero, (inside.any(1), inside.any(0))))
    maps = ((values[seen] - 0.5).astype(np.float32) for values in (x, y))  # OpenCV counts from pixel centres
    straight = cv2.remap(photo, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(straight, np.uint8)


def _long_sides(points: Points) -> tuple[Points, Points]:
    """The upper and the lower side, both in reading order; of an odd number, where the outline turns most."""
    n = len(points)
    splits = sorted({n // 2, n - n // 2})
    steps = np.roll(points, -1, axis=0) - points
    headings = np.arctan2(steps[:, 1], steps[:, 0])
    turns = np.cos(headings - np.roll(headings, 1))  # at each point; the less, the sharper
    split = min(splits, key=lambda split: turns[split - 1] + turns[split])
    return points[:split], points[split:][::-1]


def _lengths(side: Points) -> NDArray[np.float64]:
    """How far along the side each of its points lies."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(side, axis=0), axis=1))])


def _along(side: Points, n: int) -> Points:
    """Give ``n`` points evenly spaced along a side."""
    at = _lengths(side)
    wanted = np.linspace(0, at[-1], n)
    return np.stack([np.interp(wanted, at, side[:, k]) for k in (0, 1)], axis=1)


def _convex(points: Points) -> bool:
    steps = np.roll(points, -1, axis=0) - points
    after = np.roll(steps, -1, axis=0)
    return bool((steps[:, 0] * after[:, 1] > steps[:, 1] * after[:, 0]).all())


def _perspective(
    points: Points, u: NDArray[np.float64], v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where in the photo each place of a rectangle lies, whose corners are the quadrilateral's."""
    import cv2

    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    origin = points[0]  # single precision is enough near zero
    turn = cv2.getPerspectiveTransform(unit, (points - origin).astype(np.float32))
    x, y, w = (row[0] * u[None, :] + row[1] * v[:, None] + row[2] for row in turn)
    w = np.where(w > 1e-6, w, np.nan)  # behind the horizon, where padding may reach
    return x / w + origin[0], y / w + origin[1]


def _between(
    upper: Points, lower: Points, u: NDArray[np.float64], v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where in the photo each place of a rectangle lies, whose long sides are the outline's.

    Sides with equally many points are matched point by point, others by their length.
    """
    at = [_lengths(side) for side in (upper, lower)]
    at = [along / max(along[-1], 1e-9) for along in at]
    if len(upper) == len(lower):
        at = [(at[0] + at[1]) / 2] * 2
    ends = [_at(side, along, u) for side, along in zip((upper, lower), at, strict=True)]
    x, y = (ends[0][:, k] * (1 - v[:, None]) + ends[1][:, k] * v[:, None] for k in (0, 1))
    return x, y


def _at(side: Points, along: NDArray[np.float64], u: NDArray[np.float64]) -> Points:
    """The points of a side at the fractions ``u`` of its length; beyond its ends it goes straight on."""
    first = np.clip(np.searchsorted(along, u, side="right") - 1, 0, len(along) - 2)
    span = along[first + 1] - along[first]
    part = (u - along[first]) / np.where(span > 0, span, 1)
    return side[first] + part[:, None] * (side[first + 1] - side[first])
