"""A plan carried out on the processor: with OpenCV, in bytes until the end."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.augments.plan import Columns, Geometries, Plan, grain, kept, streak

Bytes = NDArray[np.uint8]
Maps = tuple[cv2.typing.MatLike, cv2.typing.MatLike]
CHUNK = 32  # words turned into floats together: few enough for the processor's cache
A_BYTE = float(np.nextafter(np.float32(1 / 127.5), np.float32(0)))  # in floats, so that none is above 1
GRAIN_SD = 40  # of noise in bytes around 128, which holds 3.2 standard deviations either way


def carry_out(plan: Plan, images: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in [-1, 1], channels-last, as ``plan`` says.

    Gives what ``by_torch`` gives but for roundings: OpenCV takes places to 1/32 pixel, and values to whole
    bytes. No pixel depends on how the work is cut up, so that threads do not matter.
    """
    words = np.ascontiguousarray(images.numpy())
    n, height, width, _ = words.shape
    out = torch.from_numpy(np.empty(words.shape, np.float32))  # NumPy asks for huge pages, which come sooner
    minus_one = torch.tensor(-1.0)
    colours, blur, noise = _colours_in_bytes(plan), plan.blur.tolist(), plan.noise.tolist()
    covered = (plan.cut[:, 2] > plan.cut[:, 0]).tolist()
    moving, coarse = plan.motion.any(1).tolist(), (plan.detail < 1).tolist()
    maps, which = _maps(plan.geometries, height, width), plan.geometry.tolist()
    moved, word = np.empty((CHUNK, height, width, 3), np.uint8), np.empty((height, width, 3), np.uint8)
    done = torch.from_numpy(moved)
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        for i, finished in enumerate(moved[: stop - start], start):
            whole = words[i] if not covered[i] else _covered(words[i], plan, i)
            cv2.remap(whole, *maps[which[i]], cv2.INTER_LINEAR, word, cv2.BORDER_REPLICATE)
            if blur[i]:
                _blur(word, blur[i])
            if moving[i]:
                cv2.filter2D(word, -1, streak(plan.motion[i]), word, borderType=cv2.BORDER_REPLICATE)
            if coarse[i]:
                _lose_detail(word, float(plan.detail[i]))
            cv2.transform(word, colours[i], finished)
            if noise[i]:
                _add_noise(finished, noise[i], int(plan.grain[i]))
        values = out[start:stop].copy_(done[: stop - start])
        torch.add(minus_one, values, alpha=A_BYTE, out=values)
    return out.permute(0, 3, 1, 2)


@functools.lru_cache(maxsize=8)
def _maps(
    geometries: Geometries, height: int, width: int
) -> list[tuple[cv2.typing.MatLike, cv2.typing.MatLike]]:
    """Where each pixel of the output comes from, as OpenCV takes it fastest: 24 KB for a word of 32 x 128."""
    x = (np.arange(1, 2 * width, 2) / width - 1)[None, :]
    y = (np.arange(1, 2 * height, 2) / height - 1)[:, None]
    maps = []
    for h, bend in zip(geometries.homography, geometries.bend.tolist(), strict=True):
        bent = y - bend * (x**2 - 0.5)
        depth = np.maximum(h[2, 0] * x + h[2, 1] * bent + h[2, 2], 0.1)  # as in by_torch
        places = (h[:2, :1, None] * x + h[:2, 1:2, None] * bent + h[:2, 2:, None]) / depth
        sides = np.array([width, height])[:, None, None]
        pixels = ((places + 1) * sides - 1) / 2
        # A hair inside, since OpenCV takes pixels one by one that have no right or lower neighbour.
        pixels = np.where(pixels > sides - 1, sides - 1 - 1 / 32, pixels.clip(0)).astype(np.float32)
        maps.append(cv2.convertMaps(pixels[0], pixels[1], cv2.CV_16SC2))
    return maps


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


def _covered(word: Bytes, plan: Plan, i: int) -> Bytes:
    word = word.copy()
    word[plan.cut_px(i, *word.shape[:2])] = plan.cover[i]
    return word


def _lose_detail(word: Bytes, share: float) -> None:
    """Make a word small and large again, in place."""
    height, width, _ = word.shape
    small = cv2.resize(word, (kept(width, share), kept(height, share)), interpolation=cv2.INTER_AREA)
    cv2.resize(small, (width, height), word, interpolation=cv2.INTER_LINEAR)


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
