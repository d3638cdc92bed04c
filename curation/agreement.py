"""How well two pictures of one word agree once one is laid over the other: copies do, other photos do not.

A copy may have been cut out a little differently, resized, compressed and made brighter. So the one is
shifted and stretched, along and across, until it fits the other best, and what is compared is the part that
both show, whatever its brightness and contrast. Many pairs are aligned at once, on whole arrays.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.core.images import Pixels

COARSE = (16, 48)  # height and width at which pairs are aligned
FINE = (24, 96)  # and at which their colours are compared
MOST_SCALE, MOST_SHIFT = 1.25, 0.12  # two crops that leave out 8 % on opposite sides, and a little more
MOST_STEP = 0.08  # of the picture: derivatives hold no farther
UNLIKELY = 0.5  # agreement at half the size below which a pair is not followed further
LEAST_COMMON = 0.6  # share of the one picture that the other must show too
LEAST_CONTRAST = 2.5  # standard deviation in grey levels; flatter pictures are as like any other flat one
Floats = NDArray[np.float32]


def shrunk(image: Pixels, height: int, width: int) -> Pixels:
    """``image`` scaled to ``height`` and ``width``, each averaged where it shrinks."""
    shrinks = image.shape[0] > height or image.shape[1] > width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def coarse(image: Pixels) -> Pixels:
    """(16, 48) grey, of an (H, W, 3) uint8 RGB picture."""
    return shrunk(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), *COARSE)


def fine(image: Pixels) -> Pixels:
    """At most (24, 96, 3), of an (H, W, 3) uint8 RGB picture: never enlarged."""
    return shrunk(image, min(image.shape[0], FINE[0]), min(image.shape[1], FINE[1]))


def align(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Find how each left picture must be moved to fit its right one.

    Source: B. Lucas and T. Kanade, IJCAI 1981, with gain and offset of the brightness solved for alongside,
    first at half the size; what moves is a scale and a shift along each axis.

    Args:
        left: (P, 16, 48) from ``coarse``.
        right: The same.

    Returns:
        (P, 4) scale along x and y, shift along x and y in parts of the picture, and (P,) how well they agree
        then, up to 1.
    """
    moves = np.tile(np.array([1, 1, 0, 0], np.float32), (len(left), 1))
    small = _halved(left), _halved(right)
    for _ in range(5):
        moves = _step(*small, moves)
    found = agreement(*small, moves)
    likely = found >= UNLIKELY
    if likely.any():
        ours, theirs, refined = left[likely], right[likely], moves[likely]
        for _ in range(3):
            refined = _step(ours, theirs, refined)
        moves[likely], found[likely] = refined, agreement(ours, theirs, refined)
    return moves, found


def compare(left: list[Pixels], right: list[Pixels], moves: Floats) -> Floats:
    """(P,) how well pairs of pictures agree in colour, up to 1, at the resolution of the coarser of the two.

    Args:
        left: From ``fine``.
        right: The same.
        moves: From ``align``; they are refined once more.
    """
    pairs = [_equally_sharp(one, other) for one, other in zip(left, right, strict=True)]
    ours, theirs = (np.stack([pair[i] for pair in pairs]).astype(np.float32) for i in (0, 1))
    moves = _step(ours.mean(axis=-1), theirs.mean(axis=-1), moves)
    return agreement(ours, theirs, moves)


def agreement(left: Floats, right: Floats, moves: Floats) -> Floats:
    """(P,) correlation of the right pictures with the moved left ones where both show something, up to 1.

    One gain and offset serve all three colours. It is 0 where they have too little in common, or one is flat.
    """
    moved, common = _moved(left, moves)
    mask = common.astype(np.float32).reshape(common.shape + (1,) * (left.ndim - 3))
    inner, rest = tuple(range(1, left.ndim)), (-1,) + (1,) * (left.ndim - 1)
    n = mask.sum(axis=inner) * (left.shape[-1] if left.ndim == 4 else 1)
    n = np.maximum(n, 1)
    ours = (moved - ((moved * mask).sum(axis=inner) / n).reshape(rest)) * mask
    theirs = (right - ((right * mask).sum(axis=inner) / n).reshape(rest)) * mask
    powers = [(values * values).sum(axis=inner) for values in (ours, theirs)]
    found = (ours * theirs).sum(axis=inner) / np.sqrt(powers[0] * powers[1] + 1)
    tells = (common.mean(axis=(1, 2)) >= LEAST_COMMON) & (np.minimum(*powers) >= n * LEAST_CONTRAST**2)
    return np.where(tells, found, 0).astype(np.float32)


