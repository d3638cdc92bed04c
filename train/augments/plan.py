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
    """

    geometries: Geometries
    geometry: NDArray[np.int64]
    mix: Columns
    offset: Columns
    blur: Columns
    noise: Columns
    grain: NDArray[np.int64]


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
