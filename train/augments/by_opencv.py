"""A plan carried out on the processor: with OpenCV, in bytes until the end."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.augments.plan import Columns, Plan, grain

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
CHUNK = 16  # words that are worked on together: few enough for the processor's cache
A_BYTE = float(np.nextafter(np.float32(1 / 127.5), np.float32(0)))  # in floats, so that none is above 1
GRAIN_SD = 40  # of noise in bytes around 128, which holds 3.2 standard deviations either way


def carry_out(plan: Plan, images: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in [-1, 1], channels-last, as ``plan`` says.

    Gives what ``by_torch`` gives but for roundings: OpenCV takes places to 1/32 pixel, and values to whole
    bytes. No pixel depends on how the work is cut up, so that threads do not matter.
    """
    words = np.ascontiguousarray(images.numpy())
    n, height, width, _ = words.shape
    out = torch.empty(words.shape)
    colours, blur, noise = _colours_in_bytes(plan), plan.blur.tolist(), plan.noise.tolist()
    rows, columns = _map_parts(plan, height, width)
    minus_one = torch.tensor(-1.0)
    maps, moved = torch.empty(3, CHUNK, height, width), np.empty((CHUNK, height, width, 3), np.uint8)
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        x, y = _maps(rows[:, start:stop], columns[:, start:stop], maps[:, : stop - start])
        # One tall picture: so small a picture is moved in less time than a call takes.
        tall = moved[: stop - start].reshape(-1, width, 3)
        cv2.remap(words[start:stop].reshape(-1, width, 3), x, y, cv2.INTER_LINEAR, tall, cv2.BORDER_REPLICATE)
        for i, word in enumerate(moved[: stop - start], start):
            if blur[i]:
                _blur(word, blur[i])
            cv2.transform(word, colours[i], word)
            if noise[i]:
                _add_noise(word, noise[i], int(plan.grain[i]))
        done = out[start:stop].copy_(torch.from_numpy(moved[: stop - start]))
        torch.add(minus_one, done, alpha=A_BYTE, out=done)
    return out.permute(0, 3, 1, 2)


def _map_parts(plan: Plan, height: int, width: int) -> tuple[Tensor, Tensor]:
    """What the maps are sums of, rows, (3, n, 1, W), and columns, (3, n, H, 1).

    The first of three is x in pixels times depth, the second y, the third depth.
    """
    x = torch.arange(1, 2 * width, 2) / width - 1
    y = torch.arange(1, 2 * height, 2) / height - 1
    sides = np.array([width, height])[:, None]
    in_pixels = plan.homography.copy()
    in_pixels[:, :2] = (plan.homography[:, :2] * sides + plan.homography[:, 2:] * (sides - 1)) / 2
    h = torch.from_numpy(in_pixels.swapaxes(0, 1).astype(np.float32))
    bend = torch.from_numpy(plan.bend.astype(np.float32))[:, None]
    # A bent word's y is less by bend * (x^2 - 0.5), which does not depend on y.
    rows = h[:, :, :1] * x + h[:, :, 2:] - h[:, :, 1:2] * bend * (x**2 - 0.5)
    columns = h[:, :, 1:2] * y
    return rows[:, :, None, :], columns[:, :, :, None]


def _maps(rows: Tensor, columns: Tensor, maps: Tensor) -> tuple[Floats, Floats]:
    """Where each pixel of a column of words comes from, x and y, each (n * H, W)."""
    _, n, height, width = torch.add(rows, columns, out=maps).shape
    maps[2].clamp_(min=0.1)  # as in by_torch
    maps[:2].div_(maps[2])
    # Each word's border is repeated: nothing comes from the words above and below.
    maps[0].clamp_(0, width - 1)
    maps[1].clamp_(0, height - 1).add_(torch.arange(n)[:, None, None], alpha=height)
    x, y = maps[:2].reshape(2, n * height, width).numpy()
    return x, y


def _colours_in_bytes(plan: Plan) -> Columns:
    """What words as bytes are multiplied with, and what is added: (n, 3, 4).

    Bytes cannot hold what sharpening brings beyond black and white, nor what a noisy word has there, which
    the noise may bring back. So the one comes in, and the other goes out, at half the contrast around 128.
    """
    mix, offset = plan.mix * 127.5, (plan.offset + 1) * 127.5
    sharpened, noisy = plan.blur < 0, plan.noise > 0
    offset[sharpened] -= 128 * mix[sharpened].sum(2)
    mix[sharpened] *= 2
    offset[noisy] = offset[noisy] / 2 + 64
    mix[noisy] /= 2
    return np.concatenate([mix, offset[:, :, None]], 2)


def _blur(word: Bytes, weight: float) -> None:
    """Move a word in place towards its 3 x 3 average; away from it, at half the contrast, below 0."""
    soft = cv2.blur(word, (3, 3), borderType=cv2.BORDER_REPLICATE)
    half, grey = (0.5, 64) if weight < 0 else (1, 0)
    cv2.addWeighted(word, half * (1 - weight), soft, half * weight, grey, word)


def _add_noise(word: Bytes, sd: float, at: int) -> None:
    """Add noise in place to a word at half its contrast, which is made whole."""
    height, width, _ = word.shape
    noise = _grain(height * width)[at : at + height * width].reshape(word.shape)
    weight = sd * 127.5 / GRAIN_SD
    cv2.addWeighted(word, 2, noise, weight, -128 - 128 * weight, word)


@functools.cache
def _grain(length: int) -> Bytes:
    """The same noise for all three channels: (GRAIN_PX + length, 3)."""
    values = np.clip(np.rint(grain(length) * GRAIN_SD + 128), 0, 255).astype(np.uint8)
    return np.repeat(values[:, None], 3, axis=1)
