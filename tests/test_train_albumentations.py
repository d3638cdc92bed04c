"""albumentations by name as an augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import train_words
from torch import Tensor

from curation.core.errors import UserError
from curation.core.recipe import build, load
from curation.core.rng import stream
from train.augments.albumentations import Albumentations
from train.augments.base import to_float
from train.data.packing import scale
from train.recipe import TrainRecipe


@pytest.fixture
def images() -> Tensor:
    words = [scale(train_words.draw(w), (32, 128)) for w in train_words.random_words(6)]
    return torch.from_numpy(np.stack(words))


def test_a_recipe_names_transforms(tmp_path: Path, images: Tensor) -> None:
    path = tmp_path / "train.toml"
    path.write_text(
        '[augment]\nkind = "albumentations"\n'
        '[[augment.transforms]]\nname = "MotionBlur"\np = 1.0\nblur_limit = [7, 7]\n'
    )
    augment = load(path, TrainRecipe).augment
    assert augment == Albumentations(transforms=({"name": "MotionBlur", "p": 1.0, "blur_limit": [7, 7]},))
    blurred = augment(images, stream(0))
    assert blurred.diff(dim=3).abs().mean() < to_float(images).diff(dim=3).abs().mean()


def test_inversion_is_the_negative(images: Tensor) -> None:
    negative = Albumentations(transforms=({"name": "InvertImg", "p": 1.0},))(images, stream(0))
    assert torch.equal(negative, to_float(255 - images))


def test_no_transform_changes_nothing(images: Tensor) -> None:
    assert torch.equal(Albumentations(transforms=())(images, stream(0)), to_float(images))


def test_a_word_does_not_depend_on_its_batch(images: Tensor) -> None:
    noisy = Albumentations(transforms=({"name": "GaussNoise", "p": 0.5},))
    together, first = noisy(images, stream(0)), noisy(images[:1], stream(0))
    assert torch.equal(together[:1], first)
    assert not torch.equal(noisy(images, stream(1)), together)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"p": 0.5}, "it lacks the key 'name' with the name of a transform"),
        (
            {"name": "MotionBlurr"},
            "albumentations has no transform 'MotionBlurr'; did you mean 'MotionBlur' or 'MedianBlur' or "
            "'ZoomBlur'",
        ),
        (
            {"name": "MotionBlur", "blur_limits": 7},
            "MotionBlur has no parameter 'blur_limits'; did you mean 'blur_limit'",
        ),
        (
            {"name": "MotionBlur", "blur_limit": [3, float("inf")]},
            "MotionBlur has the parameter inf, which is no finite number",
        ),
        (
            {"name": "RandomCrop", "height": 16, "width": 64},
            "RandomCrop makes uint8 of shape (16, 64, 3) of a uint8 word of (32, 128, 3)",
        ),
        (
            {"name": "CLAHE", "p": 3.0},
            "CLAHE refuses its parameters: p: Input should be less than or equal to 1",
        ),
    ],
)
def test_says_what_is_wrong_with_a_transform(table: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build(Albumentations, {"transforms": [{"name": "CLAHE"}, table]}, where="train.toml, augment")
    assert str(error.value) == f"train.toml, augment: transforms[1]: {message}."
