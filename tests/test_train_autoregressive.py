"""What PARSeq and TrOCR share: targets, reading with kept keys, export; and their sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import train_words
from torch import Tensor, nn

from curation.core.errors import UserError
from curation.core.labels import CHARSET_36, CHARSET_94
from curation.core.recipe import build
from train.models import models
from train.models.autoregressive import AutoregressiveRecognizer, learned, most_likely
from train.models.base import count_parameters, half_precision
from train.models.parseq import Parseq, ParseqNet
from train.models.trocr import Trocr, TrocrNet

KINDS = ("parseq", "trocr")


def little(kind: str, *, scale: float = 4, **changes: Any) -> Any:
    """A network with all its parts, its first weights ``scale`` times as great, to read different words."""
    torch.manual_seed(0)
    network = models.get(kind)(**(train_words.SMALL[kind] | changes)).build(CHARSET_36).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 2:
                parameter.mul_(scale)
    return network


def images(n: int) -> Tensor:
    rng = torch.Generator().manual_seed(1)
    return nn.functional.interpolate(torch.rand(n, 3, 4, 8, generator=rng) * 2 - 1, size=(32, 128))


class TestTargets:
    def test_are_classes_and_then_ends(self) -> None:
        network = little("trocr", max_length=4)
        targets, reasons = network.encode(["0az", "", "aaaa", "aaaaa", "a-b"])
        assert targets.tolist() == [[1, 11, 36, 0, 0], [0] * 5, [11, 11, 11, 11, 0], [0] * 5, [0] * 5]
        assert reasons == [None, "empty", None, "too_long", "unsupported_character"]

    def test_are_learned_up_to_the_first_end(self) -> None:
        places = learned(torch.tensor([[1, 11, 0, 0], [0, 0, 0, 0], [3, 3, 3, 0]]))
        assert places.int().tolist() == [[1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]

    def test_come_back_as_text(self) -> None:
        network = little("trocr")
        targets, _ = network.encode(["street", "a1", "x" * 25])
        assert network.texts(targets.numpy()) == ["street", "a1", "x" * 25]
        assert network.texts(np.array([[11, 0, 12, 13], [0, 11, 11, 11], [11, 12, 13, 14]])) == [
            "a",
            "",
            "abcd",
        ]

    def test_are_preceded_by_the_beginning(self) -> None:
        network = little("trocr")
        assert network.shifted(torch.tensor([[5, 6, 0]])).tolist() == [[37, 5, 6]]


def test_confidence_is_of_the_characters_and_the_first_end() -> None:
    probabilities = torch.tensor([[[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], [[0.1, 0.9], [0.4, 0.6], [0.3, 0.7]]])
    classes, confidence = most_likely(probabilities.log())
    assert classes.tolist() == [[1, 0, 0], [1, 1, 1]]
    torch.testing.assert_close(confidence, torch.tensor([0.9 * 0.8, 0.9 * 0.6 * 0.7]))


@pytest.mark.parametrize("kind", KINDS)
class TestReading:
    @torch.no_grad()
    def test_with_kept_keys_equals_reading_from_the_beginning_each_time(self, kind: str) -> None:
        network = little(kind, max_length=7) if kind == "trocr" else little(kind, max_length=7, refine=0)
        network.head.bias[0] -= 9  # so that no word ends
        expected = torch.empty(6, 0, dtype=torch.int64)
        for _ in range(8):
            before = network.shifted(nn.functional.pad(expected, (0, 1)))
            expected = _predict_all(network, before, network.memory(images(6))).argmax(-1)
        classes, _ = network.decode(images(6))
        assert torch.equal(classes, expected)
        assert len({tuple(row) for row in classes.tolist()}) > 1

    def test_stops_with_the_longest_word_and_reads_the_same_alone(self, kind: str) -> None:
        network = little(kind)
        network.head.bias.data[0] += {"parseq": 0, "trocr": 1}[kind]  # so that words end sooner or later
        together = network.read(images(8))
        assert len({reading.text for reading in together}) > 2
        for image, reading in zip(images(8), together, strict=True):
            alone = network.read(image[None])[0]
            assert alone.text == reading.text
            assert alone.confidence == pytest.approx(reading.confidence, rel=1e-4)

    def test_exports_at_a_fixed_length_and_any_batch(self, kind: str) -> None:
        network = little(kind, max_length=2, decoder_depth=1)
        exported = torch.export.export(
            Decoding(network), (images(2),), dynamic_shapes=({0: torch.export.Dim("batch", max=64)},)
        )
        classes, confidence = exported.module()(images(3))
        assert classes.shape == (3, 3)
        expected, expected_confidence = network.decode(images(3))
        assert network.texts(classes.numpy()) == network.texts(expected.numpy())
        torch.testing.assert_close(confidence, expected_confidence, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_loss_is_the_same_in_a_batch_and_alone_and_in_float32(kind: str) -> None:
    network = little(kind, permutations=1) if kind == "parseq" else little(kind)
    targets, _ = network.encode(["street", "", "a1"])
    loss = network.loss(images(3), targets)
    assert loss[1] == 0
    torch.testing.assert_close(loss[2:], network.loss(images(3)[2:], targets[2:]))
    with half_precision(torch.device("cpu"), "bf16"):
        rough = network.loss(images(3), targets)
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, loss, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ("kind", "size", "charset", "published"),
    [
        # Bautista and Atienza 2022.
        ("parseq", "tiny", CHARSET_94, 6.0e6),
        ("parseq", "small", CHARSET_94, 23.8e6),
        # Rang et al. 2024: digitised from Figure 1, and from the text. Their small has 22.5 M.
        ("parseq", "base", CHARSET_94, 103.8e6),
        ("parseq", "huge", CHARSET_94, 682e6),
        # Rang et al. 2024, Figure 2.
        ("trocr", "small", CHARSET_36, 43.09e6),
        ("trocr", "base", CHARSET_36, 281.9e6),
        ("trocr", "large", CHARSET_36, 505.0e6),
        ("trocr", "huge", CHARSET_36, 958.7e6),
    ],
)
def test_parameters_are_within_a_twentieth_of_the_published(
    kind: str, size: str, charset: str, published: float
) -> None:
    with torch.device("meta"):
        assert count_parameters(models.get(kind)(size=size).build(charset)) == pytest.approx(
            published, rel=0.05
        )


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("parseq", {"permutations": 3}, "permutations must be 1 or an even number, got 3"),
        ("parseq", {"decoder_heads": 5}, "decoder_heads must divide the width 384, got 5"),
        ("parseq", {"decoder_depth": 0}, "decoder_depth must be 1 or more, got 0"),
        ("parseq", {"refine": -1}, "refine must be 0 or more, got -1"),
        ("parseq", {"width": 100}, "width must be a multiple of heads, got 100 and 6"),
        ("parseq", {"dropout": 1.0}, "dropout must be from 0 to below 1, got 1"),
        ("parseq", {"max_length": 0}, "max_length must be 1 or more, got 0"),
        ("trocr", {"decoder_width": 0}, "decoder_width and decoder_depth must be 1 or more, got 0 and 9"),
        ("trocr", {"decoder_heads": 7}, "decoder_heads must divide decoder_width 384, got 7"),
        ("trocr", {"drop_path": -0.1}, "drop_path must be from 0 to below 1, got -0.1"),
        ("trocr", {"max_length": 0}, "max_length must be 1 or more, got 0"),
    ],
)
def test_impossible_sizes_are_refused(kind: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        build(models.get(kind), change, where="train.toml, model")
    assert str(error.value) == f"train.toml, model: {message}."


def test_an_unknown_size_is_named() -> None:
    with pytest.raises(UserError) as error:
        build(Trocr, {"size": "hug"}, where="train.toml, model")
    assert str(error.value) == "unknown value 'hug' in train.toml, model, size. Did you mean 'huge'?"


class Decoding(nn.Module):
    """``decode`` as a module of its own, as export wants it."""

    def __init__(self, network: AutoregressiveRecognizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.decode(images)


def _predict_all(network: Any, before: Tensor, memory: list[Tensor]) -> Tensor:
    """Predict the character after each of ``before`` at once, nothing kept."""
    n = before.shape[1]
    seen = torch.ones(n, n, dtype=torch.bool).tril()
    if isinstance(network, TrocrNet):
        return network.predict(before, memory, mask=seen)
    assert isinstance(network, ParseqNet)
    queries = network.positions[:n].expand(len(before), -1, -1)
    return network.predict(queries, network.content(before), memory, seen, seen)


def test_the_default_of_each_is_the_small_one() -> None:
    assert (Parseq().size, Trocr().size) == ("small", "small")
