from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import train_words

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from train.data import packing
from train.data.packing import pack, scale

LABELS = train_words.random_words(30)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packs"


@pytest.fixture
def words(tmp_path: Path) -> Dataset:
    return train_words.dataset(tmp_path / "words", LABELS)


def test_every_word_is_scaled_in_its_place(words: Dataset) -> None:
    packed = pack(words)
    assert packed.images.shape == (30, 32, 128, 3)
    assert packed.images.dtype == np.uint8
    for row in (0, 7, 29):
        np.testing.assert_array_equal(packed.images[row], scale(train_words.draw(LABELS[row]), (32, 128)))


def test_rows_are_taken_in_the_order_asked_for(words: Dataset) -> None:
    packed = pack(words)
    np.testing.assert_array_equal(packed.take(np.array([5, 2, 5])), packed.images[[5, 2, 5]])
    with pytest.raises(KeyError):
        packed.take(np.array([30]))


def test_few_rows_of_a_large_dataset_make_a_pack_of_their_own(
    words: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pack(words)
    monkeypatch.setattr(packing, "WHOLE_UP_TO", 10)
    few = pack(words, np.array([3, 11]))
    assert few.rows is not None
    assert few.rows.tolist() == [3, 11]
    np.testing.assert_array_equal(few.take(np.array([11, 3])), whole.images[[11, 3]])
    with pytest.raises(KeyError):
        few.take(np.array([4]))
    assert len(pack(words, np.arange(20)).images) == 30, "most of the rows: the whole dataset is packed"


def test_a_pack_is_made_once(words: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pack(words)

    def never(data: bytes) -> NoReturn:
        raise AssertionError("decoded again")

    monkeypatch.setattr(packing, "decode", never)
    np.testing.assert_array_equal(pack(words).images, first.images)


def test_another_size_is_another_pack(words: Dataset) -> None:
    pack(words)
    assert pack(words, size=(16, 64)).images.shape == (30, 16, 64, 3)


def test_broken_words_are_named_and_black(tmp_path: Path) -> None:
    packed = pack(train_words.dataset(tmp_path / "hurt", LABELS, broken=[4, 9]))
    assert sorted(packed.broken) == [4, 9]
    assert packed.broken[4] == "the PNG file is cut short"
    assert not packed.images[[4, 9]].any()
    assert packed.images[5].any()


def test_an_interrupted_pack_goes_on_and_equals_an_undisturbed_one(
    words: Dataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "BLOCK", 8)
    decode, seen = packing.decode, 0

    def stop_at_20(data: bytes) -> np.ndarray:
        nonlocal seen
        seen += 1
        if seen > 20:
            raise KeyboardInterrupt
        return decode(data)

    monkeypatch.setattr(packing, "decode", stop_at_20)
    with pytest.raises(KeyboardInterrupt):
        pack(words, threads=1)
    assert not list(cache.glob("*.json")), "an unfinished pack must not look finished"
    seen = -100
    packed = pack(words, threads=1)
    assert seen == -100 + 30 - 16, "the two finished blocks are not decoded again"
    for row in range(30):
        np.testing.assert_array_equal(packed.images[row], scale(train_words.draw(LABELS[row]), (32, 128)))
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".lock", ".npy"]


@pytest.mark.parametrize("length", [0, 1000])
def test_a_damaged_pack_is_named_and_a_removed_one_made_anew(
    words: Dataset, cache: Path, length: int
) -> None:
    before = pack(words).images[7].copy()
    (images,) = cache.glob("*.npy")
    os.truncate(images, length)
    with pytest.raises(UserError) as error:
        pack(words)
    assert str(error.value) == (
        f"the pack {images} is damaged or cut short. Remove it and run again: it is made anew."
    )
    images.unlink()
    np.testing.assert_array_equal(pack(words).images[7], before)


def test_a_full_disk_is_one_sentence(words: Dataset, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError) as error:
        pack(words)
    (lock,) = cache.iterdir()
    assert str(error.value) == (
        f"cannot write the pack {lock.with_suffix('.draft.npy')}: No space left on device. "
        "Free some space, or set GLYPHMIX_CACHE to a folder elsewhere, and run again."
    )


def test_scaling_averages_what_it_shrinks() -> None:
    stripes = np.zeros((64, 512, 3), np.uint8)
    stripes[:, ::2] = 200
    np.testing.assert_array_equal(scale(stripes, (32, 128)), np.full((32, 128, 3), 100))
    wide_and_low = stripes[:16]  # grows one way, shrinks the other
    np.testing.assert_array_equal(scale(wide_and_low, (32, 128)), np.full((32, 128, 3), 100))
