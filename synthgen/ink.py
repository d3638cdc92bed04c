"""Putting ink on a card: fill, outline, shadow, and whether it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.choices import Columns, Streams, check_range, check_share
from synthgen.colours import channels

Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ink:
    """Which words have an outline or a shadow, and how strong.

    Source: MJSynth's border and shadow layers (arXiv:1406.2227); shares and ranges are ours.

    Attributes:
        outline: Share of words with an outline, 0 to 1.
        outline_width: Least and greatest width against the letters' height.
        shadow: Share of words with a shadow, 0 to 1.
        shadow_offset: Greatest offset against the letters' height, to either side and downwards or upwards.
        shadow_blur: Greatest blur against the letters' height.
        shadow_strength: Least and greatest opacity.
        fade: Greatest share of the ground that shows through the letters, 0 to 1.
    """

    outline: float = 0.1
    outline_width: tuple[float, float] = (0.02, 0.08)
    shadow: float = 0.12
    shadow_offset: float = 0.1
    shadow_blur: float = 0.06
    shadow_strength: tuple[float, float] = (0.3, 0.9)
    fade: float = 0.15

    def __post_init__(self) -> None:
        for name in ("outline", "shadow", "fade"):
            check_share(name, getattr(self, name), at_most_one=True)
        check_range("outline_width", self.outline_width, 0, 0.5)
        check_range("shadow_strength", self.shadow_strength, 0, 1)
        check_range("shadow_offset", (0, self.shadow_offset), 0, 1)
        check_range("shadow_blur", (0, self.shadow_blur), 0, 1)

    def plan(self, rng: Streams, n: int) -> Columns:
        """Decide ``n`` words: columns ``outline``, ``outline_*``, ``shadow``, ``shadow_*`` and ``fade``."""
        outline = rng("outline").random(n) < self.outline
        shadow = rng("shadow").random(n) < self.shadow
        level = rng("outline_luma").uniform(0, 70, n)  # outlines are nearly black or nearly white
        level = np.where(rng("outline_light").random(n) < 0.5, 255 - level, level)
        colour = level[:, None] + rng("outline_colour").normal(0, 20, (n, 3))
        offset = rng("shadow_offset").uniform(-self.shadow_offset, self.shadow_offset, (2, n))
        blur = rng("shadow_blur").uniform(0, self.shadow_blur, n)
        return {
            "outline": outline,
            "outline_width": rng("outline_width").uniform(*self.outline_width, n) * outline,
            **channels("outline", np.clip(np.rint(colour), 0, 255) * outline[:, None]),
            "shadow": shadow,
            "shadow_x": offset[0] * shadow,
            "shadow_y": offset[1] * shadow,
            "shadow_blur": blur * shadow,
            "shadow_strength": rng("shadow_strength").uniform(*self.shadow_strength, n) * shadow,
            "fade": rng("fade").uniform(0, self.fade, n),
        }


def colour(row: Mapping[str, Any], name: str) -> Colour:
    """The colour that the columns ``<name>_r``, ``_g``, ``_b`` hold."""
    return row[f"{name}_r"], row[f"{name}_g"], row[f"{name}_b"]


def paint(ground: Pixels, mask: Pixels, row: Mapping[str, Any], letter_px: float) -> Pixels:
    """Lay shadow, outline and letters over ``ground``.

    Args:
        ground: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8 coverage of the letters.
        row: The columns of ``Ink`` and ``Colours``.
        letter_px: Height of the letters in pixels, the unit of widths and offsets.
    """
    image = ground
    if row["shadow"]:
        shift = np.float32([[1, 0, row["shadow_x"] * letter_px], [0, 1, row["shadow_y"] * letter_px]])
        cast = cv2.warpAffine(mask, shift, (mask.shape[1], mask.shape[0]))
        if (sigma := row["shadow_blur"] * letter_px) > 0.3:
            cast = cv2.GaussianBlur(cast, (0, 0), sigma)
        image = blend(image, (0, 0, 0), cast, row["shadow_strength"])
    if row["outline"]:
        image = blend(image, colour(row, "outline"), swell(mask, row["outline_width"] * letter_px))
    return blend(image, colour(row, "text"), mask, 1 - row["fade"])


def blend(image: Pixels, paint: Colour, mask: Pixels, opacity: float = 1.0) -> Pixels:
    """Cover ``image`` with one colour where ``mask`` says, up to ``opacity``."""
    cover = mask if opacity >= 1 else cv2.convertScaleAbs(mask, alpha=opacity)
    cover = cv2.merge([cover, cover, cover])
    added = cv2.multiply(card(paint, mask.shape), cover, scale=1 / 255)
    return cv2.add(cv2.multiply(image, cv2.bitwise_not(cover), scale=1 / 255), added)


def card(paint: Colour, shape: tuple[int, ...]) -> Pixels:
    """An image of one colour, (H, W, 3) uint8 RGB; several times faster than NumPy fills one."""
    return cv2.repeat(np.array([[paint]], np.uint8), shape[0], shape[1])


def swell(mask: Pixels, width_px: float) -> Pixels:
    """Grow a mask by ``width_px`` on every side, at least by one."""
    size = 2 * max(1, round(width_px)) + 1
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
