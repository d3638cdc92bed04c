"""The text and background colour of a word crop: two clusters, and which of them is the letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels

HEIGHT_PX = 32  # crops are shrunk to this height: colours need no more, and every crop counts alike
LEAST_SIDE_PX = 8
LEAST_DISTANCE = 12.0  # between the two colours in YCbCr; below it a crop holds one colour
LEAST_EXPLAINED = 0.5  # of the crop's colour variance by two colours; below it a crop holds more than two
LEAST_SHARE = 0.04  # of the pixels that each colour holds
LEAST_LEAD = 0.08  # of one colour over the other at the border, against the middle


@dataclass(frozen=True, slots=True)
class Pair:
    """The two colours of a crop, each RGB from 0 to 255."""

    text: tuple[int, int, int]
    background: tuple[int, int, int]


def pair_of(crop: Pixels) -> Pair | str:
    """Find the colours of letters and ground.

    Pixels are split in two by k-means in YCbCr, begun at Otsu's threshold of luma, so without any
    draw; each colour is the median of its pixels. The ground is the one that holds more of the border
    than of the middle.

    Args:
        crop: (H, W, 3) uint8 RGB, a word and little else.

    Returns:
        The pair, or why there is none: ``too_small``, ``one_colour``, ``many_colours`` or ``undecided``.

    Source:
        Colour pairs of real crops by k-means are SynthText's (arXiv:1604.06646); border against middle
        is ours.
    """
    if min(crop.shape[:2]) < LEAST_SIDE_PX:
        return "too_small"
    scale = HEIGHT_PX / crop.shape[0]
    size = min(max(LEAST_SIDE_PX, round(crop.shape[1] * scale)), 16 * HEIGHT_PX), HEIGHT_PX
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA) if scale < 1 else crop
    colours = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
    points = colours.reshape(-1, 3).astype(np.float32)
    light = _two_clusters(colours, points)
    share = light.mean()
    if not LEAST_SHARE <= share <= 1 - LEAST_SHARE:
        return "one_colour"
    if reason := _unlike_two_colours(points, light.ravel(), share):
        return reason
    lead = _lead_at_border(light)
    if abs(lead) < LEAST_LEAD:
        return "undecided"
    letters = light if lead < 0 else ~light
    return Pair(*(tuple(np.median(small[mask], axis=0).astype(int).tolist()) for mask in (letters, ~letters)))


def _two_clusters(colours: Pixels, points: np.ndarray) -> np.ndarray:
    """Which pixels belong to the lighter of two clusters, (H, W) bool."""
    _, start = cv2.threshold(colours[:, :, 0], 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    if start.min() == start.max():
        return start.astype(bool)
    labels = start.reshape(-1, 1).astype(np.int32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 0.5)
    _, labels, _ = cv2.kmeans(points, 2, labels, stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    found: np.ndarray = labels.reshape(colours.shape[:2]) == 1
    return found


def _unlike_two_colours(points: np.ndarray, light: np.ndarray, share: float) -> str:
    apart = points[light].mean(axis=0) - points[~light].mean(axis=0)
    between = share * (1 - share) * float(apart @ apart)
    if np.linalg.norm(apart) < LEAST_DISTANCE:
        return "one_colour"
    return "many_colours" if between < LEAST_EXPLAINED * points.var(axis=0).sum() else ""


def _lead_at_border(light: np.ndarray) -> float:
    """Share of the light colour at the border, less its share in the middle."""
    height, width = light.shape
    edge = max(1, height // 16)
    border = np.ones_like(light)
    border[edge:-edge, edge:-edge] = False
    top, left = height // 4, min(height // 4, width // 4)
    middle = light[top:-top, left : width - left]
    return float(light[border].mean() - middle.mean())
