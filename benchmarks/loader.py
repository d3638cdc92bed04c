"""From stored words to augmented batches: ours, from the pack, against PARSeq's loader path.

PARSeq decodes each JPEG with PIL every time it is seen, applies its RandAugment, stretches to 32 x 128 with
a bicubic filter, and makes a tensor of it. Its equivalent here is written on PIL and numpy after its
published settings (Bautista and Atienza, ECCV 2022; strhub/data/augment.py and module.py, on operations of
timm): 3 of 16 operations without repetition, each with probability 0.5, at magnitude 5, without Sharpness but
with GaussianBlur and PoissonNoise; at magnitude 10 it would turn by 30 degrees, shear by 0.9 and 0.2, shift
by 0.1 and 0.3. Reading LMDB and sending batches between processes are left out, in its favour.

Ours takes words from the pack, which was made once, at shuffled rows, and augments them, batch by batch, with
``mild`` unless told. Making the pack is not counted; its speed is told.

Both see the same words in the same order, on one core, in turns, by processor time. The last line is
``ratio <number>``: ours / PARSeq's, the median over the rounds.

Command: python benchmarks/loader.py
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from curation.core.dataset import Dataset
from curation.core.recipe import build
from curation.core.rng import stream
from synthgen.render import load, render
from train.augments import augments
from train.augments.base import Augment
from train.data.packing import Pack, pack

Picture = Image.Image
Operation = Callable[[Picture, np.random.Generator], Picture]
LEVEL = 5 / 10  # magnitude 5 of timm's 10
GREY = (128, 128, 128)
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


def main() -> None:
    """Time both and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", type=Path, help="words to load  [default: rendered by mjst_plus]")
    parser.add_argument("--words", type=int, default=1_152, help="words in a turn")
    parser.add_argument("--batch", type=int, default=384, help="PARSeq's is 384")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each, after one to warm up")
    parser.add_argument("--augment", default="mild", help="what ours does to the words")
    options = parser.parse_args()
    one_core()
    augment = build(augments.get(options.augment), {}, where="--augment")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GLYPHMIX_CACHE"] = f"{folder}/cache"
        dataset = words(options.dataset, Path(folder) / "words", options.words)
        began = time.process_time()
        packed = pack(dataset, threads=1)
        packing = len(dataset) / (time.process_time() - began)
        files = [row["image"]["bytes"] for row in dataset.take(range(len(dataset)), ["image"])]
        order = np.random.default_rng(0).permutation(len(dataset))[: options.words]
        paths = {
            "PARSeq's path": lambda turn: parseq_path(files, order, options.batch, turn),
            "ours": lambda turn: our_path(packed, order, options.batch, augment, turn),
        }
        rates = measure(paths, len(order), options.rounds)
    size = np.array([Image.open(io.BytesIO(files[row])).size for row in order]).mean(0)
    print(f"{len(order):,} words of {dataset.name}, on average {size[0]:.0f} x {size[1]:.0f} pixels")
    print(f"packed once, at {packing:,.0f} words/s")
    for name, values in rates.items():
        print(f"{name:<14} {statistics.median(values):>7,.0f} words/s a core")
    ratios = [ours / theirs for ours, theirs in zip(rates["ours"], rates["PARSeq's path"], strict=True)]
    print(f"ratio {statistics.median(ratios):.1f}")


def one_core() -> None:
    """Keep this process on one core and its libraries to one thread."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def words(chosen: Path | None, out: Path, n: int) -> Dataset:
    """The dataset that was chosen, or rendered words, stored as JPEG."""
    if chosen is None:
        render(load("mjst_plus"), out, n=n)
    return Dataset.open(chosen or out)


def measure(paths: dict[str, Callable[[int], None]], n_words: int, rounds: int) -> dict[str, list[float]]:
    """Words a second of processor time of each path, in each round."""
    rates: dict[str, list[float]] = {name: [] for name in paths}
    for turn in range(rounds + 1):
        for name, path in paths.items():
            began = time.process_time()
            path(turn)
            if turn:
                rates[name].append(n_words / (time.process_time() - began))
    return rates


def our_path(packed: Pack, order: np.ndarray, batch: int, augment: Augment, turn: int) -> None:
    """Rows of the pack to batches."""
    for number, start in enumerate(range(0, len(order), batch)):
        images = torch.from_numpy(packed.take(order[start : start + batch]))
        augment(images, stream(turn, "augment", number))


def parseq_path(files: Sequence[bytes], order: np.ndarray, batch: int, turn: int) -> None:
    """Image files to batches."""
    rng = np.random.default_rng(turn)
    for start in range(0, len(order), batch):
        torch.stack([as_parseq_does(files[row], rng) for row in order[start : start + batch].tolist()])


def as_parseq_does(data: bytes, rng: np.random.Generator) -> torch.Tensor:
    """Decode one word, augment it, scale it and make a tensor of it: (3, 32, 128) float32 in [-1, 1]."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    for number in rng.choice(len(OPERATIONS), 3, replace=False):
        if rng.random() <= 0.5:
            picture = OPERATIONS[number](picture, rng)
    scaled = picture.resize((128, 32), Image.Resampling.BICUBIC)
    tensor = torch.from_numpy(np.array(scaled)).permute(2, 0, 1).contiguous()
    return tensor.float().div(255).sub_(0.5).div_(0.5)


