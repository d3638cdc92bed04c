"""Putting ink on a card: fill, outline, shadow, decorations, and how all that goes onto its ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from curation.core.images import Pixels
from curation.core.recipe import component
from synthgen.backgrounds import backgrounds
from synthgen.backgrounds.plain import Plain
from synthgen.blends import blends
from synthgen.blends.alpha import Alpha
from synthgen.choices import (
    Bound,
    Columns,
    Portion,
    Streams,
    Weight,
    check_range,
    check_share,
    kinds,
    only_where,
    plan_each,
    plan_one_of,
)
from synthgen.colour_space import to_rgb
from synthgen.colours import channels
from synthgen.decorations import decorations
from synthgen.layers import Colour, card, cover, luma_of, mix, shifted, shrink, swell

HOLLOW_CONTRAST = 110.0  # of luma between text and background: blur takes half of a thin line's
HOLLOW_PX = 1.5  # least width of a contour; what is thinner does not outlive the camera
HOLLOW_INSIDE = 0.2  # of the letters' pixels that lie two contours deep, at least


@dataclass(frozen=True, kw_only=True, slots=True)
class FillShare(Weight):
    """What letters are filled with, any background, and its weight among the others."""

    fill: Any = component(backgrounds)  # noqa: RUF009


@dataclass(frozen=True, kw_only=True, slots=True)
class BlendShare(Weight):
    """A way of blending and its weight among the others."""

    blend: Any = component(blends)  # noqa: RUF009


@dataclass(frozen=True, kw_only=True, slots=True)
class DecorationShare(Portion):
    """A decoration and the share of words that have it, 0 to 1."""

    decoration: Any = component(decorations)  # noqa: RUF009


@dataclass(frozen=True, kw_only=True, slots=True)
class Ink:
    """Which words have an outline, a shadow or more, and how strong.

    Source: MJSynth's border and shadow layers (arXiv:1406.2227); shares and ranges are ours.

    Attributes:
        fills: What letters are filled with: backgrounds, on a card of the text's colour.
        blends: How letters go onto their ground.
        decorations: Behind the letters or on them, in this order.
        hollow: Share of words drawn as their contour only, 0 to 1, among those of heavy letters and much
            contrast; others stay filled.
        hollow_width: Least and greatest width of that contour against the letters' height.
        outline: Share of words with an outline, 0 to 1.
        outline_width: Least and greatest width against the letters' height.
        outline_coloured: Share of outlines of any colour; the others are nearly black or nearly white.
        shadow: Share of words with a shadow, 0 to 1.
        shadow_offset: Greatest offset against the letters' height, to either side and downwards or upwards.
        shadow_blur: Greatest blur against the letters' height.
        shadow_strength: Least and greatest opacity.
        shadow_coloured: Share of shadows of a dark colour; the others are black.
        shadow_hard: Share of shadows without blur.
        fade: Greatest share of the ground that shows through the letters, 0 to 1.
    """

    fills: tuple[FillShare, ...] = (FillShare(share=1.0, fill=Plain()),)
    blends: tuple[BlendShare, ...] = (BlendShare(share=1.0, blend=Alpha()),)
    decorations: tuple[DecorationShare, ...] = ()
    hollow: float = 0.0
    hollow_width: tuple[float, float] = (0.03, 0.07)
    outline: float = 0.1
    outline_width: tuple[float, float] = (0.02, 0.08)
    outline_coloured: float = 0.0
    shadow: float = 0.12
    shadow_offset: float = 0.1
    shadow_blur: float = 0.06
    shadow_strength: tuple[float, float] = (0.3, 0.9)
    shadow_coloured: float = 0.0
    shadow_hard: float = 0.0
    fade: float = 0.15

    def __post_init__(self) -> None:
        shares = ("hollow", "outline", "outline_coloured", "shadow", "shadow_coloured", "shadow_hard", "fade")
        for name in shares:
            check_share(name, getattr(self, name), at_most_one=True)
        check_range("hollow_width", self.hollow_width, 0.01, 0.5)
        check_range("outline_width", self.outline_width, 0, 0.5)
        check_range("shadow_strength", self.shadow_strength, 0, 1)
        check_range("shadow_offset", (0, self.shadow_offset), 0, 1)
        check_range("shadow_blur", (0, self.shadow_blur), 0, 1)
        for name in ("fills", "blends"):
            if not sum(entry.share for entry in getattr(self, name)):
                raise ValueError(f"{name} have no share above 0, so nothing can be drawn")
        kinds([entry.fill for entry in self.fills])
        kinds([entry.blend for entry in self.blends])
        kinds([entry.decoration for entry in self.decorations])

    def inputs(self) -> dict[str, Any]:
        """What fills read from files, for the manifest."""
        return {
            f"fill_{entry.fill.kind}": entry.fill.inputs()
            for entry in self.fills
            if hasattr(entry.fill, "inputs")
        }

    def plan(self, rng: Streams, n: int) -> Columns:
        """Decide ``n`` words: columns ``outline``, ``shadow``, ``fill``, ``blend``, each with their own."""
        outline, adorned = self._outline(rng, n), [e.decoration for e in self.decorations]
        hollow = (rng("hollow").random(n) < self.hollow) & ~outline["outline"]
        return {
            **outline,
            **self._shadow(rng, n),
            "hollow": hollow,
            "hollow_width": rng("hollow_width").uniform(*self.hollow_width, n) * hollow,
            "fade": rng("fade").uniform(0, self.fade, n),
            **plan_one_of("fill", [e.fill for e in self.fills], [e.share for e in self.fills], rng, n),
            **plan_one_of("blend", [e.blend for e in self.blends], [e.share for e in self.blends], rng, n),
            **plan_each(kinds(adorned), adorned, [e.share for e in self.decorations], rng, n),
        }

    def _outline(self, rng: Streams, n: int) -> Columns:
        outline = rng("outline").random(n) < self.outline
        level = rng("outline_luma").uniform(0, 70, n)  # outlines are nearly black or nearly white
        level = np.where(rng("outline_light").random(n) < 0.5, 255 - level, level)
        grey = np.clip(np.rint(level[:, None] + rng("outline_colour").normal(0, 20, (n, 3))), 0, 255)
        coloured = rng("outline_coloured").random(n) < self.outline_coloured
        rgb = np.where(coloured[:, None], _any_colour(rng("outline_hue"), n, (20.0, 235.0)), grey)
        width = rng("outline_width").uniform(*self.outline_width, n)
        columns = {"outline_width": width, **channels("outline", rgb)}
        return {"outline": outline, **only_where(outline, columns)}

    def _shadow(self, rng: Streams, n: int) -> Columns:
        shadow = rng("shadow").random(n) < self.shadow
        offset = rng("shadow_offset").uniform(-self.shadow_offset, self.shadow_offset, (2, n))
        soft = rng("shadow_hard").random(n) >= self.shadow_hard
        coloured = rng("shadow_coloured").random(n) < self.shadow_coloured
        columns = {
            "shadow_x": offset[0],
            "shadow_y": offset[1],
            "shadow_blur": rng("shadow_blur").uniform(0, self.shadow_blur, n) * soft,
            "shadow_strength": rng("shadow_strength").uniform(*self.shadow_strength, n),
            **channels("shadow", _any_colour(rng("shadow_hue"), n, (10.0, 110.0)) * coloured[:, None]),
        }
        return {"shadow": shadow, **only_where(shadow, columns)}


class Painter:
    """Paints words as planned rows say, with the components of an ``Ink``."""

    def __init__(self, ink: Ink) -> None:
        self._fills = {e.fill.kind: Bound.of(e.fill, f"fill_{e.fill.kind}") for e in ink.fills}
        self._blends = {e.blend.kind: Bound.of(e.blend, f"blend_{e.blend.kind}") for e in ink.blends}
        self._decorations = [Bound.of(e.decoration, e.decoration.kind) for e in ink.decorations]

    def paint(self, ground: Pixels, mask: Pixels, row: Mapping[str, Any], letter_px: float) -> Pixels:
        """Lay shadow, decorations, outline and letters over ``ground``.

        Args:
            ground: (H, W, 3) uint8 RGB.
            mask: (H, W) uint8 coverage of the letters.
            row: The columns of ``Ink`` and ``Colours``.
            letter_px: Height of the letters in pixels, the unit of widths and offsets.

        Raises:
            BrokenImageError: a photo that fills letters cannot be read.
        """
        image = ground
        if row["shadow"]:
            image = _cast(image, mask, row, letter_px)
        image = self._decorate(image, mask, row, letter_px, on_top=False)
        if row["outline"]:
            image = cover(image, colour(row, "outline"), swell(mask, row["outline_width"] * letter_px))
        image = self._letters(ground, image, mask, row)
        return self._decorate(image, mask, row, letter_px, on_top=True)

    def crowded(self, row: Mapping[str, Any]) -> bool:
        """Whether more than ground stands behind the letters, which they must be told from."""
        return any(not bound.component.on_top and row[bound.component.kind] for bound in self._decorations)

    def _letters(self, ground: Pixels, image: Pixels, mask: Pixels, row: Mapping[str, Any]) -> Pixels:
        text, opacity = colour(row, "text"), 1 - row["fade"]
        if row["fill"] == "plain" and row["blend"] == "alpha":
            return cover(image, text, mask, opacity)
        fill = self._fills[row["fill"]]
        facts = fill.seeing(letters=mask, ink=colour(row, "background"))
        paint = fill.apply(card(text, mask.shape), row, **facts)
        blend = self._blends[row["blend"]]
        if isinstance(blend.component, Alpha) or image is ground:
            return blend.apply(image, row, paint=paint, mask=mask, opacity=opacity)
        # Letters join with the ground itself: a shadow below them would darken them a second time.
        return mix(image, blend.apply(ground, row, paint=paint, mask=mask, opacity=opacity), mask)

    def _decorate(
        self, image: Pixels, mask: Pixels, row: Mapping[str, Any], letter_px: float, *, on_top: bool
    ) -> Pixels:
        for bound in self._decorations:
            if row[bound.component.kind] and bound.component.on_top == on_top:
                image = bound.apply(image, row, mask=mask, text=colour(row, "text"), letter_px=letter_px)
        return image


def colour(row: Mapping[str, Any], name: str) -> Colour:
    """The colour that the columns ``<name>_r``, ``_g``, ``_b`` hold."""
    return row[f"{name}_r"], row[f"{name}_g"], row[f"{name}_b"]


def hollowed(mask: Pixels, row: Mapping[str, Any], letter_px: float) -> Pixels:
    """The letters' contour, or ``mask`` itself where that would not be legible.

    Contours need strokes that are hollow inside and, being thin, more contrast than letters.
    """
    if abs(luma_of(colour(row, "text")) - luma_of(colour(row, "background"))) < HOLLOW_CONTRAST:
        return mask
    width_px = max(row["hollow_width"] * letter_px, HOLLOW_PX)
    inside = cv2.countNonZero(shrink(mask, 2 * width_px))
    return contour(mask, width_px) if inside >= HOLLOW_INSIDE * cv2.countNonZero(mask) else mask


def contour(mask: Pixels, width_px: float) -> Pixels:
    """The inner edge of a mask, ``width_px`` wide and at least one; strokes thinner than two stay whole."""
    return cv2.subtract(mask, shrink(mask, width_px))


def _cast(image: Pixels, mask: Pixels, row: Mapping[str, Any], letter_px: float) -> Pixels:
    cast = shifted(mask, row["shadow_x"] * letter_px, row["shadow_y"] * letter_px)
    if (sigma := row["shadow_blur"] * letter_px) > 0.3:
        cast = cv2.GaussianBlur(cast, (0, 0), sigma)
    return cover(image, colour(row, "shadow"), cast, row["shadow_strength"])


def _any_colour(rng: np.random.Generator, n: int, luma: tuple[float, float]) -> np.ndarray:
    """``n`` colours of any hue, (n, 3) RGB."""
    return to_rgb(rng.uniform(*luma, n), rng.uniform(20, 110, n), rng.uniform(0, 360, n))
