"""Promises that every registered augmentation keeps, and what the mild one does."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import train_words
from torch import Tensor

from curation.core.errors import UserError
from curation.core.recipe import build
from curation.core.rng import stream
from train.augments import augments, by_opencv, by_torch
from train.augments.base import to_float
from train.augments.mild import Mild
from train.augments.plan import Plan, streak
from train.data.packing import scale

STILL = Mild(
    rotation_deg=(0, 0), shear=(0, 0), scale=(1, 1), shift=(0, 0), perspective=(0, 0), bend_share=0,
    contrast=(1, 1), brightness=(0, 0), saturation=(1, 1), invert_share=0, blur_share=0, noise_share=0,
)  # fmt: skip


@pytest.fixture
def images() -> Tensor:
    """(8, 32, 128, 3) uint8: words, unlike noise, show what moved."""
    return torch.from_numpy(
        np.stack([scale(train_words.draw(w), (32, 128)) for w in train_words.random_words(8)])
    )


@pytest.mark.parametrize("name", list(augments))
class TestEveryAugmentation:
    def test_equal_generators_give_equal_batches(self, name: str, images: Tensor) -> None:
        augment, before = augments.get(name)(), images.clone()
        first, second = (augment(images, stream(0, "augment", 5)) for _ in range(2))
        assert torch.equal(first, second)
        assert torch.equal(images, before), "the input was changed in place"

    def test_gives_what_a_recognizer_takes(self, name: str, images: Tensor) -> None:
        out = augments.get(name)()(images, stream(0, "augment", 5))
        assert out.shape == (8, 3, 32, 128)
        assert out.dtype == torch.float32
        assert out.is_contiguous(memory_format=torch.channels_last)
        assert out.min() >= -1
        assert out.max() <= 1

    def test_takes_a_single_word(self, name: str, images: Tensor) -> None:
        assert augments.get(name)()(images[:1], stream(0, "augment", 5)).shape == (1, 3, 32, 128)


def test_opencv_and_torch_carry_out_a_plan_alike(images: Tensor) -> None:
    many = images.repeat(8, 1, 1, 1)
    wild = Mild(
        bend_share=0.5, blur_share=0.5, noise_share=0.5, cover_share=0.5, motion_share=0.5, detail_share=0.5
    )
    plan = wild.plan(stream(0), len(many), 4)
    difference = (by_opencv.carry_out(plan, many) - by_torch.carry_out(plan, many)).abs()
    assert difference.mean() < 0.005  # of a range of 2: less than a byte
    assert difference.flatten(1).mean(1).max() < 0.02


def test_threads_and_company_change_no_bit(images: Tensor) -> None:
    many = images.repeat(5, 1, 1, 1)
    cores = cv2.getNumThreads(), torch.get_num_threads()
    results = []
    for n_threads in (1, 4):
        cv2.setNumThreads(n_threads)
        torch.set_num_threads(n_threads)
        results.append(Mild()(many, stream(0)))
    cv2.setNumThreads(cores[0])
    torch.set_num_threads(cores[1])
    assert torch.equal(*results)
    plan = Mild().plan(stream(0), len(many), 4)
    for i in (0, 17, 39):
        columns = {f.name: getattr(plan, f.name)[i : i + 1] for f in fields(Plan) if f.name != "geometries"}
        alone = replace(plan, **columns)
        assert torch.equal(by_opencv.carry_out(alone, many[i : i + 1])[0], results[0][i])


def test_mild_moves_with_the_step(images: Tensor) -> None:
    assert not torch.equal(Mild()(images, stream(0, "augment", 1)), Mild()(images, stream(0, "augment", 2)))


def test_mild_without_any_range_changes_nothing(images: Tensor) -> None:
    torch.testing.assert_close(STILL(images, stream(0)), to_float(images), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "change",
    [
        {"rotation_deg": (5, 5)}, {"shear": (0.3, 0.3)}, {"scale": (0.8, 0.8)}, {"shift": (0.1, 0.1)},
        {"perspective": (0.1, 0.1)}, {"bend": (0.3, 0.3), "bend_share": 1}, {"contrast": (0.5, 0.5)},
        {"brightness": (0.2, 0.2)}, {"saturation": (0, 0)}, {"invert_share": 1},
        {"blur": (1, 1), "blur_share": 1}, {"noise": (0.1, 0.1), "noise_share": 1}, {"cover_share": 1},
        {"motion_share": 1}, {"detail_share": 1},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_each_knob_of_mild_works_by_itself(change: dict[str, tuple[float, float]], images: Tensor) -> None:
    moved = (replace(STILL, **change)(images, stream(0)) - to_float(images)).abs().flatten(1).max(1).values
    assert (moved > 0.05).all(), "some word is as it was"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": [0.0, 1.0]}, "scale must be above 0, got 0"),
        ({"perspective": [-0.6, 0.1]}, "perspective must be above -0.5 and below 0.5, got -0.6"),
        ({"perspective": [0.0, 0.5]}, "perspective must be above -0.5 and below 0.5, got 0.5"),
        ({"bend_share": 1.1}, "bend_share must be from 0 to 1, got 1.1"),
        ({"invert_share": -0.1}, "invert_share must be from 0 to 1, got -0.1"),
        ({"blur_share": 2}, "blur_share must be from 0 to 1, got 2"),
        ({"noise_share": -1}, "noise_share must be from 0 to 1, got -1"),
        ({"noise": [-0.1, 0.1]}, "noise must be 0 or more, got -0.1"),
        ({"cover_share": 1.5}, "cover_share must be from 0 to 1, got 1.5"),
        ({"cover": [-0.5, 0.1]}, "cover must be from 0 to 1, got -0.5"),
        ({"motion_px": [2, 9]}, "motion_px must be from 0 to 8, got 9"),
        ({"detail": [0.5, 1.5]}, "detail must be from 0 to 1, got 1.5"),
        ({"contrast": [-0.5, 1.0]}, "contrast must be 0 or more, got -0.5"),
    ],
)
def test_mild_refuses_impossible_values(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build(Mild, change, where="train.toml, augment")
    assert str(error.value) == f"train.toml, augment: {message}."


def test_the_wildest_mild_is_finite(images: Tensor) -> None:
    wild = Mild(
        scale=(0.01, 20), perspective=(-0.49, 0.49), contrast=(0, 50), noise=(0, 5), bend=(-9, 9),
        bend_share=1, invert_share=1, blur_share=1, noise_share=1,
    )  # fmt: skip
    assert wild(images, stream(0)).isfinite().all()


def test_inversion_is_the_negative(images: Tensor) -> None:
    negative = replace(STILL, invert_share=1)(images, stream(0))
    torch.testing.assert_close(negative, -to_float(images), atol=1e-5, rtol=0)


def test_no_saturation_is_grey(images: Tensor) -> None:
    grey = replace(STILL, saturation=(0, 0))(images, stream(0))
    torch.testing.assert_close(grey[:, 0], grey[:, 2], atol=1e-5, rtol=0)


def test_rotation_turns_anticlockwise() -> None:
    line = torch.full((1, 32, 128, 3), 255, dtype=torch.uint8)
    line[:, 15:17] = 0
    turned = replace(STILL, rotation_deg=(5, 5))(line, stream(0))[0, 0]
    left, right = turned[:, 16].argmin(), turned[:, 111].argmin()
    assert left > 16 > right, "anticlockwise on screen lifts the right end"


def test_positive_bend_lifts_the_middle() -> None:
    line = torch.full((1, 32, 128, 3), 255, dtype=torch.uint8)
    line[:, 15:17] = 0
    bent = replace(STILL, bend=(0.4, 0.4), bend_share=1)(line, stream(0))[0, 0]
    assert bent[:, 64].argmin() < bent[:, 2].argmin()


def test_a_motion_smears_along_itself() -> None:
    across, down = streak(np.array([6.0, 0.0])), streak(np.array([0.0, 6.0]))
    assert across.sum() == pytest.approx(1)
    assert np.flatnonzero(across.sum(1)).tolist() == [4]
    assert np.flatnonzero(across.sum(0)).tolist() == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(down, across.T)


def test_few_pixels_leave_only_the_mean_of_each_block() -> None:
    stripes = torch.zeros((1, 32, 128, 3), dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    flat = replace(STILL, detail=(0.5, 0.5), detail_share=1)(stripes, stream(0))
    torch.testing.assert_close(flat, torch.full_like(flat, 100 / 127.5 - 1), atol=1e-5, rtol=0)


def test_a_cover_is_flat_and_of_its_size() -> None:
    words = torch.zeros((4, 32, 128, 3), dtype=torch.uint8)
    covered = replace(STILL, cover=(0.25, 0.25), cover_share=1)(words, stream(0))
    for word in covered:
        hidden = (word > -1).any(0)
        assert hidden.any(0).sum() in (31, 32, 33)
        assert 15 <= hidden.any(1).sum() <= 32
        assert len(word[:, hidden].unique(dim=1).T) == 1
