"""The vision transformer that is read with CTC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import train_words

from curation.core.errors import UserError
from curation.core.labels import CHARSET_36
from curation.core.recipe import build
from train.augments.base import to_float
from train.data.packing import scale
from train.models.base import count_parameters
from train.models.vit_ctc import VitCtc


@pytest.mark.parametrize(
    ("size", "n_parameters"),
    [
        ("tiny", 5_975_749),
        ("small", 23_747_941),
        ("base", 94_681_765),
        ("large", 319_340_069),
        ("huge", 656_209_317),
    ],
)
def test_every_size_has_its_parameters(size: Any, n_parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(VitCtc(size=size).build(CHARSET_36)) == n_parameters


def test_single_sizes_change_the_row() -> None:
    sizes = VitCtc(size="base", depth=3, heads=8).encoder
    assert (sizes.width, sizes.depth, sizes.heads) == (768, 3, 8)


def test_time_steps_go_from_left_to_right_four_to_a_column() -> None:
    torch.manual_seed(0)
    network = VitCtc(size="tiny", width=8, depth=1, heads=2).build(CHARSET_36).eval()
    tokens = torch.zeros(1, 128, 8, requires_grad=True)
    network.encoder.forward_features = lambda images: tokens
    network(torch.zeros(1, 3, 32, 128))[0, 20:24].sum().backward()  # the steps of column 5
    assert tokens.grad is not None
    seen = tokens.grad[0].abs().sum(1).view(8, 16).gt(0)
    assert seen[:, 5].all()
    assert not seen[:, [i for i in range(16) if i != 5]].any()


def test_it_learns_the_longest_words_and_25_equal_letters() -> None:
    network = VitCtc(**train_words.SMALL["vit_ctc"]).build(CHARSET_36)
    _, reasons = network.encode(["a" * 25, "ab" * 16, "a" * 32, "a" * 33])
    assert reasons == [None, None, None, "too_long"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"size": "giant"},
            "unknown value 'giant' in train.toml, model, size. Known: base, huge, large, small, tiny.",
        ),
        ({"width": 15, "heads": 3}, "train.toml, model: width must be even, got 15."),
        ({"width": 100}, "train.toml, model: width must be a multiple of heads, got 100 and 6."),
        ({"depth": 0}, "train.toml, model: depth must be 1 or more, got 0."),
        ({"drop_path": 1.0}, "train.toml, model: drop_path must be from 0 to below 1, got 1."),
        ({"dropout": -0.5}, "train.toml, model: dropout must be from 0 to below 1, got -0.5."),
        ({"guide": 2}, "train.toml, model: guide must be from 0 to 1, got 2."),
    ],
)
def test_it_refuses_impossible_sizes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build(VitCtc, change, where="train.toml, model")
    assert str(error.value) == message


def test_it_overfits_64_words() -> None:
    words = train_words.random_words(64)
    pixels = np.stack([scale(train_words.draw(word), (32, 128)) for word in words])
    images = to_float(torch.from_numpy(pixels))
    torch.manual_seed(0)
    sizes = VitCtc(size="tiny", width=48, depth=1, heads=2, dropout=0.0, drop_path=0.0)
    network, n_steps = sizes.build(CHARSET_36), 220
    targets, _ = network.encode(words)
    optimizer = torch.optim.AdamW(network.parameters(), lr=6e-3)
    fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, 2 * (n_steps - step) / n_steps))
    for step in range(n_steps):
        half = slice(32) if step % 2 else slice(32, 64)
        optimizer.zero_grad()
        network.loss(images[half], targets[half], step / n_steps).mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        fall.step()
    network.eval()
    assert [reading.text for reading in network.read(images)] == words
