"""Batches are the same wherever packed images lie, and whether they are made ahead or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import train_words

from curation.core.errors import UserError
from curation.core.labels import CHARSET_36, protocol
from curation.mixture import Mixture
from train.data import packing, residence
from train.data.batches import Words
from train.data.packing import Pack
from train.data.residence import Held, Mapped, one_ahead, placed

CPU = torch.device("cpu")
CUDA = torch.device("cuda")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


def words(mixture: Path, pack_device: Any) -> Words:
    network = train_words.TINY.build(CHARSET_36)
    opened = Mixture.open(mixture)
    return Words(opened, network, protocol("parseq36"), (32, 128), pack_device=pack_device)


@pytest.mark.parametrize("whole_up_to", [50_000, 10])
def test_batches_are_the_same_on_device_and_host(
    whole_up_to: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "WHOLE_UP_TO", whole_up_to)
    monkeypatch.setattr(packing, "WHOLE_SHARE", 0.9)
    monkeypatch.setattr(residence, "AT_ONCE", 7)
    mixture = train_words.two_sets(tmp_path)
    held, mapped = words(mixture, "device"), words(mixture, "host")
    assert isinstance(held._images, Held)
    assert isinstance(mapped._images, Mapped)
    ranges = [(0, 9), (9, 30), (95, 103)]
    for start, stop in ranges:
        for ours, theirs in zip(held.batch(start, stop), mapped.batch(start, stop), strict=True):
            assert torch.equal(ours, theirs)
    ahead = list(one_ahead(mapped.batches(ranges)))
    assert [torch.equal(images, held.batch(*r)[0]) for (images, _), r in zip(ahead, ranges, strict=True)] == [
        True, True, True,
    ]  # fmt: skip
    np.testing.assert_array_equal(held.validation()[0], mapped.validation()[0])
    assert held.validation()[1] == mapped.validation()[1]


def pack_of(n: int) -> Pack:
    return Pack(images=np.zeros((n, 32, 128, 3), np.uint8), rows=None, broken={})


def test_auto_takes_the_device_when_half_of_its_free_memory_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen: list[object] = []
    free = 32 * 128 * 3 * 100
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 10**12))
    monkeypatch.setattr(residence, "Held", lambda packs, used, device: chosen.append("device"))
    monkeypatch.setattr(residence, "Mapped", lambda packs, pinned: chosen.append(pinned))
    for n_used, device in ((50, CUDA), (51, CUDA), (10, CPU)):
        placed([pack_of(60)], [np.arange(n_used)], device, "auto")
    assert chosen == ["device", True, False]
    with pytest.raises(UserError) as error:
        placed([pack_of(400)] * 2, [np.arange(400)] * 2, CUDA, "device")
    assert str(error.value) == (
        "the packed words take 9.8 MB, and the device has 1.2 MB free. Set pack_device to 'auto' or 'host'."
    )


def test_one_ahead_raises_in_its_turn_and_ends_what_it_works_on() -> None:
    ended = []

    def items() -> Iterator[int]:
        try:
            yield from (0, 1)
            raise ValueError("the third")
        finally:
            ended.append(True)

    found = []
    with pytest.raises(ValueError, match="the third"):
        found.extend(one_ahead(items()))
    assert ended == [True]
    few = one_ahead(iter(range(10)))
    assert [next(few), next(few)] == [0, 1]
    few.close()
