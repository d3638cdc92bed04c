"""What is to be done to each word of a batch: decided once, carried out by OpenCV or by torch."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]
Columns = NDArray[np.float64]
LUMA = np.array([0.299, 0.587, 0.114])  # Source: ITU-R BT.601
N_GEOMETRIES = 1_024
MOST_PX = 9  # of a motion
GRAIN_PX = 2**18  # of noise drawn once; a word takes a stretch of it that begins anywhere


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Geometries:
    """Ways to move a word, drawn once for a recipe, for each word to take one of.

    So where pixels come from is worked out once for all words that are moved alike: it would cost as much
    as moving them. Places are in [-1, 1] as in ``torch.nn.functional.grid_sample``.

    Attributes:
        homography: (N_GEOMETRIES, 3, 3), from places in the output to places in the input.
        bend: (N_GEOMETRIES,), height of the middle of the baseline above its ends; 0 leaves it straight.
    """

    homography: Columns
    bend: Columns


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The decisions for ``n`` words.

    Attributes:
        geometries: What ``geometry`` counts in.
        geometry: (n,) int64, how a word is moved.
        mix: (n, 3, 3), what pixels of 0 to 255, as columns, are multiplied with.
        offset: (n, 3), what is then added, for values in [-1, 1].
        blur: (n,), weight of the 3 x 3 average; below 0 sharpens, 0 does nothing.
        noise: (n,), standard deviation of grey noise, of values in [-1, 1].
        grain: (n,) int64, where in ``grain()`` a word's noise begins.
        cut: (n, 4), left, top, right and bottom of what is covered, as parts of width and height; right is
            left where nothing is.
        cover: (n, 3) uint8, its colour.
        motion: (n, 2), by how many pixels the word moved while the picture was taken, x and y.
        detail: (n,), pixels along either side that are left of each, 0 to 1.
    """

    geometries: Geometries
    geometry: NDArray[np.int64]
    mix: Columns
    offset: Columns
    blur: Columns
    noise: Columns
    grain: NDArray[np.int64]
    cut: Columns
    cover: NDArray[np.uint8]
    motion: Columns
    detail: Columns

    def cut_px(self, i: int, height: int, width: int) -> tuple[slice, slice]:
        """The rows and columns of pixels of word ``i`` that are covered."""
        left, top, right, bottom = (self.cut[i] * (width, height, width, height)).round().astype(int).tolist()
        return slice(top, bottom), slice(left, right)


def uniform(rng: np.random.Generator, between: Range, shape: int | tuple[int, ...]) -> Columns:
    """Draw evenly between two values."""
    return rng.uniform(*between, shape)


def some(rng: np.random.Generator, share: float, shape: int | tuple[int, ...]) -> NDArray[np.bool_]:
    """Choose each with probability ``share``."""
    return rng.random(shape) < share


@functools.cache
def grain(length: int) -> NDArray[np.float32]:
    """Standard normal noise for words of ``length`` pixels to cut theirs from: (GRAIN_PX + length,).

    Normal draws for every pixel anew would cost more than all else that is done to a word.
    """
    values = np.random.default_rng(0).standard_normal(GRAIN_PX + length, np.float32)
    values.setflags(write=False)
    return values


def streak(motion: Columns) -> NDArray[np.float32]:
    """What a motion, x and y in pixels, smears into a pixel from around it: (MOST_PX, MOST_PX), of sum 1."""
    middle = MOST_PX // 2
    weights = np.zeros((MOST_PX, MOST_PX), np.float32)
    for part in np.linspace(-0.5, 0.5, 4 * MOST_PX):
        x, y = middle + part * motion
        left, top = int(x), int(y)
        for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
            if column < MOST_PX and row < MOST_PX:
                weights[row, column] += (1 - abs(x - column)) * (1 - abs(y - row))
    whole: NDArray[np.float32] = weights / weights.sum()
    return whole


def kept(length_px: int, share: float) -> int:
    """Pixels that are left of a side."""
    return max(2, round(length_px * share))
