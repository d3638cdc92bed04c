"""Mild changes of geometry, colour and sharpness, each word its own."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields

import numpy as np
from torch import Tensor

from curation.core.rng import stream
from train.augments import by_opencv, by_torch
from train.augments.base import augments
from train.augments.plan import (
    GRAIN_PX,
    LUMA,
    MOST_PX,
    N_GEOMETRIES,
    Columns,
    Geometries,
    Plan,
    Range,
    some,
    uniform,
)


@augments.add("mild")
@dataclass(frozen=True, kw_only=True)
class Mild:
    """Turn, shear, scale, shift, tilt, bend, recolour, invert, blur or sharpen, and add noise.

    Each range is drawn from uniformly, for each word; the geometry is drawn for 1,024 words, the same ones
    whatever the seed, and every word is moved like one of them, which the seed decides. Lengths are in units
    of half the image's height or width, as in ``torch.nn.functional.grid_sample``.

    Attributes:
        rotation_deg: Turn, in degrees anticlockwise, of the image as it is scaled.
        shear: Slant: columns moved by this share of the distance from the middle line.
        scale: Size of the word on each side relative to the image.
        shift: Movement along either side.
        perspective: Change of scale from one edge to the other, above -0.5 and below 0.5: beyond, a corner
            would lie behind the camera.
        bend: Height of a curved baseline's middle above its ends.
        bend_share: Share of words that are bent.
        contrast: Factor on the distance from mid-grey, drawn for the word and, less, for each channel.
        brightness: Added to the values in [-1, 1].
        saturation: 0 makes grey, 1 leaves colours.
        invert_share: Share of words turned into their negative.
        blur: Weight of a 3 x 3 average; below 0 sharpens.
        blur_share: Share of words that are blurred or sharpened.
        noise: Standard deviation of the noise, of values in [-1, 1].
        noise_share: Share of words with noise.
        cover: Width of a flat patch over the word, as a part of the word's; its height is from half to all.
        cover_share: Share of words that are covered in part.
        motion_px: Length of a motion blur, in pixels of the scaled word, in any direction; 8 at most.
        motion_share: Share of words with motion blur.
        detail: Pixels that are left of each along either side: the word is made small and large again.
        detail_share: Share of words with fewer pixels.
    """

    rotation_deg: Range = (-5.0, 5.0)
    shear: Range = (-0.3, 0.3)
    scale: Range = (0.8, 1.05)
    shift: Range = (-0.06, 0.06)
    perspective: Range = (-0.1, 0.1)
    bend: Range = (-0.4, 0.4)
    bend_share: float = 0.25
    contrast: Range = (0.5, 1.4)
    brightness: Range = (-0.3, 0.3)
    saturation: Range = (0.0, 1.3)
    invert_share: float = 0.1
    blur: Range = (-0.6, 1.0)
    blur_share: float = 0.25
    noise: Range = (0.0, 0.15)
    noise_share: float = 0.25
    cover: Range = (0.05, 0.2)
    cover_share: float = 0.0
    motion_px: Range = (2.0, 6.0)
    motion_share: float = 0.0
    detail: Range = (0.3, 0.8)
    detail_share: float = 0.0

    def __post_init__(self) -> None:
        for key in (field.name for field in fields(self) if field.name.endswith("_share")):
            if not 0 <= (share := getattr(self, key)) <= 1:
                raise ValueError(f"{key} must be from 0 to 1, got {share:g}")
        for key in ("contrast", "noise"):
            if min(getattr(self, key)) < 0:
                raise ValueError(f"{key} must be 0 or more, got {min(getattr(self, key)):g}")
        if min(self.scale) <= 0:
            raise ValueError(f"scale must be above 0, got {min(self.scale):g}")
        for key, greatest in (("cover", 1), ("motion_px", MOST_PX - 1), ("detail", 1)):
            low, high = getattr(self, key)
            if low < 0 or high > greatest:
                raise ValueError(f"{key} must be from 0 to {greatest}, got {low if low < 0 else high:g}")
        if (most := max(self.perspective, key=abs)) and not -0.5 < most < 0.5:
            raise ValueError(f"perspective must be above -0.5 and below 0.5, got {most:g}")

    def __call__(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        n, height, width, _ = images.shape
        carry_out = by_opencv.carry_out if images.device.type == "cpu" else by_torch.carry_out
        return carry_out(self.plan(rng, n, width / height), images)

    def plan(self, rng: np.random.Generator, n: int, aspect: float) -> Plan:
        """Decide for ``n`` words whose width is ``aspect`` times their height."""
        geometry = rng.integers(N_GEOMETRIES, size=n)
        mix, offset = self._colours(rng, n)
        return Plan(
            geometries=_geometries(self, aspect),
            geometry=geometry,
            mix=mix,
            offset=offset,
            blur=uniform(rng, self.blur, n) * some(rng, self.blur_share, n),
            noise=uniform(rng, self.noise, n) * some(rng, self.noise_share, n),
            grain=rng.integers(GRAIN_PX, size=n),
            cut=self._cut(rng, n),
            cover=rng.integers(0, 256, (n, 3), np.uint8),
            motion=self._motion(rng, n),
            detail=np.where(some(rng, self.detail_share, n), uniform(rng, self.detail, n), 1.0),
        )

    def _cut(self, rng: np.random.Generator, n: int) -> Columns:
        size = np.column_stack([uniform(rng, self.cover, n), uniform(rng, (0.5, 1), n)])
        size *= some(rng, self.cover_share, (n, 1))
        start = rng.random((n, 2)) * (1 - size)
        return np.concatenate([start, start + size], 1)

    def _motion(self, rng: np.random.Generator, n: int) -> Columns:
        length = uniform(rng, self.motion_px, n) * some(rng, self.motion_share, n)
        angle = rng.uniform(0, np.pi, n)
        return length[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    def geometries(self, rng: np.random.Generator, n: int, aspect: float) -> Geometries:
        """Draw ``n`` ways to move a word whose width is ``aspect`` times its height."""
        angle = np.deg2rad(uniform(rng, self.rotation_deg, n))
        shear = uniform(rng, self.shear, n)
        (width, left, tilt), (height, up, lean) = (
            (1 / uniform(rng, self.scale, n), uniform(rng, self.shift, n), uniform(rng, self.perspective, n))
            for _ in range(2)
        )
        # The turn after the slant, each an angle only where both axes have one unit, hence the aspect.
        turn = np.empty((n, 2, 2))
        turn[:, 0, 0] = np.cos(angle)
        turn[:, 0, 1] = (np.cos(angle) * shear - np.sin(angle)) / aspect
        turn[:, 1, 0] = np.sin(angle) * aspect
        turn[:, 1, 1] = np.sin(angle) * shear + np.cos(angle)
        homography = np.ones((n, 3, 3))
        homography[:, :2, 0] = turn[:, :, 0] * width[:, None]
        homography[:, :2, 1] = turn[:, :, 1] * height[:, None]
        homography[:, :2, 2] = turn[:, :, 0] * left[:, None] + turn[:, :, 1] * up[:, None]
        homography[:, 2, 0], homography[:, 2, 1] = tilt, lean
        bend = uniform(rng, self.bend, n) * some(rng, self.bend_share, n)
        return Geometries(homography=homography, bend=bend)

    def _colours(self, rng: np.random.Generator, n: int) -> tuple[Columns, Columns]:
        """What pixels of 0 to 255, as columns, are multiplied with, (n, 3, 3), and what is added, (n, 3)."""
        saturation = uniform(rng, self.saturation, n)[:, None, None]
        mix = saturation * np.eye(3) + (1 - saturation) * LUMA
        gain = uniform(rng, self.contrast, (n, 1)) * uniform(rng, self.contrast, (n, 3)) ** 0.25
        gain *= 1 - 2 * some(rng, self.invert_share, (n, 1))
        offset = uniform(rng, self.brightness, (n, 1)) - gain
        return mix * gain[:, :, None] / 127.5, offset


@functools.lru_cache(maxsize=8)
def _geometries(recipe: Mild, aspect: float) -> Geometries:
    return recipe.geometries(stream(0, "geometries"), N_GEOMETRIES, aspect)