def either(size: float, rng: np.random.Generator) -> float:
    """The size with a random sign."""
    return -size if rng.random() > 0.5 else size


def enhance(
    kind: Callable[[Picture], ImageEnhance._Enhance],
) -> Callable[[Picture, np.random.Generator], Picture]:
    """Less or more of something: away from 1 by 0.9 at the greatest level."""
    return lambda picture, rng: kind(picture).enhance(1 + either(0.9 * LEVEL, rng))


def affine(picture: Picture, rng: np.random.Generator, matrix: tuple[float, ...]) -> Picture:
    """Move pixels, with either of two filters, grey where nothing was."""
    how = FILTERS[rng.integers(2)]
    return picture.transform(picture.size, Image.Transform.AFFINE, matrix, resample=how, fillcolor=GREY)


def rotate(picture: Picture, rng: np.random.Generator) -> Picture:
    """Turn by 15 degrees either way; the picture grows, so that no corner is lost."""
    how = FILTERS[rng.integers(2)]
    return picture.rotate(either(30 * LEVEL, rng), resample=how, expand=True, fillcolor=GREY)


def shear_x(picture: Picture, rng: np.random.Generator) -> Picture:
    """Slant."""
    return affine(picture, rng, (1, either(0.9 * LEVEL, rng), 0, 0, 1, 0))


def shear_y(picture: Picture, rng: np.random.Generator) -> Picture:
    """Let the line rise or fall."""
    return affine(picture, rng, (1, 0, 0, either(0.2 * LEVEL, rng), 1, 0))


def translate_x(picture: Picture, rng: np.random.Generator) -> Picture:
    """Shift sideways."""
    return affine(picture, rng, (1, 0, either(0.1 * LEVEL, rng) * picture.width, 0, 1, 0))


def translate_y(picture: Picture, rng: np.random.Generator) -> Picture:
    """Shift up or down."""
    return affine(picture, rng, (1, 0, 0, 0, 1, either(0.3 * LEVEL, rng) * picture.height))


def solarize_add(picture: Picture, rng: np.random.Generator) -> Picture:
    """Brighten what is darker than the middle."""
    table = [min(255, value + int(110 * LEVEL)) if value < 128 else value for value in range(256)]
    return picture.point(table * 3)


def gaussian_blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """Blur, by 2 % of the longer side at most."""
    radius = round(min(4 * LEVEL, max(1, 0.02 * max(picture.size))))
    return picture.filter(ImageFilter.GaussianBlur(radius))


def poisson_noise(picture: Picture, rng: np.random.Generator) -> Picture:
    """Add grey noise of random sign; its mean size is 20 % of the longer side at most."""
    mean = round(min(40 * LEVEL, max(1, 0.2 * max(picture.size)))) | 1
    noise = rng.poisson(mean, picture.size[::-1])
    noise[rng.random(noise.shape) < 0.5] *= -1
    return Image.fromarray(np.clip(np.asarray(picture) + noise[:, :, None], 0, 255).astype(np.uint8))


OPERATIONS: tuple[Operation, ...] = (
    lambda picture, rng: ImageOps.autocontrast(picture),
    lambda picture, rng: ImageOps.equalize(picture),
    lambda picture, rng: ImageOps.invert(picture),
    rotate,
    lambda picture, rng: ImageOps.posterize(picture, 4 - int(4 * LEVEL)),
    lambda picture, rng: ImageOps.solarize(picture, 256 - int(256 * LEVEL)),
    solarize_add,
    enhance(ImageEnhance.Color),
    enhance(ImageEnhance.Contrast),
    enhance(ImageEnhance.Brightness),
    shear_x,
    shear_y,
    translate_x,
    translate_y,
    gaussian_blur,
    poisson_noise,
)


if __name__ == "__main__":
    main()
