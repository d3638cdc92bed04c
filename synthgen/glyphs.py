"""Rasterising placed glyphs, straight from their outlines."""

from __future__ import annotations

import threading

import numpy as np
import uharfbuzz as hb

from curation.core.images import Pixels
from synthgen.placement import Placed

_local = threading.local()  # a rasteriser holds state between its calls


def rasterise(placed: Placed, scale: float, origin: tuple[float, float], size: tuple[int, int]) -> Pixels:
    """Draw a placed word as coverage.

    Args:
        placed: The word, in em.
        scale: Pixels per em.
        origin: Point of the plane, in em, that falls on the image's upper left corner.
        size: Width and height in pixels.

    Returns:
        (H, W) uint8: 0 outside the letters, 255 inside, between on their edges.
    """
    raster = getattr(_local, "raster", None)
    if raster is None:
        raster = _local.raster = hb.RasterDraw()
    font, unit = placed.face.font, scale / placed.face.em
    left, top = origin
    for glyph, xx, xy, yx, yy, dx, dy in placed.glyphs:
        raster.transform = (
            xx * unit,
            yx * unit,
            xy * unit,
            yy * unit,
            (dx - left) * scale,
            (dy - top) * scale,
        )
        raster.draw_glyph(font, glyph)
    width, height = size
    raster.extents = hb.RasterExtents(0, 0, width, height, width)
    return np.frombuffer(raster.render().buffer, np.uint8).reshape(height, width).copy()
