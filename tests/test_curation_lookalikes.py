"""Who may be a copy by hashes of crops, and who is by looking."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from planted_copies import picture, sample
from word_sets import write_words

from curation import crop_hashes, near
from curation.agreement import align, coarse, compare, fine
from curation.core.fingerprint import dhash128
from curation.core.images import decode, encode_jpeg
from curation.crop_hashes import N_CROPS, Limits, Side, candidates
from curation.evidence import gather
from curation.lookalikes import Look, lookalikes
from curation.sketches import scratch, sketch


def agree(left: np.ndarray, right: np.ndarray) -> float:
    moves, grey = align(*(coarse(image)[None].astype(np.float32) for image in (left, right)))
    assert grey[0] > 0.85
    return float(compare([fine(left)], [fine(right)], moves)[0])


@pytest.mark.parametrize("seed", range(5))
def test_copies_agree_however_they_were_cut_resized_brightened_and_compressed(seed: int) -> None:
    word = picture(seed, size=(144, 48))
    assert agree(word, word) == pytest.approx(1, abs=1e-4)
    assert agree(word, cv2.resize(word, (86, 29), interpolation=cv2.INTER_AREA)) > 0.98
    assert agree(word, decode(encode_jpeg(word, 60))) > 0.97
    assert agree(word, np.clip(word * 0.8 + 20, 0, 255).astype(np.uint8)) > 0.97
    assert agree(word, word[2:-3, 8:-4]) > 0.97
    assert agree(word[1:-2, 2:-9], word[2:, 7:]) > 0.97  # each shows what the other lacks


def test_other_colours_other_words_and_flat_pictures_do_not_agree() -> None:
    word = picture(1, "street")
    moves, _ = align(*(coarse(image)[None].astype(np.float32) for image in (word, word)))
    for other in (word[..., ::-1], picture(2, "street"), np.full_like(word, 90)):
        assert compare([fine(word)], [fine(other)], moves)[0] < 0.9


def test_an_alignment_says_how_the_left_picture_moves() -> None:
    word = picture(3, size=(200, 64))
    cut = word[3:-3, 10:-10]  # 180 of 200 and 58 of 64 pixels, both in the middle
    moves, _ = align(*(coarse(image)[None].astype(np.float32) for image in (word, cut)))
    assert moves[0] == pytest.approx([0.9, 58 / 64, 0, 0], abs=0.015)


def test_the_hash_of_the_whole_is_near_the_stored_one() -> None:
    for seed in range(5):
        word = picture(seed)
        stored = dhash128(word)
        hashes = crop_hashes.crop_hashes(coarse(word)[None], np.array([0]))
        assert hashes.shape == (1, N_CROPS, 2)
        whole = np.array([[int(stored[:16], 16), int(stored[16:], 16)]], np.uint64)
        assert near.hamming(hashes[:, 0], whole)[0] <= 12


def test_candidates_are_those_of_brute_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TASK", 11), ("STRIP", 400), ("LISTED", 7)):
        monkeypatch.setattr(crop_hashes, name, value)
    images = [picture(i % 9)[i % 5 :, i % 7 :] for i in range(40)]
    words = [sample(f"a:{i}", image, str(i % 10 // 7)) for i, image in enumerate(images)]
    rows = gather([write_words(tmp_path / "a", words[:28]), write_words(tmp_path / "b", words[28:])])
    drawn = sketch(rows, np.arange(40), "coarse", tmp_path / "sketches", jobs=1)
    side = Side(evidence=rows, sketches=drawn)
    hashes = side.hashes(np.arange(40))
    bits = np.bitwise_count(hashes[:, None, :1] ^ hashes[None]).sum(axis=3).min(axis=2)
    aspect = rows.size[:, 0] / rows.size[:, 1]
    expected = {
        (i, j, min(int(bits[i, j]), int(bits[j, i])))
        for i in range(40)
        for j in range(i + 1, 40)
        if rows.label[i] == rows.label[j] and max(aspect[i] / aspect[j], aspect[j] / aspect[i]) <= 1.1
    }
    expected = {triple for triple in expected if triple[2] <= 40}
    for tiled in (10, 10**6):  # every label is large, or none
        monkeypatch.setattr(near, "TILED", tiled)
        found = candidates(side, None, Limits(most_bits=40, neighbours=40, most_stretch=1.1), jobs=1)
        assert (
            set(zip(found.left.tolist(), found.right.tolist(), found.distance.tolist(), strict=True))
            == expected
        )
        both = candidates(side, side, Limits(most_bits=40, neighbours=40, most_stretch=1.1), jobs=1)
        lower = both.select(both.left < both.right)
        assert (
            set(zip(lower.left.tolist(), lower.right.tolist(), lower.distance.tolist(), strict=True))
            == expected
        )
    monkeypatch.setattr(near, "TILED", 10)
    few = candidates(side, None, Limits(most_bits=40, neighbours=1, most_stretch=1.1), jobs=1)
    assert 0 < len(few) <= 40
    assert {(i, j) for i, j, _ in expected} >= set(zip(few.left.tolist(), few.right.tolist(), strict=True))


def test_lookalikes_within_and_across(tmp_path: Path) -> None:
    first = [sample(f"a:{i}", picture(i)) for i in range(8)]
    second = [sample(f"b:{i}", picture(i)[1:, 3:-2]) for i in range(8)]
    second += [sample("b:other", picture(1), "otherwise"), sample("b:damaged", b"no picture")]
    left = gather([write_words(tmp_path / "a", first)])
    right = gather([write_words(tmp_path / "b", second)])
    both = gather([*left.datasets, *right.datasets])
    with scratch(None) as folder:
        across = lookalikes(left, right, folder=folder, least=0.95)
    assert list(zip(across.left.tolist(), across.right.tolist(), strict=True)) == [(i, i) for i in range(8)]
    with scratch(None) as folder:
        within = lookalikes(both, folder=folder, least=0.95)
    assert list(zip(within.left.tolist(), within.right.tolist(), strict=True)) == [
        (i, i + 8) for i in range(8)
    ]
    assert within.distance == pytest.approx(across.distance, abs=1e-5)
    with scratch(tmp_path / "out") as folder:
        assert folder == tmp_path / ".out.sketches"
        some = np.arange(18) % 2 == 0
        assert len(lookalikes(both, folder=folder, rows=some, least=0.95)) == 4
    assert not folder.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most_bits": 129}, "most_bits must be from 0 to 128, got 129"),
        ({"most_stretch": 0.5}, "most_stretch must be 1 or more, got 0.5"),
        ({"least_grey": 2.0}, "least_grey must be from 0 to 1, got 2.0"),
    ],
)
def test_a_look_that_does_not_fit_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Look(**options)  # type: ignore[arg-type]
