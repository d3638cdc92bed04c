"""Mild changes of geometry, colour and sharpness, each word its own, in a few passes over the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from train.augments.base import augments

Range = tuple[float, float]
Columns = NDArray[np.float64]
LUMA = np.array([0.299, 0.587, 0.114])  # Source: ITU-R BT.601


@augments.add("mild")
@dataclass(frozen=True, kw_only=True)
class Mild:
    """Turn, shear, scale, shift, tilt, bend, recolour, invert, blur or sharpen, and add noise.

    Each range is drawn from uniformly, for each word. Lengths are in units of half the image's
    height or width, as in ``torch.nn.functional.grid_sample``.

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

    def __post_init__(self) -> None:
        for key in ("bend_share", "invert_share", "blur_share", "noise_share"):
            if not 0 <= (share := getattr(self, key)) <= 1:
                raise ValueError(f"{key} must be from 0 to 1, got {share:g}")
        for key in ("contrast", "noise"):
            if min(getattr(self, key)) < 0:
                raise ValueError(f"{key} must be 0 or more, got {min(getattr(self, key)):g}")
        if min(self.scale) <= 0:
            raise ValueError(f"scale must be above 0, got {min(self.scale):g}")
        if (most := max(self.perspective, key=abs)) and not -0.5 < most < 0.5:
            raise ValueError(f"perspective must be above -0.5 and below 0.5, got {most:g}")

    def __call__(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        n, height, width, _ = images.shape
        homography = self._homography(rng, n, width / height)
        bend = _uniform(rng, self.bend, n) * _some(rng, self.bend_share, n)
        mix, offset = self._colours(rng, n)
        blur = _uniform(rng, self.blur, n) * _some(rng, self.blur_share, n)
        noise = _uniform(rng, self.noise, n) * _some(rng, self.noise_share, n)
        pixels = torch.Generator(images.device).manual_seed(int(rng.integers(2**63)))

        put = partial(torch.as_tensor, dtype=torch.float32, device=images.device)
        # Plane by plane: products with a 3 x 3 matrix are an order of magnitude slower pixel by pixel.
        planes = images.permute(0, 3, 1, 2).contiguous().float().view(n, 3, height * width)
        out = torch.baddbmm(put(offset)[:, :, None], put(mix), planes).view(n, 3, height, width)
        grid = _grid(put(homography), put(bend), height, width)
        out = F.grid_sample(out, grid, padding_mode="border", align_corners=False)
        _blur(out, blur, put)
        _add_noise(out, noise, put, pixels)
        return out.clamp_(-1, 1).contiguous(memory_format=torch.channels_last)

    def _homography(self, rng: np.random.Generator, n: int, aspect: float) -> Columns:
        """Maps from places in the output to places in the input, both in [-1, 1]: (n, 3, 3)."""
        angle = np.deg2rad(_uniform(rng, self.rotation_deg, n))
        move = np.tile(np.eye(3), (n, 1, 1))
        move[:, 0, 0] = np.cos(angle)
        move[:, 1, 1] = np.cos(angle)
        move[:, 0, 1] = -np.sin(angle)
        move[:, 1, 0] = np.sin(angle)
        slant = np.tile(np.eye(3), (n, 1, 1))
        slant[:, 0, 1] = _uniform(rng, self.shear, n)
        square = np.diag([aspect, 1.0, 1.0])  # an angle is one only where both axes have one unit
        size = np.tile(np.eye(3), (n, 1, 1))
        for axis in (0, 1):
            size[:, axis, axis] = 1 / _uniform(rng, self.scale, n)
            size[:, axis, 2] = _uniform(rng, self.shift, n)
            size[:, 2, axis] = _uniform(rng, self.perspective, n)
        homography: Columns = np.linalg.inv(square) @ move @ slant @ square @ size
        return homography

    def _colours(self, rng: np.random.Generator, n: int) -> tuple[Columns, Columns]:
        """What pixels of 0 to 255, as columns, are multiplied with, (n, 3, 3), and what is added, (n, 3)."""
        saturation = _uniform(rng, self.saturation, n)[:, None, None]
        mix = saturation * np.eye(3) + (1 - saturation) * LUMA
        gain = _uniform(rng, self.contrast, (n, 1)) * _uniform(rng, self.contrast, (n, 3)) ** 0.25
        gain *= 1 - 2 * _some(rng, self.invert_share, (n, 1))
        offset = _uniform(rng, self.brightness, (n, 1)) - gain
        return mix * gain[:, :, None] / 127.5, offset


def _uniform(rng: np.random.Generator, between: Range, shape: int | tuple[int, ...]) -> Columns:
    return rng.uniform(*between, shape)


def _some(rng: np.random.Generator, share: float, shape: int | tuple[int, ...]) -> NDArray[np.bool_]:
    return rng.random(shape) < share


def _grid(homography: Tensor, bend: Tensor, height: int, width: int) -> Tensor:
    """Where each pixel of the output comes from: (B, H, W, 2), x before y."""
    device = homography.device
    x = (torch.arange(width, device=device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=device) * 2 + 1) / height - 1
    bent = y[None, :, None] - bend[:, None, None] * (x**2 - 0.5)
    h = homography[:, :, :, None, None]
    # A point behind the camera would come out mirrored; perspective is bounded so that none is near.
    depth = torch.addcmul(h[:, 2, 0] * x + h[:, 2, 2], h[:, 2, 1], bent).clamp_(min=0.1)
    grid = torch.empty(*bent.shape, 2, device=device)
    for axis in (0, 1):
        place = torch.addcmul(h[:, axis, 0] * x + h[:, axis, 2], h[:, axis, 1], bent)
        torch.div(place, depth, out=grid[..., axis])
    return grid


def _blur(images: Tensor, weight: Columns, put: Callable[..., Tensor]) -> None:
    """Move images in place towards their 3 x 3 average, or away from it where ``weight`` is below 0."""
    chosen = np.flatnonzero(weight)
    rows = put(chosen, dtype=torch.int64)
    sharp = images[rows]
    soft = F.avg_pool2d(sharp, 3, stride=1, padding=1, count_include_pad=False)
    images[rows] = sharp.lerp(soft, put(weight[chosen])[:, None, None, None])


def _add_noise(images: Tensor, sd: Columns, put: Callable[..., Tensor], pixels: torch.Generator) -> None:
    """Add grey normal noise in place."""
    chosen = np.flatnonzero(sd)
    noise = (
        torch.randn((len(chosen), 1, *images.shape[2:]), generator=pixels, device=images.device)
        * put(sd[chosen])[:, None, None, None]
    )
    images[put(chosen, dtype=torch.int64)] += noise
