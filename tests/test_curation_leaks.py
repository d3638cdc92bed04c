"""Finding leaks: what of many pairs is kept, which hashes tell nothing, and how given pairs agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn_words import sample, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from word_sets import word, write_words

from curation import leaks
from curation.evidence import gather
from curation.leaks import Best, telling
from curation.lookalikes import agreements
from curation.near import Pairs

Chunk = list[tuple[int, int, int, int, int]]


def pairs_of(*rows: tuple[int, int]) -> Pairs:
    left, right = np.array(rows, np.int64).reshape(-1, 2).T
    return Pairs(left, right, np.zeros(len(left), np.float32))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.tuples(*(st.integers(0, top) for top in (5, 2, 3, 4, 4))), max_size=20), max_size=6),
    st.sampled_from([3, 1_000]),
)
def test_of_each_key_the_strongest_the_nearest_and_the_first_stays(chunks: list[Chunk], held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaks, "HELD", held)  # thinned out on the way, or at the end alone
        best = Best()
        for chunk in chunks:
            keys, rank, distance, left, right = np.array(chunk, np.int64).reshape(-1, 5).T
            best.add(keys, rank.astype(np.uint8), Pairs(left, right, distance.astype(np.float32)))
        best.thin()
    found = zip(best.keys, best.rank, best.distance, best.left, best.right, strict=True)
    expected: dict[int, tuple[int, ...]] = {}
    for chunk in chunks:
        for row in chunk:
            expected[row[0]] = min(expected.get(row[0], row), row)
    assert [tuple(int(value) for value in row) for row in found] == [
        expected[key] for key in sorted(expected)
    ]


def test_hashes_of_nearly_flat_pictures_tell_nothing(tmp_path: Path) -> None:
    flat = np.full((20, 60, 3), 90, np.uint8)
    slope = np.repeat(np.linspace(40, 200, 60)[None, :, None], 20, 0).repeat(3, 2).astype(np.uint8)
    pictures = [scene("Hotel", 1), flat, slope, slope[:, ::-1]]
    words = [sample(f"a:{i}", "x", np.ascontiguousarray(p)) for i, p in enumerate(pictures)]
    assert telling(gather([write_words(tmp_path / "a", words)])).hashed.tolist() == [
        True,
        False,
        False,
        False,
    ]


def test_given_pairs_are_laid_over_each_other(tmp_path: Path) -> None:
    image = scene("Hotel", 1)
    words = [
        sample("a:0", "Hotel", image),
        word("a:1", image=b"no picture"),
        sample("a:2", "Another label", np.ascontiguousarray(image[2:-2, 3:-4]), jpeg=80),
        sample("a:3", "Hotel", scene("Hotel", 2)),
    ]
    left, right = (gather([write_words(tmp_path / name, words)]) for name in ("a", "b"))
    pairs = pairs_of((0, 2), (0, 3), (1, 1), (2, 2), (0, 1))
    for number, other in enumerate((right, None)):
        (tmp_path / f"{number}").mkdir()
        agree = agreements(left, pairs, other, folder=tmp_path / f"{number}")
        assert agree[0] > 0.97
        assert agree[1] < 0.9
        assert agree[3] == pytest.approx(1, abs=1e-3)
        assert agree[[2, 4]].tolist() == [0, 0]
    assert agreements(left, pairs_of(), right, folder=tmp_path).tolist() == []
