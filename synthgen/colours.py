"""Which colours text and background have: a small model with contrast as its first number.

Colours are planned as brightness (luma) and colourfulness (chroma and hue in the Cb, Cr plane), so
that the brightness contrast between text and background is exact however colourful they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgen.choices import Columns, Streams, check_share

LUMA = np.array([0.299, 0.587, 0.114])  # of RGB, as in JPEG and in OpenCV's grey
_LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # probabilities that the quantiles below belong to
# Share of coloured text and backgrounds in each eighth of the Cb-Cr plane, from +Cb (violet-blue) by way of
# +Cr (red): red, orange and brown lead, then blue and cyan-blue; magenta and green-yellow are rare.
_HUES = (0.016, 0.020, 0.290, 0.260, 0.018, 0.022, 0.140, 0.234)


@dataclass(frozen=True, kw_only=True, slots=True)
class Colours:
    """A parametric model of text and background colour.

    Source: the defaults are set so that finished images, after blur, tone and JPEG, show the quantiles and
    shares that two clusters (k-means in YCbCr) of each training crop of IIIT5K-Words and ICDAR 2015
    show: contrast 27, 56, 94, 148, 212 and chroma 0, 3, 10, 26, 72 at 5, 25, 50, 75, 95 %. These are
    a handful of numbers, not a copy of any set.

    Attributes:
        light_text: Share of words that are lighter than their background, 0 to 1.
        contrast: Luma difference between text and background, 0 to 255, at the probabilities
            0, 5, 25, 50, 75, 95 and 100 %.
        chroma: Distance from grey in the Cb-Cr plane, likewise.
        same_hue: Share of words whose text has nearly the hue of its background.
    """

    light_text: float = 0.54
    contrast: tuple[float, ...] = (28.0, 46.0, 88.0, 138.0, 195.0, 250.0, 255.0)
    chroma: tuple[float, ...] = (0.0, 0.0, 4.0, 16.0, 42.0, 95.0, 130.0)
    same_hue: float = 0.45

    def __post_init__(self) -> None:
        check_share("light_text", self.light_text, at_most_one=True)
        check_share("same_hue", self.same_hue, at_most_one=True)
        for name in ("contrast", "chroma"):
            values = getattr(self, name)
            if len(values) != len(_LEVELS) or list(values) != sorted(values) or values[0] < 0:
                raise ValueError(f"{name} must be {len(_LEVELS)} values from 0 up, none less than the last")
        if self.contrast[-1] > 255:
            raise ValueError(f"contrast ends at {self.contrast[-1]:g}, above 255")

    def plan(self, rng: Streams, n: int) -> Columns:
        """Decide ``n`` pairs.

        Returns:
            Columns ``text_r``, ``text_g``, ``text_b``, ``background_r`` ..., (n,) uint8.
        """
        light = rng("light_text").random(n) < self.light_text
        contrast = np.interp(rng("contrast").random(n), _LEVELS, self.contrast)
        # The darker of the two has what room the contrast leaves; most grounds are near black or near white.
        room = 255 - contrast
        at = rng("luma").beta(0.9, 1.2, n)
        darker = np.where(light, at, 1 - at * 0.9) * room
        ground = np.where(light, darker, darker + contrast)
        text = np.where(light, darker + contrast, darker)
        hue_ground, hue_text = (_hues(rng("hue", which), n) for which in ("background", "text"))
        agree = rng("same_hue").random(n) < self.same_hue
        hue_text = np.where(agree, hue_ground + rng("hue", "drift").normal(0, 15, n), hue_text)
        chroma = {
            which: np.interp(rng("chroma", which).random(n), _LEVELS, self.chroma)
            for which in ("background", "text")
        }
        return {
            **channels("text", to_rgb(text, chroma["text"], hue_text)),
            **channels("background", to_rgb(ground, chroma["background"], hue_ground)),
        }


def channels(name: str, rgb: np.ndarray) -> Columns:
    """(n, 3) RGB as three columns of uint8."""
    return {f"{name}_{letter}": rgb[:, i].astype(np.uint8) for i, letter in enumerate("rgb")}


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
    cb, cr = chroma * np.cos(np.deg2rad(hue_deg)), chroma * np.sin(np.deg2rad(hue_deg))
    shift = np.stack([1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb], axis=-1)
    room = np.where(shift > 0, 255 - luma[:, None], luma[:, None])
    fits = np.divide(room, np.abs(shift), out=np.full_like(shift, np.inf), where=np.abs(shift) > 1e-9)
    keep = np.minimum(fits.min(axis=1), 1.0)
    return np.clip(np.rint(luma[:, None] + shift * keep[:, None]), 0, 255)


def _hues(rng: np.random.Generator, n: int) -> np.ndarray:
    eighth = rng.choice(len(_HUES), n, p=_HUES)
    return (eighth + rng.random(n)) * 45.0
