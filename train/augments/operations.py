"""The operations of PARSeq's RandAugment on planes of bytes, many words at a time, on any device.

Source: timm.data.auto_augment 1.0 and PIL 12, whose arithmetic the colour operations repeat;
strhub/data/augment.py and aa_overrides.py of PARSeq (Bautista and Atienza, ECCV 2022).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

NOISE_PX = 2**18  # of Poisson noise drawn once; a word takes a stretch of it that begins anywhere
GREY = 128.0  # where no pixel comes from
LUMA = (19595, 38470, 7471)  # / 65536: ITU-R BT.601, as PIL rounds it


@dataclass(frozen=True, kw_only=True, slots=True)
class Strength:
    """How strongly an operation acts.

    Attributes:
        level: 0 to 1; PARSeq's is 0.5.
        sign: (n, 1, 1, 1), -1 or 1: which way each word goes, where an operation has two.
        noise: (n,) int64, where in the noise a word's begins.
    """

    level: float
    sign: Tensor
    noise: Tensor


Operation = Callable[[Tensor, Strength], Tensor]  # (n, 3, H, W) uint8 to the same


def auto_contrast(words: Tensor, how: Strength) -> Tensor:
    """Stretch each channel's values to the whole range."""
    pixels = words.flatten(2).double()
    low, high = pixels.amin(2, keepdim=True), pixels.amax(2, keepdim=True)
    stretched = ((pixels - low) * (255 / (high - low).clamp(min=1))).floor()
    return torch.where(high > low, stretched, pixels).clamp(0, 255).byte().view_as(words)


def equalize(words: Tensor, how: Strength) -> Tensor:
    """Make each channel's values equally common."""
    pixels = words.flatten(2).long()
    counts = torch.zeros(*pixels.shape[:2], 256, dtype=torch.int64, device=words.device)
    counts.scatter_add_(2, pixels, torch.ones_like(pixels))
    last = counts.gather(2, pixels.amax(2, keepdim=True))
    step = (counts.sum(2, keepdim=True) - last) // 255
    before = counts.cumsum(2) - counts + step // 2
    table = (before // step.clamp(min=1)).clamp(0, 255)
    return torch.where(step > 0, table.gather(2, pixels), pixels).byte().view_as(words)


def invert(words: Tensor, how: Strength) -> Tensor:
    """Make the negative."""
    return 255 - words


def posterize(words: Tensor, how: Strength) -> Tensor:
    """Keep the 4 first bits of each value, or fewer: 2 at level 0.5."""
    return words & (256 - 2 ** (4 + int(4 * how.level)))


def solarize(words: Tensor, how: Strength) -> Tensor:
    """Invert what is bright: from 128 at level 0.5."""
    return torch.where(words < 256 - int(256 * how.level), words, 255 - words)


def solarize_add(words: Tensor, how: Strength) -> Tensor:
    """Brighten what is darker than the middle: by 55 at level 0.5."""
    brighter = (words.short() + int(110 * how.level)).clamp(max=255).byte()
    return torch.where(words < 128, brighter, words)


def colour(words: Tensor, how: Strength) -> Tensor:
    """Less or more colour: by 0.45 at level 0.5, as of contrast and brightness."""
    return _away_from(_grey(words).float(), words, how)


def contrast(words: Tensor, how: Strength) -> Tensor:
    """Less or more distance from the word's mean grey."""
    mean = (_grey(words).double().mean((2, 3), keepdim=True) + 0.5).floor()
    return _away_from(mean.float(), words, how)


def brightness(words: Tensor, how: Strength) -> Tensor:
    """Darker or brighter."""
    return _away_from(torch.zeros(1, device=words.device), words, how)


def rotate(words: Tensor, how: Strength) -> Tensor:
    """Turn, by 15 degrees at level 0.5; the picture grows, so that no corner is lost, and is scaled back."""
    height, width = words.shape[2:]
    angle = math.radians(30 * how.level)
    cos, sin = math.cos(angle), math.sin(angle)
    wide, high = (width * cos + height * sin) / width, (width * sin + height * cos) / height
    one, turn = torch.ones_like(how.sign), how.sign * sin
    x = (cos * wide * one, -turn * high, 0 * one)
    y = (turn * wide, cos * high * one, 0 * one)
    middle_x, middle_y = width / 2, height / 2
    x_0 = middle_x - x[0] * middle_x - x[1] * middle_y
    y_0 = middle_y - y[0] * middle_x - y[1] * middle_y
    return _affine(words, (x[0], x[1], x_0), (y[0], y[1], y_0))


def shear_x(words: Tensor, how: Strength) -> Tensor:
    """Slant from the top: by 0.45 at level 0.5."""
    one = torch.ones_like(how.sign)
    return _affine(words, (one, 0.9 * how.level * how.sign, 0 * one), (0 * one, one, 0 * one))


def shear_y(words: Tensor, how: Strength) -> Tensor:
    """Let the line fall or rise from the left: by 0.1 at level 0.5."""
    one = torch.ones_like(how.sign)
    return _affine(words, (one, 0 * one, 0 * one), (0.2 * how.level * how.sign, one, 0 * one))


def translate_x(words: Tensor, how: Strength) -> Tensor:
    """Shift sideways: by 0.05 of the width at level 0.5."""
    one = torch.ones_like(how.sign)
    shift = 0.1 * how.level * words.shape[3] * how.sign
    return _affine(words, (one, 0 * one, shift), (0 * one, one, 0 * one))


def translate_y(words: Tensor, how: Strength) -> Tensor:
    """Shift up or down: by 0.15 of the height at level 0.5."""
    one = torch.ones_like(how.sign)
    shift = 0.3 * how.level * words.shape[2] * how.sign
    return _affine(words, (one, 0 * one, 0 * one), (0 * one, one, shift))


def gaussian_blur(words: Tensor, how: Strength) -> Tensor:
    """Blur: by a standard deviation of 2 pixels at level 0.5, and at most 2 % of the longer side."""
    sigma = round(min(4 * how.level, max(1, 0.02 * max(words.shape[2:]))))
    if not sigma:
        return words
    reach = 3 * sigma
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=words.device) / sigma) ** 2)
    weights /= weights.sum()
    planes = words.flatten(0, 1)[:, None].float()
    padded = F.pad(planes, (reach, reach, 0, 0), mode="replicate")
    along = F.conv2d(padded, weights[None, None, None, :])
    along = F.pad(along, (0, 0, reach, reach), mode="replicate")
    return _bytes(F.conv2d(along, weights[None, None, :, None]).view(words.shape))


