"""The second look at pairs that may be copies: what it calls alike, and what it does not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_words import drawn
from word_sets import word, write_words

from curation.core.images import Pixels, decode, encode_jpeg, encode_png
from curation.evidence import gather
from curation.near import Pairs
from curation.second_look import likeness, likenesses

STATE = drawn("State")
HEIGHT, WIDTH = STATE.shape[:2]
COPIES = {
    "the same": STATE,
    "compressed": decode(encode_jpeg(STATE, 50)),
    "halved": cv2.resize(STATE, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "enlarged": cv2.resize(STATE, None, fx=1.4, fy=1.4, interpolation=cv2.INTER_CUBIC),
    "darker": (STATE * 0.6).astype(np.uint8),
    "cut tighter": STATE[3:-2, 5:-4],
    "cut at one end": STATE[:, : -WIDTH // 9],
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_alike_either_way_round(name: str) -> None:
    assert likeness(STATE, np.ascontiguousarray(COPIES[name])) > 0.97
    assert likeness(np.ascontiguousarray(COPIES[name]), STATE) > 0.97


@pytest.mark.parametrize(
    "other",
    [
        drawn("Stone"),
        drawn("State", font=cv2.FONT_HERSHEY_TRIPLEX),
        drawn("State", ink=(200, 40, 60)),
        255 - STATE,
    ],
    ids=["another word", "another typeface", "another colour", "light on dark"],
)
def test_another_word_is_less_alike(other: Pixels) -> None:
    assert likeness(STATE, np.ascontiguousarray(other)) < 0.95


def test_flat_pictures_are_not_alike() -> None:
    grey = np.full((16, 40, 3), 128, np.uint8)
    assert likeness(grey, grey) == 0
    assert likeness(grey, STATE) == 0
    assert likeness(STATE[:1, :1], STATE) == 0


def test_pairs_are_looked_at_where_their_pictures_lie(tmp_path: Path) -> None:
    pictures = [encode_png(STATE), b"no picture", encode_png(drawn("Stone")), encode_png(STATE[2:-2, 4:-4])]
    left = gather([write_words(tmp_path / "a", [word(f"a:{i}", image=p) for i, p in enumerate(pictures)])])
    right = gather(
        [
            write_words(tmp_path / "b", [word("b:0", image=pictures[2])]),
            write_words(tmp_path / "c", [word("c:0", image=pictures[0]), word("c:1", image=b"")]),
        ]
    )
    rows = np.array([3, 0, 1, 2, 0, 0]), np.array([1, 1, 1, 0, 0, 2])
    pairs = Pairs(*rows, np.zeros(6, np.float32))
    found = likenesses(left, pairs, right, jobs=1)
    assert found[0] > 0.97
    assert found[1] == pytest.approx(1, abs=1e-3)
    assert found[3] == pytest.approx(1, abs=1e-3)
    assert found[4] < 0.95
    assert found[[2, 5]].tolist() == [-1, -1]
    assert likenesses(left, Pairs(*(np.empty(0, np.int64),) * 2, np.empty(0, np.float32))).tolist() == []
