"""Noise and textures drawn once a process and cut from ever after: a cut costs a hundredth of a draw.

The pools come from fixed streams, so a position in one is as good a record of the pixels as a seed.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from curation.core.images import Pixels
from curation.core.rng import stream

HEIGHT, WIDTH = 256, 1024
NOISE_SIGMA = 32.0  # of the pool; about 128, so that four standard deviations fit in uint8


@functools.cache
def grain() -> Pixels:
    """White noise around 128, (HEIGHT, WIDTH, 3) uint8, of standard deviation ``NOISE_SIGMA``."""
    noise = stream(0, "pool", "grain").standard_normal((HEIGHT, WIDTH, 3), np.float32)
    return np.clip(noise * NOISE_SIGMA + 128, 0, 255).astype(np.uint8)


@functools.cache
def clouds() -> Pixels:
    """Fractal noise around 128, (HEIGHT, WIDTH) uint8: five octaves, each of half the height of the last."""
    rng = stream(0, "pool", "clouds")
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for octave in range(5):
        cells = 2 ** (octave + 2)
        coarse = rng.standard_normal((cells, cells * WIDTH // HEIGHT), np.float32)
        total += cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    return np.clip(total / total.std() * 45 + 128, 0, 255).astype(np.uint8)


def cut(pool: Pixels, u: float, v: float, width: int, height: int) -> Pixels:
    """Cut (height, width[, 3]) out of ``pool`` at the relative position ``u``, ``v`` from 0 to 1.

    A piece larger than the pool repeats it. The result may be a view: do not write to it.
    """
    if height > pool.shape[0] or width > pool.shape[1]:
        repeats = (-(-height // pool.shape[0]), -(-width // pool.shape[1]), 1)[: pool.ndim]
        return np.tile(pool, repeats)[:height, :width]
    top, left = offset(v, pool.shape[0] - height), offset(u, pool.shape[1] - width)
    return pool[top : top + height, left : left + width]


def offset(share: float, most: int) -> int:
    """One of the places 0 to ``most``, equally wide; ``share`` is 1 where a draw below 1 was rounded up."""
    return min(int(share * (most + 1)), most)
