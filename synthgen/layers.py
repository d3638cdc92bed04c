"""Laying one colour over another, in uint8 OpenCV, for all that draws with a mask."""

from __future__ import annotations

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.colour_space import LUMA, from_rgb, to_rgb

Colour = tuple[int, int, int]


def cover(image: Pixels, paint: Colour, mask: Pixels, opacity: float = 1.0) -> Pixels:
    """Cover ``image`` with one colour where ``mask`` says, up to ``opacity``."""
    return mix(image, card(paint, mask.shape), mask, opacity)


def mix(image: Pixels, paint: Pixels, mask: Pixels, opacity: float = 1.0) -> Pixels:
    """Cover ``image`` with the image ``paint`` where ``mask`` says, up to ``opacity``."""
    cover = mask if opacity >= 1 else cv2.convertScaleAbs(mask, alpha=opacity)
    cover = cv2.merge([cover, cover, cover])
    added = cv2.multiply(paint, cover, scale=1 / 255)
    return cv2.add(cv2.multiply(image, cv2.bitwise_not(cover), scale=1 / 255), added)


def card(paint: Colour, shape: tuple[int, ...]) -> Pixels:
    """An image of one colour, (H, W, 3) uint8 RGB; several times faster than NumPy fills one."""
    return cv2.repeat(np.array([[paint]], np.uint8), shape[0], shape[1])


def swell(mask: Pixels, width_px: float) -> Pixels:
    """Grow a mask by ``width_px`` on every side, at least by one."""
    return cv2.dilate(mask, _disc(width_px))


def shrink(mask: Pixels, width_px: float) -> Pixels:
    """Take ``width_px`` from every side of a mask, at least one."""
    return cv2.erode(mask, _disc(width_px))


def shifted(mask: Pixels, x_px: float, y_px: float) -> Pixels:
    """Move a mask to the right and downwards; what was beyond its border counts as empty."""
    matrix = np.float32([[1, 0, x_px], [0, 1, y_px]])
    return cv2.warpAffine(mask, matrix, (mask.shape[1], mask.shape[0]))


def soften(mask: Pixels, sigma_px: float) -> Pixels:
    """Blur a mask by a pyramid of that standard deviation, several times faster than by a Gaussian.

    Two boxes make the pyramid: ``cv2.stackBlur`` rounds otherwise with each number of threads.
    """
    size = max(1, round(2.45 * sigma_px)) + 1
    for side in ((size - 1) // 2, size // 2):  # boxes of even width lean to one side, then back
        mask = cv2.blur(mask, (size, size), anchor=(side, side), borderType=cv2.BORDER_REPLICATE)
    return mask


def luma_of(colour: Colour) -> float:
    """Luma of one RGB colour, 0 to 255."""
    return float(np.asarray(colour, float) @ LUMA)


def shaded(colour: Colour, luma: float) -> Colour:
    """The colour's hue and, where RGB holds it, chroma at another luma."""
    _, chroma, hue = from_rgb(np.array([colour], float))
    return _whole(to_rgb(np.array([min(max(luma, 0.0), 255.0)]), chroma, hue))


def away_from(colour: Colour, contrast: float, at: float, chroma: float, hue_deg: float) -> Colour:
    """A colour whose luma differs from that of ``colour`` by ``contrast`` or more.

    Args:
        colour: What to stay away from.
        contrast: Luma difference, 0 to 127.
        at: Where among the lumas that are left, darkest to lightest, 0 to 1.
        chroma: As in ``to_rgb``.
        hue_deg: As in ``to_rgb``.
    """
    luma = luma_of(colour)
    below, above = max(luma - contrast, 0.0), max(255 - luma - contrast, 0.0)
    place = at * (below + above)
    wanted = place if place < below or not above else luma + contrast + place - below
    return _whole(to_rgb(np.array([min(wanted, 255.0)]), np.array([chroma]), np.array([hue_deg])))


def _disc(width_px: float) -> Pixels:
    size = 2 * max(1, round(width_px)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _whole(rgb: np.ndarray) -> Colour:
    red, green, blue = rgb[0].astype(int).tolist()
    return red, green, blue