def _halved(images: Floats) -> Floats:
    n, height, width = images.shape
    return np.asarray(images.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4)), np.float32)


def _equally_sharp(left: Pixels, right: Pixels) -> tuple[Pixels, Pixels]:
    height, width = min(left.shape[0], right.shape[0]), min(left.shape[1], right.shape[1])
    one, other = (shrunk(shrunk(image, height, width), *FINE) for image in (left, right))
    return one, other


def _step(left: Floats, right: Floats, moves: Floats) -> Floats:
    """Improve ``moves`` by one step of least squares over gain, offset, shifts and scales."""
    n, height, width = left.shape
    moved, common = _moved(left, moves)
    x = ((np.arange(width) + 0.5) / width - 0.5).astype(np.float32)
    y = ((np.arange(height) + 0.5) / height - 0.5).astype(np.float32)[:, None]
    basis = np.empty((n, 6, height, width), np.float32)
    basis[:, 0], basis[:, 1] = moved, 1
    _slope(moved, basis[:, 2])
    _slope(moved.swapaxes(1, 2), basis[:, 3].swapaxes(1, 2))
    np.multiply(basis[:, 2], x, out=basis[:, 4])
    np.multiply(basis[:, 3], y, out=basis[:, 5])
    basis *= common[:, None]
    rows = basis.reshape(n, 6, -1)
    normal = (rows @ rows.swapaxes(1, 2)).astype(np.float64)
    diagonal = np.arange(6)
    normal[:, diagonal, diagonal] = normal[:, diagonal, diagonal] * 1.001 + 1e-6  # also for flat pictures
    wanted = np.linalg.solve(normal, (rows @ right.reshape(n, -1, 1)).astype(np.float64))[..., 0]
    gain = np.where(np.abs(wanted[:, 0]) < 0.05, 0.05, wanted[:, 0])
    change = np.clip(wanted[:, 2:] / gain[:, None], -MOST_STEP, MOST_STEP)
    shift = np.clip(moves[:, 2:] + moves[:, :2] * change[:, :2], -MOST_SHIFT, MOST_SHIFT)
    scale = np.clip(moves[:, :2] * (1 + change[:, 2:]), 1 / MOST_SCALE, MOST_SCALE)
    return np.concatenate([scale, shift], axis=1).astype(np.float32)


def _slope(values: Floats, out: Floats) -> None:
    """Change along the last axis, over the whole length of it."""
    width = values.shape[-1]
    out[..., 1:-1] = (values[..., 2:] - values[..., :-2]) * (width / 2)
    out[..., 0] = (values[..., 1] - values[..., 0]) * width
    out[..., -1] = (values[..., -1] - values[..., -2]) * width


def _moved(images: Floats, moves: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Sample (P, h, w) or (P, h, w, 3) pictures where ``moves`` says, and tell where that lies inside."""
    n, height, width = images.shape[:3]
    colours = (1,) * (images.ndim - 3)
    at = np.arange(n)[:, None]
    y, part_y, inside_y = _places(height, moves[:, 1], moves[:, 3])
    above = images[at, y]
    rows = above + part_y.reshape(n, height, 1, *colours) * (images[at, y + 1] - above)
    x, part_x, inside_x = _places(width, moves[:, 0], moves[:, 2])
    columns = rows.swapaxes(1, 2)
    before = columns[at, x]
    moved = before + part_x.reshape(n, width, 1, *colours) * (columns[at, x + 1] - before)
    return moved.swapaxes(1, 2), inside_y[:, :, None] & inside_x[:, None, :]


def _places(length: int, scale: Floats, shift: Floats) -> tuple[NDArray[np.int32], Floats, NDArray[np.bool_]]:
    """For each pixel of an axis: the one before the place it comes from, the part beyond, if it is inside."""
    centred = ((np.arange(length) + 0.5) / length - 0.5).astype(np.float32)
    place = (0.5 + shift[:, None] + scale[:, None] * centred) * length - 0.5
    inside = (place >= -0.5) & (place <= length - 0.5)
    place = np.clip(place, 0, length - 1)
    before = np.minimum(place.astype(np.int32), length - 2)
    return before, (place - before).astype(np.float32), inside
