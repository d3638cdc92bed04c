"""PARSeq's operations, each against PIL's where PIL has it, and RandAugment's draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import train_words
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from curation.core.errors import UserError
from curation.core.recipe import build
from curation.core.rng import stream
from train.augments.base import to_float
from train.augments.operations import OPERATIONS, Strength
from train.augments.randaugment import RandAugment
from train.data.packing import scale

AFFINE, BILINEAR, GREY = Image.Transform.AFFINE, Image.Resampling.BILINEAR, (128, 128, 128)


def picture(seed: int) -> np.ndarray:
    """A word in colours that fill no channel's range."""
    word = scale(train_words.draw(train_words.random_words(1, seed=seed)[0]), (32, 128)).astype(float)
    return (20 + word * (0.6, 0.7, 0.5) + np.linspace(0, 40, 128)[None, :, None]).astype(np.uint8)


def apply(name: str, words: list[np.ndarray], signs: list[float], level: float = 0.5) -> np.ndarray:
    planes = torch.from_numpy(np.stack(words)).permute(0, 3, 1, 2).contiguous()
    how = Strength(level=level, sign=torch.tensor(signs)[:, None, None, None], noise=torch.tensor([5, 900]))
    return OPERATIONS[name](planes, how).permute(0, 2, 3, 1).numpy()


def moved(*matrix: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.transform(image.size, AFFINE, matrix, resample=BILINEAR, fillcolor=GREY)


@pytest.mark.parametrize(
    ("name", "first", "second", "most"),
    [
        ("auto_contrast", ImageOps.autocontrast, ImageOps.autocontrast, 1),
        ("equalize", ImageOps.equalize, ImageOps.equalize, 0),
        ("invert", ImageOps.invert, ImageOps.invert, 0),
        ("posterize", lambda i: ImageOps.posterize(i, 2), lambda i: ImageOps.posterize(i, 2), 0),
        ("solarize", lambda i: ImageOps.solarize(i, 128), lambda i: ImageOps.solarize(i, 128), 0),
        *[
            (name, lambda i, e=e: e(i).enhance(0.55), lambda i, e=e: e(i).enhance(1.45), 1)
            for name, e in (
                ("colour", ImageEnhance.Color),
                ("contrast", ImageEnhance.Contrast),
                ("brightness", ImageEnhance.Brightness),
            )
        ],
        ("shear_x", moved(1, -0.45, 0, 0, 1, 0), moved(1, 0.45, 0, 0, 1, 0), 2),
        ("shear_y", moved(1, 0, 0, -0.1, 1, 0), moved(1, 0, 0, 0.1, 1, 0), 2),
        ("translate_x", moved(1, 0, -6.4, 0, 1, 0), moved(1, 0, 6.4, 0, 1, 0), 2),
        ("translate_y", moved(1, 0, 0, 0, 1, -4.8), moved(1, 0, 0, 0, 1, 4.8), 2),
    ],
)
def test_does_what_pil_does(
    name: str,
    first: Callable[[Image.Image], Image.Image],
    second: Callable[[Image.Image], Image.Image],
    most: int,
) -> None:
    words = [picture(0), picture(1)]
    pairs = zip((first, second), words, strict=True)
    expected = np.stack([np.asarray(change(Image.fromarray(word))) for change, word in pairs])
    difference = np.abs(apply(name, words, [-1.0, 1.0]).astype(int) - expected)
    # PIL and torch fade differently into what lies outside, along an edge of the word
    assert np.quantile(difference, 0.95 if name.startswith(("shear", "translate")) else 1) <= most
    assert not np.array_equal(expected, np.stack(words))


def test_solarize_add_brightens_what_is_dark() -> None:
    word = np.array([0, 60, 127, 128, 200], np.uint8).reshape(1, 5, 1).repeat(3, 2)
    assert apply("solarize_add", [word, word], [1.0, 1.0])[0, 0, :, 0].tolist() == [55, 115, 182, 128, 200]


def test_a_turned_word_keeps_its_corners() -> None:
    word = np.full((32, 128, 3), 200, np.uint8)
    turned = apply("rotate", [word, word], [1.0, -1.0])
    assert (turned[:, 0, 0] == 128).all(), "there is grey beside the turned picture"
    expected = Image.fromarray(word).rotate(15, resample=BILINEAR, expand=True, fillcolor=GREY)
    scaled = np.asarray(expected.resize((128, 32), BILINEAR)).astype(int)
    likeness = [np.abs(one.astype(int) - scaled).mean() for one in turned]
    assert min(likeness) < 3 < max(likeness)


def test_blur_spreads_a_dot_over_two_pixels() -> None:
    dot = np.zeros((32, 128, 3), np.uint8)
    dot[16, 64] = 255
    blurred = apply("gaussian_blur", [dot, dot], [1.0, 1.0])[0, :, :, 0].astype(float)
    across = blurred.sum(0) / blurred.sum()
    sd = np.sqrt((across * (np.arange(128) - 64) ** 2).sum())
    assert 1.5 < sd < 2.2


def test_noise_is_grey_and_of_the_stated_size() -> None:
    grey = np.full((32, 128, 3), 128, np.uint8)
    noisy = apply("poisson_noise", [grey, grey], [1.0, 1.0]).astype(int) - 128
    assert (noisy == noisy[..., :1]).all()
    assert abs(np.abs(noisy).mean() - 21) < 0.5
    assert abs(noisy.mean()) < 1
    assert not np.array_equal(noisy[0], noisy[1])


@pytest.fixture
def images() -> Tensor:
    return torch.from_numpy(np.stack([picture(i) for i in range(16)]))


def test_no_probability_changes_nothing(images: Tensor) -> None:
    assert torch.equal(RandAugment(probability=0)(images, stream(0)), to_float(images))


def test_a_word_meets_no_operation_twice(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    met = dict.fromkeys(OPERATIONS, 0)
    for name in OPERATIONS:

        def count(words: Tensor, how: Strength, name: str = name) -> Tensor:
            met[name] += len(words)
            return words

        monkeypatch.setitem(OPERATIONS, name, count)
    RandAugment(n_ops=16, probability=1)(images, stream(0))
    assert met == dict.fromkeys(OPERATIONS, len(images))
    RandAugment(n_ops=3, probability=1)(images, stream(0))
    assert sum(met.values()) == (16 + 3) * len(images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_ops": 0}, "n_ops must be from 1 to 16, got 0"),
        ({"n_ops": 17}, "n_ops must be from 1 to 16, got 17"),
        ({"magnitude": 10.5}, "magnitude must be from 0 to 10, got 10.5"),
        ({"probability": -0.1}, "probability must be from 0 to 1, got -0.1"),
    ],
)
def test_refuses_impossible_values(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build(RandAugment, change, where="train.toml, augment")
    assert str(error.value) == f"train.toml, augment: {message}."
