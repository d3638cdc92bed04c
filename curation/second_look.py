"""A second look at pairs that may be copies: their pictures are laid over each other and compared.

Hashes are cheap and coarse: the same word in the same typeface gives close hashes on any wall, and a copy
that is cut a little tighter gives distant ones. Laid over each other, the former differ in colour, spacing
and background, and the latter agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.images import BrokenImageError, Pixels, decode
from curation.core.pool import run_tasks
from curation.evidence import Evidence
from curation.near import Pairs, Rows

HEIGHT_PX = (12, 24)  # a shrunken copy is compared at its own height: what it has lost, the other must lose
WIDEST = 6  # times the height
SMOOTHING_PX = 0.8  # so that the blocks of a JPEG file weigh little
SCALES = (1.0, 0.92, 0.84)  # the smaller one of two crops against the larger one, along each axis
WORTH = 0.7  # likeness from which a coarse match is refined
STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
LEAST_COVERED = 0.6  # share of one picture that the other must cover
MOST_GAIN = 3.0  # how many times one picture's contrast may be the other's
LEAST_CONTRAST = 3.0  # standard deviation in grey levels; flatter pictures are as like any other flat one
TASK_PAIRS = 4_000
Lots = Sequence[tuple[Path, int]]


def likeness(left: Pixels, right: Pixels) -> float:
    """How well two crops agree when one is moved, stretched and sheared to lie on the other.

    The smaller one is slid over the larger one at a few scales, both ways round; the best match is refined
    as an affine map. Brightness makes no difference, nor does contrast up to ``MOST_GAIN``; colours do.

    Source: the map maximises the enhanced correlation coefficient (Evangelidis and Psarakis, PAMI 2008,
    doi:10.1109/TPAMI.2008.113).

    Args:
        left: (H, W, 3) uint8 RGB.
        right: (h, w, 3) uint8 RGB.

    Returns:
        Correlation over pixels and channels where they overlap, -1 to 1; 0 if one of them is flat, or much
        flatter than the other.
    """
    contrasts = _contrast(left), _contrast(right)
    if min(contrasts) < LEAST_CONTRAST or max(contrasts) > MOST_GAIN * min(contrasts):
        return 0.0
    height = int(np.clip(min(left.shape[0], right.shape[0]), *HEIGHT_PX))
    value, part, whole, corner = max(
        (*_coarse(left, right, height), *_coarse(right, left, height)), key=lambda match: match[0]
    )
    return value if value < WORTH else max(value, _refined(part, whole, corner))


def likenesses(
    evidence: Evidence, pairs: Pairs, other: Evidence | None = None, *, jobs: int = 1
) -> NDArray[np.float32]:
    """Look again at pairs of rows, as the finders of ``curation.near`` yield them.

    Returns:
        (N,) the likeness of each pair; -1 where a picture cannot be read.
    """
    right = evidence if other is None else other
    order = np.lexsort((pairs.right, pairs.left))  # each picture on the left is read in one task, or two
    tasks = []
    for start in range(0, len(order), TASK_PAIRS):
        here = order[start : start + TASK_PAIRS]
        tasks.append((here, _lots(evidence), pairs.left[here], _lots(right), pairs.right[here]))
    values = np.full(len(pairs), -1, np.float32)
    for here, found in run_tasks(_look, tasks, jobs=jobs, total=len(pairs), unit=" pairs", what="look again"):
        values[here] = found
    return values


def _lots(evidence: Evidence) -> Lots:
    """Where the rows of ``evidence`` lie, without its arrays: this goes to other processes."""
    return [(d.path, int(start)) for d, start in zip(evidence.datasets, evidence.starts[:-1], strict=True)]


def _look(
    here: Rows, left: Lots, rows_left: Rows, right: Lots, rows_right: Rows, tick: Callable[[int], object]
) -> tuple[Rows, NDArray[np.float32]]:
    ours, theirs = _pictures(left, np.unique(rows_left)), _pictures(right, np.unique(rows_right))
    values = np.full(len(here), -1, np.float32)
    for i, (a, b) in enumerate(zip(rows_left.tolist(), rows_right.tolist(), strict=True)):
        first, second = ours[a], theirs[b]
        if first is not None and second is not None:
            values[i] = likeness(first, second)
    tick(len(here))
    return here, values


def _pictures(lots: Lots, rows: Rows) -> dict[int, Pixels | None]:
    """Decode the pictures of some rows, shrunk to what a comparison needs; None for those that cannot be."""
    found: dict[int, Pixels | None] = {}
    starts = [start for _, start in lots]
    lot_of = np.searchsorted(starts, rows, side="right") - 1
    for number in np.unique(lot_of).tolist():
        path, start = lots[number]
        here = rows[lot_of == number]
        for row, word in zip(here.tolist(), Dataset.open(path).take(here - start, ["image"]), strict=True):
            try:
                found[row] = _shrunk(decode(word["image"]["bytes"]))
            except BrokenImageError:
                found[row] = None
    return found


def _shrunk(image: Pixels) -> Pixels:
    """At most twice as high and wide as compared, so that thousands of pictures take little memory."""
    height, width = image.shape[:2]
    scale = max(2 * HEIGHT_PX[1] / height, 2 * HEIGHT_PX[1] / width)
    return image if scale >= 1 else _resized(image, round(width * scale), round(height * scale))


def _resized(image: Pixels, width: int, height: int) -> Pixels:
    resized = cv2.resize(image, (max(3, width), max(3, height)), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


Match = tuple[float, Pixels, Pixels, tuple[int, int]]


def _coarse(part: Pixels, whole: Pixels, height: int) -> list[Match]:
    """Slide ``part`` over ``whole``, stretched to its shape and a little less; the match of each scale."""
    width = min(WIDEST * height, max(height // 2, round(whole.shape[1] * height / whole.shape[0])))
    below = _smooth(_resized(whole, width, height))
    matches = []
    for scale_y in SCALES:
        for scale_x in SCALES:
            above = _smooth(_resized(part, round(width * scale_x), round(height * scale_y)))
            _, value, _, corner = cv2.minMaxLoc(cv2.matchTemplate(below, above, cv2.TM_CCOEFF_NORMED))
            matches.append((value if np.isfinite(value) else 0.0, above, below, corner))
    return matches


def _smooth(image: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), SMOOTHING_PX), np.uint8)


def _contrast(image: Pixels) -> float:
    """Standard deviation in grey levels, of the channel where it is largest."""
    return float(image.std(axis=(0, 1)).max())


def _refined(above: Pixels, below: Pixels, corner: tuple[int, int]) -> float:
    """Likeness once the best affine map near ``corner`` is found; -1 if there is none."""
    start = np.array([[1, 0, corner[0]], [0, 1, corner[1]]], np.float32)
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (above, below)]
    try:
        _, warp = cv2.findTransformECC(grey[0], grey[1], start, cv2.MOTION_AFFINE, STEPS, None, 3)
    except cv2.error:  # it says so where it does not converge
        return -1.0
    size, back = (above.shape[1], above.shape[0]), cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(below, warp, size, flags=cv2.INTER_LINEAR | back)
    covered = cv2.warpAffine(np.ones(below.shape[:2], np.uint8), warp, size, flags=cv2.INTER_NEAREST | back)
    if covered.mean() < LEAST_COVERED:
        return -1.0
    one, two = (image[covered > 0].astype(np.float32) for image in (above, moved))
    one, two = one - one.mean(axis=0), two - two.mean(axis=0)
    norm = float(np.sqrt((one * one).sum() * (two * two).sum()))
    return float((one * two).sum()) / norm if norm else 0.0
