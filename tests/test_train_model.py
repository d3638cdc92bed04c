"""Promises that every registered model keeps, and what CTC makes of labels and time steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import train_words
from torch import Tensor

from curation.core.errors import UserError
from curation.core.labels import CHARSET_36, CHARSET_94
from curation.core.recipe import build, resolved
from train.augments.base import to_float
from train.data.packing import scale
from train.models import Recognizer, models
from train.models.base import count_parameters, half_precision, spelled
from train.models.conv_ctc import ConvCtc
from train.models.ctc import CtcRecognizer, guide_loss

CPU = torch.device("cpu")


@pytest.fixture(params=list(models))
def model(request: pytest.FixtureRequest) -> Recognizer:
    torch.manual_seed(0)
    return train_words.small(request.param).build(CHARSET_36)


@pytest.fixture
def pictures(request: pytest.FixtureRequest, model: Recognizer) -> Tensor:
    """Four images of the size that the model wants."""
    return images(size=train_words.small(request.node.callspec.params["model"]).image_size)


def images(n: int = 4, size: tuple[int, int] = (32, 128)) -> Tensor:
    torch.manual_seed(1)
    return (torch.rand(n, 3, *size) * 2 - 1).to(memory_format=torch.channels_last)


class TestEveryModel:
    def test_learns_in_bfloat16(self, model: Recognizer, pictures: Tensor) -> None:
        targets, reasons = model.encode(["street", "a1", "ooo", "9"])
        assert reasons == [None] * 4
        with half_precision(CPU, "bf16"):
            loss = model.loss(pictures, targets)
        assert loss.shape == (4,)
        assert loss.dtype == torch.float32
        assert (loss > 0).all()
        loss.mean().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name

    def test_reads_in_evaluation_mode_without_looking_at_the_neighbours(
        self, model: Recognizer, pictures: Tensor
    ) -> None:
        model.eval()
        together = model.read(pictures)
        alone = [model.read(image[None])[0] for image in pictures]
        assert [reading.text for reading in together] == [reading.text for reading in alone]
        assert all(0 <= reading.confidence <= 1 for reading in together)
        assert set("".join(reading.text for reading in together)) <= set(CHARSET_36)

    def test_labels_it_cannot_learn_have_a_reason_and_no_loss(
        self, model: Recognizer, pictures: Tensor
    ) -> None:
        targets, reasons = model.encode(["", "naïve", "a" * 40, "fine"])
        assert reasons == ["empty", "unsupported_character", "too_long", None]
        loss = model.loss(pictures, targets)
        assert (loss[:3] == 0).all()
        assert loss[3] > 0

    def test_equal_seeds_give_equal_weights(self, model: Recognizer, request: pytest.FixtureRequest) -> None:
        torch.manual_seed(0)
        again = train_words.small(request.node.callspec.params["model"]).build(CHARSET_36)
        for ours, theirs in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", list(models))
def test_sizes_survive_a_recipe(name: str) -> None:
    sizes = models.get(name)()
    table = {key: value for key, value in resolved(sizes).items() if key != "kind"}
    assert build(models.get(name), table, where="test") == sizes


def test_conv_ctc_has_1_3_million_parameters() -> None:
    assert count_parameters(ConvCtc().build(CHARSET_36)) == 1_271_157


def test_conv_ctc_gives_one_class_a_character_and_a_blank() -> None:
    assert ConvCtc().build(CHARSET_36)(images(2)).shape == (2, 32, 37)
    assert ConvCtc().build(CHARSET_94)(images(2)).shape == (2, 32, 95)


def test_conv_ctc_wants_a_size_for_every_height() -> None:
    with pytest.raises(UserError) as error:
        build(ConvCtc, {"channels": [32, 64], "blocks": [1]}, where="train.toml, model")
    assert str(error.value) == "train.toml, model: channels needs 4 values and blocks 3, got 2 and 1."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": [16, 0, 64, 128]}, "channels must be 1 or more, got 0"),
        ({"tail": 0}, "tail must be 1 or more, got 0"),
        ({"context": -3}, "context must be 1 or more, got -3"),
        ({"blocks": [1, -1, 0]}, "blocks must be 0 or more, got -1"),
        ({"tail_blocks": -2}, "tail_blocks must be 0 or more, got -2"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1, got 1"),
        ({"dropout": -0.1}, "dropout must be from 0 to below 1, got -0.1"),
        ({"guide": 1.5}, "guide must be from 0 to 1, got 1.5"),
    ],
)
def test_conv_ctc_refuses_impossible_sizes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build(ConvCtc, change, where="train.toml, model")
    assert str(error.value) == f"train.toml, model: {message}."


class Scripted(CtcRecognizer):
    """Gives the classes it is told, at even odds of 0.9 for each."""

    def __init__(self, rows: list[list[int]]) -> None:
        super().__init__("ab", n_steps=len(rows[0]))
        self.rows = torch.tensor(rows)

    def forward(self, images: Tensor) -> Tensor:
        return torch.full((*self.rows.shape, 3), 0.05).scatter(2, self.rows[..., None], 0.9).log()


def test_reading_drops_blanks_and_repeats() -> None:
    rows = [[1, 1, 0, 1, 2, 2], [0, 0, 0, 0, 0, 0], [2, 0, 2, 0, 0, 1]]
    readings = Scripted(rows).read(images(3))
    assert [reading.text for reading in readings] == ["aab", "", "bba"]
    assert readings[0].confidence == pytest.approx(0.9**6)


def test_equal_neighbours_need_a_step_more() -> None:
    _, reasons = Scripted([[0] * 4]).encode(["abab", "ababa", "aab", "aabb"])
    assert reasons == [None, "too_long", None, "too_long"]


def test_the_guide_looks_where_equally_wide_characters_would_be() -> None:
    log_probs = torch.full((2, 8, 4), -9.0)
    targets = torch.tensor([[1, 2, 3, 0], [2, 0, 0, 0]])
    for step, character in ((1, 1), (4, 2), (6, 3)):  # the middles of three equal parts of 8 steps
        log_probs[0, step, character] = -0.5
    log_probs[1, 4, 2] = -0.25
    torch.testing.assert_close(guide_loss(log_probs, targets), torch.tensor([0.5, 0.25]))


def test_the_guide_fades_out() -> None:
    network = train_words.TINY.build(CHARSET_36).eval()  # which guides in the first 0.3 of the training
    targets, _ = network.encode(["one", "two", "three", ""])
    start, middle, end, last = (network.loss(images(), targets, p).detach() for p in (0, 0.15, 0.3, 1))
    assert torch.equal(end, last)
    assert (start[:3] > middle[:3]).all()
    assert (middle[:3] > end[:3]).all()
    torch.testing.assert_close(middle, (start + end) / 2)
    assert start[3] == 0


def test_it_overfits_64_words() -> None:
    """Something that learns must be able to learn by heart."""
    words = train_words.random_words(64)
    pixels = torch.from_numpy(np.stack([scale(train_words.draw(word), (32, 128)) for word in words]))
    torch.manual_seed(0)
    network = train_words.TINY.build(CHARSET_36)
    targets, _ = network.encode(words)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(120):
        with half_precision(CPU, "bf16"):
            loss = network.loss(to_float(pixels), targets).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    assert [reading.text for reading in network.read(to_float(pixels))] == words


def test_labels_are_spelled_at_once() -> None:
    targets = spelled(["cab", "", "bé"], "cbaé", 4, 9)
    assert targets.tolist() == [[1, 3, 2, 9], [9, 9, 9, 9], [2, 4, 9, 9]]
    assert spelled([], "ab", 2, 0).shape == (0, 2)
