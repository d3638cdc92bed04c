"""What a mixture teaches, in which order, and which of its words it does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import train_words

from curation.core.labels import CHARSET_36, protocol
from curation.mixture import Mixture
from train import fit
from train.data import batches
from train.data.packing import pack


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    return train_words.two_sets(tmp_path)


def test_batches_follow_the_mixture(mixture: Path) -> None:
    opened = Mixture.open(mixture)
    network = train_words.TINY.build("abcdefghij")
    words = batches.Words(opened, network, protocol("parseq36"), (32, 128))
    source, row = opened.positions(45, 53)
    images, targets = words.batch(45, 53)
    labels = [
        opened.datasets()[s].table(["label"])["label"][r].as_py() for s, r in zip(source, row, strict=True)
    ]
    assert torch.equal(targets, network.encode(labels)[0])
    assert images.dtype == torch.uint8
    np.testing.assert_array_equal(images[2], pack(opened.datasets()[source[2]]).images[row[2]])


def test_words_that_cannot_be_learned_are_counted(tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", ["one", "a" * 20, "!?", "two"])
    mixture = train_words.mixture(tmp_path / "mixture", words, protocol="exact")
    record = fit.fit(train_words.recipe(steps=1), tmp_path / "run", seed=0, mixture=mixture)
    assert record["unlearnable"] == {"too_long": 1, "empty": 1}


def test_words_that_the_protocol_drops_neither_teach_nor_validate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """26 letters fit into the 32 time steps; PARSeq's protocol stops at 25, so they must not be taught."""
    over_long = "abcdefghijklmnopqrstuvwxyz"
    words = train_words.dataset(tmp_path / "words", ["one", "two", "six"])
    held_out = train_words.dataset(tmp_path / "held_out", ["ten", over_long, "!?", "a" * 20])
    apart = train_words.dataset(tmp_path / "apart", [over_long])
    mixture = train_words.mixture(tmp_path / "mixture", held_out, words, apart, held_out=4, protocol="exact")
    network = train_words.TINY.build(CHARSET_36)
    opened = batches.Words(Mixture.open(mixture), network, protocol("parseq36"), (32, 128))
    images, labels = opened.validation()
    assert sorted(labels) == ["a" * 20, "ten"], "a word that the network cannot spell counts as misread"
    (ten,) = images[[label == "ten" for label in labels]]
    np.testing.assert_array_equal(ten, pack(held_out).images[0])
    _, targets = opened.batch(0, 4)
    assert sorted((targets != 0).sum(1).tolist()) == [0, 3, 3, 3]

    record = fit.fit(train_words.recipe(steps=1), tmp_path / "run", seed=0, mixture=mixture)
    assert record["unlearnable"] == {"too_long": 1}
    assert record["validation"]["n_used"] == 2
    assert record["validation"]["dropped"] == {"empty": 1, "too_long": 1}
    assert capsys.readouterr().err == (
        "Warning: 1 words take up positions but teach nothing (too_long).\n"
        "Warning: 1 of the words held out do not count (empty).\n"
        "Warning: 1 of the words held out do not count (too_long).\n"
    )