def poisson_noise(words: Tensor, how: Strength) -> Tensor:
    """Add grey noise of either sign: of mean size 21 at level 0.5, and at most 20 % of the longer side."""
    mean = round(min(40 * how.level, max(1, 0.2 * max(words.shape[2:])))) | 1
    length = words.shape[2] * words.shape[3]
    places = how.noise[:, None] + torch.arange(length, device=words.device)
    noise = _noise(mean, length, words.device)[places].view(-1, 1, *words.shape[2:])
    return (words.short() + noise).clamp(0, 255).byte()


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        auto_contrast, equalize, invert, rotate, posterize, solarize, solarize_add, colour, contrast,
        brightness, shear_x, shear_y, translate_x, translate_y, gaussian_blur, poisson_noise,
    )
}  # fmt: skip


def _grey(words: Tensor) -> Tensor:
    red, green, blue = (words[:, c].int() * weight for c, weight in enumerate(LUMA))
    return ((red + green + blue + 2**15) >> 16)[:, None]


def _away_from(base: Tensor, words: Tensor, how: Strength) -> Tensor:
    """Blend a word with ``base``, or move it further away."""
    factor = (1 + 0.9 * how.level * how.sign).clamp(min=0.1)
    return (base + factor * (words - base)).clamp(0, 255).byte()  # cut off, as PIL does


def _affine(words: Tensor, x: tuple[Tensor, ...], y: tuple[Tensor, ...]) -> Tensor:
    """Take each pixel (u, v) from (x[0] u + x[1] v + x[2], y[0] u + ...); centres are at halves, as in PIL.

    PARSeq takes one of two filters at random; here it is always the bilinear one.
    """
    height, width = words.shape[2:]
    u = (torch.arange(width, device=words.device) + 0.5)[None, None, :]
    v = (torch.arange(height, device=words.device) + 0.5)[None, :, None]
    across, down = (a[:, 0] * u + b[:, 0] * v + c[:, 0] for a, b, c in (x, y))
    grid = torch.stack([across / width * 2 - 1, down / height * 2 - 1], 3)
    moved = F.grid_sample(words.float() - GREY, grid, padding_mode="zeros", align_corners=False)
    return _bytes(moved + GREY)


def _bytes(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255).byte()


@functools.cache
def _noise(mean: int, length: int, device: torch.device) -> Tensor:
    rng = np.random.default_rng(0)
    values = rng.poisson(mean, NOISE_PX + length) * rng.choice((-1, 1), NOISE_PX + length)
    return torch.tensor(values, dtype=torch.int16, device=device)
