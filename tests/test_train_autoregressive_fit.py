"""PARSeq and TrOCR learn 64 words by heart, and read them however they are asked to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import train_words
from torch import Tensor

from curation.core.labels import CHARSET_36
from train.augments.base import to_float
from train.data.packing import scale
from train.models import models

WORDS = train_words.random_words(64)
SIZES = {"width": 64, "depth": 1, "heads": 4, "decoder_depth": 1, "decoder_heads": 4, "dropout": 0.0}
CHANGES: dict[str, dict[str, Any]] = {"parseq": {}, "trocr": {"decoder_width": 64}}
STEPS = 250


@pytest.fixture(scope="module")
def words() -> Tensor:
    pixels = np.stack([scale(train_words.draw(word), (32, 128)) for word in WORDS])
    return to_float(torch.from_numpy(pixels))


@pytest.fixture(scope="module", params=sorted(CHANGES))
def fitted(request: pytest.FixtureRequest, words: Tensor) -> Any:
    """A network that has seen each word about 60 times."""
    torch.manual_seed(0)
    network = models.get(request.param)(max_length=4, **SIZES, **CHANGES[request.param]).build(CHARSET_36)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(2)  # the first weights are meant for greater widths
    targets, _ = network.encode(WORDS)
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98))
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 5e-3 * min(1, (step + 1) / 10, 2 * (1 - step / STEPS))
        rows = torch.arange(16 * step, 16 * (step + 1)) % len(WORDS)
        loss = network.loss(words[rows], targets[rows]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
        optimizer.step()
    return network.eval()


def test_it_has_learned_64_words_by_heart(fitted: Any, words: Tensor) -> None:
    readings = fitted.read(words)
    assert [reading.text for reading in readings] == WORDS
    assert min(reading.confidence for reading in readings) > 0.5


def test_alone_it_reads_what_it_reads_in_a_batch(fitted: Any, words: Tensor) -> None:
    assert [fitted.read(word[None])[0].text for word in words[:16]] == WORDS[:16]


@pytest.mark.parametrize("fitted", ["parseq"], indirect=True)
@pytest.mark.parametrize(("nar", "n_refine"), [(False, 0), (False, 2), (True, 1), (True, 0)])
def test_parseq_reads_at_once_or_one_by_one(
    fitted: Any, words: Tensor, nar: bool, n_refine: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitted, "nar", nar)
    monkeypatch.setattr(fitted, "n_refine", n_refine)
    assert [reading.text for reading in fitted.read(words)] == WORDS
