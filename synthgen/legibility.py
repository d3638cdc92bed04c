"""Whether a word can be read, measured on the pixels that were drawn."""

from __future__ import annotations

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.layers import swell

CORE = 128  # coverage from which a pixel belongs to a letter rather than to its edge
LEAST_SHARE = 0.8  # of a word's pixels that must stand out
SURE_SHARE = 0.97  # from which no letter can be lost among them, and looking at each would cost in vain
LEAST_OF_EACH = 0.5  # of each letter's pixels that must stand out
SPECK_PX = 8  # what has fewer pixels is no letter


def fault(
    ground: Pixels,
    image: Pixels,
    mask: Pixels,
    least_contrast: float,
    outline_px: float = 0.0,
    beside_px: float = 0.0,
) -> str | None:
    """Why a composed word cannot be read, or None if it can.

    A word can be read if its letters, each of them, or its outline differ in luma from the ground they
    cover; where the outline does, the letters must differ from the outline too, for a wide one closes
    thin letters up.

    Args:
        ground: (H, W, 3) uint8 RGB before any ink.
        image: The same with ink.
        mask: (H, W) uint8 coverage of the letters.
        least_contrast: Luma difference in grey levels that counts as different.
        outline_px: Width of the outline; 0 for none.
        beside_px: How far around the letters something else than ground may stand, such as a halo,
            that the letters must differ from as well; 0 for nothing.

    Returns:
        ``blank`` (nothing was drawn), ``low_contrast``, ``smeared`` (not told from what stands beside the
        letters) or None.
    """
    letters = _core(mask)
    if not cv2.countNonZero(letters):
        return "blank"
    change = cv2.absdiff(_luma(image), _luma(ground))
    if beside_px > 0 and not _told_from_beside(_luma(image), mask, letters, least_contrast, beside_px):
        return "smeared"
    seen = _stands_out(change, letters, least_contrast, each=True)
    if outline_px > 0:
        rim = cv2.subtract(_core(swell(mask, outline_px)), cv2.inRange(mask, 1, 255))
        if _stands_out(change, rim, least_contrast):
            inside, around = cv2.mean(_luma(image), letters)[0], cv2.mean(_luma(image), rim)[0]
            seen = abs(inside - around) >= least_contrast
    return None if seen else "low_contrast"


def contrast(image: Pixels, mask: Pixels) -> float:
    """Difference in mean luma between letters and everything else, in grey levels."""
    luma = _luma(image)
    return abs(cv2.mean(luma, _core(mask))[0] - cv2.mean(luma, cv2.compare(mask, 0, cv2.CMP_EQ))[0])


def _told_from_beside(luma: Pixels, mask: Pixels, letters: Pixels, least: float, beside_px: float) -> bool:
    """Whether the letters' mean luma differs from what is around them, and from what they enclose."""
    around = cv2.bitwise_and(swell(letters, beside_px), cv2.compare(mask, 0, cv2.CMP_EQ))
    inside = cv2.mean(luma, letters)[0]
    return not cv2.countNonZero(around) or _stands_out(cv2.absdiff(luma, inside), around, least)


def _stands_out(change: Pixels, where: Pixels, least: float, *, each: bool = False) -> bool:
    """Whether enough of the pixels ``where`` changed, and if asked, of ``each`` connected part of them."""
    n_pixels = cv2.countNonZero(where)
    if not n_pixels:
        return False
    _, strong = cv2.threshold(change, int(np.ceil(least)) - 1, 255, cv2.THRESH_BINARY)
    strong = cv2.bitwise_and(strong, where)
    n_strong = cv2.countNonZero(strong)
    if n_strong < LEAST_SHARE * n_pixels:
        return False
    return not each or n_strong >= SURE_SHARE * n_pixels or _each_stands_out(strong, where)


def _each_stands_out(strong: Pixels, where: Pixels) -> bool:
    n_parts, parts = cv2.connectedComponents(where, connectivity=8, ltype=cv2.CV_16U)
    edges = [n_parts], [0, n_parts]
    n_pixels = cv2.calcHist([parts], [0], None, *edges)[1:]  # the first part is what is not ``where``
    n_strong = cv2.calcHist([parts], [0], strong, *edges)[1:]
    return not ((n_pixels >= SPECK_PX) & (n_strong < LEAST_OF_EACH * n_pixels)).any()


def _core(mask: Pixels) -> Pixels:
    return cv2.threshold(mask, CORE - 1, 255, cv2.THRESH_BINARY)[1]


def _luma(image: Pixels) -> Pixels:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
