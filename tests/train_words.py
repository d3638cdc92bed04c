"""Small words to train on, drawn with OpenCV's own strokes, and mixtures of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.images import Pixels, encode_png
from curation.core.rng import stream
from curation.core.sample import Sample
from curation.mixing import MixRecipe, MixSource, Validation, mix
from train.augments.none import Unchanged
from train.models import Model, models
from train.models.conv_ctc import ConvCtc
from train.models.ctc import CtcRecognizer
from train.recipe import TrainRecipe

TINY = ConvCtc(channels=(8, 16, 16, 24), blocks=(0, 0, 0), tail=48, tail_blocks=1, context=32, dropout=0.1)
# Sizes at which the contract tests build models, so that they take seconds; others as recipes do.
SMALL: dict[str, dict[str, Any]] = {
    "clip4str": {
        "size": "tiny",
        "width": 32,
        "depth": 1,
        "heads": 2,
        "text_width": 16,
        "text_depth": 1,
        "text_heads": 2,
        "image_px": 32,
    },
    "parseq": {"width": 32, "depth": 1, "heads": 2, "decoder_depth": 2, "decoder_heads": 2},
    "trocr": {
        "width": 32,
        "depth": 1,
        "heads": 2,
        "decoder_width": 48,
        "decoder_depth": 2,
        "decoder_heads": 4,
    },
    "vit_ctc": {"size": "tiny", "width": 32, "depth": 2, "heads": 2},
}
TRUNCATED = encode_png(np.zeros((16, 40, 3), np.uint8))[:40]


def small(name: str) -> Model:
    """The model ``name`` in the sizes of the contract tests."""
    model: Model = models.get(name)(**SMALL.get(name, {}))
    return model


def draw(word: str) -> Pixels:
    """A word in dark strokes on a light card, 32 pixels high."""
    width = max(24, 19 * len(word) + 10)
    image = np.full((32, width, 3), 230, np.uint8)
    cv2.putText(image, word, (4, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 60), 2)
    return image


def random_words(n: int, *, length: int = 3, seed: int = 0) -> list[str]:
    rng = stream(seed, "words", length)
    return ["".join(rng.choice(list("abcdefghij"), length)) for _ in range(n)]


def dataset(path: Path, labels: Sequence[str], *, broken: Sequence[int] = ()) -> Dataset:
    """Write one shard of words; the images of the rows ``broken`` cannot be decoded."""
    samples = []
    for i, label in enumerate(labels):
        image = TRUNCATED if i in broken else encode_png(draw(label))
        samples.append(
            Sample(uid=f"{path.name}:{i}", image=image, label=label, size=(40, 32), source=path.name)
        )
    shards.start(path, {"recipe": path.name})
    shards.write_shard(path, 0, samples)
    shards.finish(path, allow_empty=True)
    return Dataset.open(path)


def mixture(path: Path, *datasets: Dataset, held_out: int = 0, protocol: str = "parseq36") -> Path:
    """Mix the datasets, each its own source, taking all their words."""
    sources = tuple(MixSource(name=d.name, paths=(d.path,)) for d in datasets)
    validation = Validation(source=datasets[0].name, count=held_out) if held_out else None
    mix(MixRecipe(sources=sources, validation=validation, protocol=protocol), path)
    return path


def recipe(**changes: Any) -> TrainRecipe:
    """A few steps of a tiny recognizer on one thread."""
    short = {"model": TINY, "augment": Unchanged(), "steps": 6, "batch": 8, "threads": 1, "device": "cpu"}
    return TrainRecipe(**(short | {"checkpoint_every": 2, "validate_every": 4} | changes))


def two_sets(folder: Path) -> Path:
    """Mix 30 words of one set and 20 of another; 10 are held out."""
    first = dataset(folder / "first", random_words(40))
    second = dataset(folder / "second", random_words(20, length=4))
    return mixture(folder / "mixture", first, second, held_out=10)


def same_weights(one: Path, other: Path) -> bool:
    states = [torch.load(path / "model.pt", weights_only=True)["state"] for path in (one, other)]
    return all(torch.equal(states[0][key], states[1][key]) for key in states[0] | states[1])


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A recognizer without batch norm or anything random: four columns of pixels make one time step."""

    kind = "plain"

    @property
    def image_size(self) -> tuple[int, int]:
        return 32, 128

    def build(self, charset: str) -> PlainNet:
        return PlainNet(charset)


class PlainNet(CtcRecognizer):
    def __init__(self, charset: str) -> None:
        super().__init__(charset, n_steps=32)
        self.pixels = nn.Conv2d(3, 8, (8, 4), (8, 4))
        self.body = nn.Conv2d(8, 12, (4, 1))
        self.mix = nn.Linear(12, 12)
        self.head = nn.Linear(12, 1 + len(charset))

    def forward(self, images: Tensor) -> Tensor:
        steps = self.body(self.pixels(images).relu()).squeeze(2).transpose(1, 2)
        return self.head(self.mix(steps.relu()).relu())
