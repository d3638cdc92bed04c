"""Planes of light that several effects share, all (H, W) uint8."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np

from curation.core.images import Pixels

SPOT = 129


@functools.cache
def spot() -> Pixels:
    """A round Gaussian, (SPOT, SPOT), 255 in its middle, 0 at its border two and a half deviations away."""
    along = np.linspace(-2.5, 2.5, SPOT)
    away = np.hypot(along[:, None], along)
    return np.rint(255 * np.clip((np.exp(-(away**2) / 2) - 0.044) / 0.956, 0, 1)).astype(np.uint8)


def ellipse(
    width: int, height: int, x: float, y: float, long_px: float, short_px: float, angle_deg: float
) -> Pixels:
    """A Gaussian spot at ``x``, ``y`` in pixels whose half axes are two and a half deviations long."""
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    half = SPOT // 2
    turn = np.array([[cos, -sin], [sin, cos]]) * [long_px / half, short_px / half]
    move = np.array([x, y]) - turn @ [half, half]
    matrix = np.column_stack([turn, move])
    return cv2.warpAffine(spot(), matrix, (width, height), flags=cv2.INTER_LINEAR)


def slope(width: int, height: int, angle_deg: float) -> Pixels:
    """A plane that rises from 0 in one corner to 255 in the opposite one, towards ``angle_deg``."""
    x, y = math.cos(math.radians(angle_deg)) * width, math.sin(math.radians(angle_deg)) * height
    corners = np.array([[-x - y, x - y], [-x + y, x + y]])
    corners = (corners - corners.min()) / max(float(np.ptp(corners)), 1e-9) * 255
    return cv2.resize(np.rint(corners).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)


def screen(image: Pixels, light: Pixels) -> Pixels:
    """Move ``image`` towards white by ``light`` / 255; contrast shrinks by the same share, none is clipped.

    Args:
        image: (H, W, 3) uint8 RGB.
        light: (H, W, 3) uint8.
    """
    return cv2.add(image, cv2.multiply(cv2.bitwise_not(image), light, scale=1 / 255))


def coloured(plane: Pixels, table: np.ndarray) -> Pixels:
    """Look each grey of ``plane`` up in ``table``, (256, 3); what lies beyond 0 to 255 is cut off."""
    rounded = np.rint(np.minimum(np.maximum(table, 0), 255)).astype(np.uint8)
    return cv2.merge([cv2.LUT(plane, rounded[:, i]) for i in range(3)])
