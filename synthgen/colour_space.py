"""Colour as brightness (luma) and colourfulness (chroma and hue in the Cb, Cr plane)."""

from __future__ import annotations

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114])  # of RGB, as in JPEG and in OpenCV's grey


def to_rgb(luma: np.ndarray, chroma: np.ndarray, hue_deg: np.ndarray) -> np.ndarray:
    """Colours of exactly the given luma; chroma is cut back where RGB does not hold it.

    Args:
        luma: 0 to 255, shape (n,).
        chroma: Distance from grey in the Cb-Cr plane, shape (n,).
        hue_deg: Angle in that plane from +Cb towards +Cr, shape (n,).

    Returns:
        (n, 3) RGB, whole numbers from 0 to 255, float.

    Source:
        ITU-R BT.601, as JFIF uses it.
    """
    held = np.minimum(chroma, most_chroma(luma, hue_deg))
    return np.clip(np.rint(luma[:, None] + held[:, None] * _direction(hue_deg)), 0, 255)


def most_chroma(luma: np.ndarray, hue_deg: np.ndarray) -> np.ndarray:
    """The greatest chroma that RGB holds at a luma and hue: much for bright yellow, little for bright blue.

    Args:
        luma: 0 to 255, of a shape that broadcasts with ``hue_deg``.
        hue_deg: Angle in the Cb-Cr plane from +Cb towards +Cr.
    """
    step = _direction(hue_deg)
    least = np.array(np.inf)
    for part in np.moveaxis(step, -1, 0):  # a channel at a time: NumPy is slow along an axis of three
        room = np.where(part > 0, 255.0 - luma, luma)
        used = np.abs(part) > 1e-9
        fits = np.where(used, room / np.where(used, np.abs(part), 1.0), np.inf)
        least = np.minimum(least, fits)
    return np.asarray(least)


def from_rgb(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Luma, chroma and hue (degrees from -180 to 180) of (n, 3) RGB; the inverse of ``to_rgb``."""
    luma = rgb @ LUMA
    cb, cr = (rgb[:, 2] - luma) / 1.772, (rgb[:, 0] - luma) / 1.402
    return luma, np.hypot(cb, cr), np.rad2deg(np.arctan2(cr, cb))


def _direction(hue_deg: np.ndarray) -> np.ndarray:
    """What one unit of chroma of a hue adds to R, G and B."""
    cb, cr = np.cos(np.deg2rad(hue_deg)), np.sin(np.deg2rad(hue_deg))
    return np.stack([1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb], axis=-1)
