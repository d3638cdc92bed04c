"""Surfaces that words are painted on: grey pictures of wood, brick, metal, drawn once a process.

Each comes from a stream of its own, has the mean ``MEAN`` and the standard deviation ``DEVIATION``, and is
cut, scaled, turned and coloured ever after.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np

from curation.core.images import Pixels
from curation.core.rng import stream
from synthgen.pools import clouds

HEIGHT, WIDTH = 256, 512
MEAN, DEVIATION = 128.0, 42.0
Surface = Callable[[np.random.Generator], np.ndarray]
_SURFACES: dict[str, Surface] = {}


def surfaces() -> list[str]:
    """The names of all surfaces, sorted."""
    return sorted(_SURFACES)


@functools.cache
def surface(name: str) -> Pixels:
    """The surface ``name``, (HEIGHT, WIDTH) uint8; whoever writes to it spoils it for all."""
    drawn = _SURFACES[name](stream(0, "surface", name)).astype(np.float64)
    drawn = (drawn - drawn.mean()) / drawn.std() * DEVIATION + MEAN
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def _add(make: Surface) -> Surface:
    _SURFACES[make.__name__] = make
    return make


def _noise(rng: np.random.Generator, across: float = 1.0, along: float = 1.0) -> np.ndarray:
    """Smooth noise of deviation 1, whose grain is ``across`` pixels wide and ``along`` high."""
    coarse = rng.standard_normal((max(2, round(HEIGHT / along)), max(2, round(WIDTH / across))))
    grown = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return grown / grown.std()


def _grid() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    return rows, columns


@_add
def wood(rng: np.random.Generator) -> np.ndarray:
    """Year rings seen from the side, fine grain, and the seams between planks of 64 px."""
    rows, _ = _grid()
    plank = (rows // 64).astype(int)
    shift = rng.uniform(0, 50, 4)[plank]
    rings = np.sin((rows + shift + 7 * _noise(rng, 128, 24)) / 3.2 + 2 * _noise(rng, 200, 10))
    tone = rng.standard_normal(4)[plank]
    return 0.6 * rings + 0.6 * _noise(rng, 40, 1) + 0.5 * tone - 4.0 * (rows % 64 < 2)


@_add
def brick(rng: np.random.Generator) -> np.ndarray:
    """Bricks of 32 x 80 px in running bond, each with a tone of its own, and light mortar."""
    rows, columns = _grid()
    course = (rows // 32).astype(int)
    shifted = columns + (course % 2) * 40
    tone = rng.standard_normal((8, 8))[course, (shifted // 80).astype(int) % 8]
    mortar = cv2.GaussianBlur(((rows % 32 < 4) | (shifted % 80 < 4)).astype(np.float64), (0, 0), 0.8)
    rough = 0.35 * _noise(rng, 2, 2) + 0.25 * _noise(rng, 9, 9)
    return (0.6 * tone + rough) * (1 - mortar) + (2.2 + 0.4 * rough) * mortar


@_add
def metal(rng: np.random.Generator) -> np.ndarray:
    """Brushed metal: hair lines along, broad reflections across."""
    return 0.5 * _noise(rng, 170, 1) + 0.35 * _noise(rng, 60, 1) + 0.7 * _noise(rng, 90, 400)


@_add
def paper(rng: np.random.Generator) -> np.ndarray:
    """Fibres and creases: where paper was folded, its two sides take the light differently."""
    rows, columns = _grid()
    folds = np.zeros((HEIGHT, WIDTH))
    for _ in range(14):
        angle, at = rng.uniform(0, np.pi), rng.uniform(0, 1, 2)
        away = (columns - at[0] * WIDTH) * np.cos(angle) + (rows - at[1] * HEIGHT) * np.sin(angle)
        folds += rng.normal(0, 1) * np.tanh(away / 1.5) * np.exp(-np.abs(away) / 40)
    return 0.5 * _noise(rng, 1.3, 1.3) + 0.4 * _noise(rng, 6, 2) + 0.9 * folds


@_add
def fabric(rng: np.random.Generator) -> np.ndarray:
    """A plain weave with threads of 4 px, each of its own tone."""
    rows, columns = _grid()
    warp, weft = (columns // 4).astype(int), (rows // 4).astype(int)
    over = (warp + weft) % 2 == 0
    thread = np.where(over, np.abs(np.sin(np.pi * columns / 4)), np.abs(np.sin(np.pi * rows / 4)))
    tone = np.where(over, rng.standard_normal(WIDTH // 4)[warp], rng.standard_normal(HEIGHT // 4)[weft])
    return 2.2 * thread + 0.35 * tone + 0.5 * _noise(rng, 60, 60)


@_add
def concrete(rng: np.random.Generator) -> np.ndarray:
    """Cloudy plaster with pits and grains."""
    grains = cv2.GaussianBlur((rng.random((HEIGHT, WIDTH)) < 0.004).astype(np.float64), (0, 0), 1.1) * 8
    pits = cv2.GaussianBlur((rng.random((HEIGHT, WIDTH)) < 0.003).astype(np.float64), (0, 0), 1.4) * 14
    base = clouds()[:, :WIDTH] / 45.0
    return 0.9 * base + 0.35 * _noise(rng, 1.5, 1.5) + grains - 1.5 * pits


@_add
def foliage(rng: np.random.Generator) -> np.ndarray:
    """Leaves over leaves, the upper ones lighter."""
    image = np.full((HEIGHT, WIDTH), 20.0, np.float32)
    for i in range(1600):
        at = int(rng.uniform(0, WIDTH)), int(rng.uniform(0, HEIGHT))
        long_px = rng.uniform(6, 20)
        axes = round(long_px), max(2, round(long_px * rng.uniform(0.25, 0.6)))
        tone = 30 + 90 * i / 1600 + rng.normal(0, 28)
        cv2.ellipse(image, at, axes, rng.uniform(0, 360), 0, 360, float(tone), -1)
    return cv2.GaussianBlur(image, (0, 0), 0.7) + 4 * _noise(rng, 3, 3)


@_add
def tiles(rng: np.random.Generator) -> np.ndarray:
    """Square tiles of 40 px with dark joints and a light edge."""
    rows, columns = _grid()
    across, along = (columns // 40).astype(int), (rows // 40).astype(int)
    tone = rng.standard_normal((HEIGHT // 40 + 1, WIDTH // 40 + 1))[along, across]
    joint = ((rows % 40 < 2) | (columns % 40 < 2)).astype(np.float64)
    edge = ((rows % 40 < 4) | (columns % 40 < 4)).astype(np.float64)
    pattern = 0.35 * tone + 0.8 * edge - 4 * joint + 0.25 * _noise(rng, 20, 20)
    return cv2.GaussianBlur(pattern, (0, 0), 0.8)


@_add
def stripes(rng: np.random.Generator) -> np.ndarray:
    """Boards, shutters, awnings: bands across the picture with dark gaps between some."""
    image, top = np.zeros((HEIGHT, WIDTH)), 0
    while top < HEIGHT:
        band = int(rng.integers(5, 26))
        image[top : top + band] = rng.choice([-1.0, 0.0, 1.0]) + rng.normal(0, 0.2)
        if rng.random() < 0.5:
            image[top : top + 2] = -2.5
        top += band
    return cv2.GaussianBlur(image, (0, 0), 0.7) + 0.12 * _noise(rng, 30, 2)


@_add
def stains(rng: np.random.Generator) -> np.ndarray:
    """Rust and damp: blotches with a rim, and drips that run down from them."""
    base = cv2.GaussianBlur(clouds()[:, WIDTH:], (0, 0), 1.0) / 45.0
    blotch = 1 / (1 + np.exp(-(base - base.mean() - 0.7) * 9))
    rim = np.exp(-(((base - base.mean() - 0.7) / 0.12) ** 2))
    drips = np.clip(_noise(rng, 2.5, 120) - 1.2, 0, None)
    return -1.5 * blotch - 0.5 * rim - 0.8 * drips + 0.3 * _noise(rng, 2, 2)


@_add
def leather(rng: np.random.Generator) -> np.ndarray:
    """Cells with dark creases between them, as in leather, cracked paint and dry mud."""
    cell, jitter = 12, rng.uniform(0, 12, (2, HEIGHT // 12 + 3, WIDTH // 12 + 3))
    rows, columns = _grid()
    nearest = np.full((2, HEIGHT, WIDTH), np.inf)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            y, x = (rows // cell).astype(int) + dy + 1, (columns // cell).astype(int) + dx + 1
            away = np.hypot(
                (y - 1) * cell + jitter[0, y, x] - rows, (x - 1) * cell + jitter[1, y, x] - columns
            )
            nearest = np.sort(np.concatenate([nearest, away[None]]), axis=0)[:2]
    return np.minimum(nearest[1] - nearest[0], 4.0) + 0.4 * _noise(rng, 30, 30)
