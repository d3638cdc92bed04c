"""Pair finders against brute force, and what the evidence says of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from word_sets import grey_png, word, write_words

from curation import near
from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.sample import Sample
from curation.evidence import Evidence, gather


def evidence(dhash: np.ndarray, label: np.ndarray, **given: np.ndarray) -> Evidence:
    """Rows with these hashes and labels, in no dataset."""
    n = len(dhash)
    fields = {
        "sha": np.zeros((n, 2), np.uint64),
        "size": np.full((n, 2), 20, np.int32),
        "origin": np.zeros(n, np.uint64),
        "box": np.full((n, 4), np.nan, np.float32),
        "hashed": np.ones(n, bool),
        "outlined": np.zeros(n, bool),
        "rendered": np.zeros(n, bool),
        "split": np.zeros(n, np.uint8),
        "source": np.zeros(n, np.uint16),
    } | given
    return Evidence(
        datasets=(),
        sources=("a",),
        starts=np.array([0, n]),
        dhash=dhash,
        label=label.astype(np.uint64),
        **fields,
    )


def random_rows(seed: int, n: int, n_labels: int) -> Evidence:
    """Hashes near a few centres, so that many pairs lie on either side of any threshold."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2**63, (4, 2), dtype=np.uint64)
    noise = np.bitwise_and.reduce(rng.integers(0, 2**63, (3, n, 2), dtype=np.uint64), axis=0)
    dhash = centres[rng.integers(0, 4, n)] ^ noise
    return evidence(dhash, rng.integers(0, n_labels, n), hashed=rng.random(n) < 0.9)


def found(pairs: Iterator[near.Pairs]) -> list[tuple[int, int, float]]:
    return sorted(
        triple
        for p in pairs
        for triple in zip(p.left.tolist(), p.right.tolist(), p.distance.tolist(), strict=True)
    )


def brute(
    left: Evidence, right: Evidence | None, most_bits: int, *, by_label: bool
) -> list[tuple[int, int, float]]:
    other = left if right is None else right
    pairs = []
    for i in range(len(left)):
        for j in range(i + 1 if right is None else 0, len(other)):
            bits = sum(
                (int(a) ^ int(b)).bit_count() for a, b in zip(left.dhash[i], other.dhash[j], strict=True)
            )
            same = not by_label or left.label[i] == other.label[j] != 0
            if left.hashed[i] and other.hashed[j] and same and bits <= most_bits:
                pairs.append((i, j, float(bits)))
    return pairs


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 90), st.integers(0, 60), st.integers(1, 8), st.integers(0, 64))
def test_near_hashes_are_those_of_brute_force(
    seed: int, n: int, m: int, n_labels: int, most_bits: int
) -> None:
    left, right = random_rows(seed, n, n_labels), random_rows(seed, m, n_labels)
    with pytest.MonkeyPatch.context() as patch:  # small ones, so that all borders are met
        patch.setattr(near, "TILE", (3, 7))
        patch.setattr(near, "CHUNK", 11)
        patch.setattr(near, "TILED", 150)
        for other in (None, right):
            pairs = found(near.same_label(left, other, most_bits=most_bits))
            assert pairs == brute(left, other, most_bits, by_label=True)
            pairs = found(near.any_label(left, other, most_bits=most_bits))
            assert pairs == brute(left, other, most_bits, by_label=False)


def test_chunks_are_bounded_and_come_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = random_rows(1, 400, 3)
    monkeypatch.setattr(near, "CHUNK", 1_000)
    for finder in (near.same_label, near.any_label):
        chunks = list(finder(rows, most_bits=128))
        assert (
            max(map(len, chunks)) <= 1_000 + 32 * 400
        )  # a strip of tiles, or one row's partners, more at most
        again = list(finder(rows, most_bits=128))
        assert all(
            (a.left == b.left).all() and (a.right == b.right).all()
            for a, b in zip(chunks, again, strict=True)
        )


def test_labels_that_are_empty_and_hashes_that_are_missing_make_no_pair() -> None:
    rows = evidence(
        np.zeros((4, 2), np.uint64), np.array([0, 0, 7, 7]), hashed=np.array([True, True, True, False])
    )
    assert found(near.same_label(rows, most_bits=23)) == []
    assert found(near.any_label(rows, most_bits=0)) == [(0, 1, 0), (0, 2, 0), (1, 2, 0)]


@given(st.lists(st.lists(st.floats(0, 100, width=32), min_size=4, max_size=4), min_size=2, max_size=2))
def test_overlap_is_symmetric_and_a_share(boxes: list[list[float]]) -> None:
    a, b = (np.array([[x, y, x + w, y + h]], np.float32) for x, y, w, h in boxes)
    share = near.iou(a, b)
    assert share == near.iou(b, a)
    assert 0 <= share[0] <= 1.001
    assert a[0, 2] == a[0, 0] or a[0, 3] == a[0, 1] or near.iou(a, a)[0] > 0.99


def sample(uid: str, label: str = "word", image: bytes = b"", **fields: object) -> Sample:
    """A word of 40 x 16 pixels."""
    plain = word(uid, label, image=image or uid.encode())
    return Sample(**{name: getattr(plain, name) for name in Sample.__slots__} | fields)  # type: ignore[arg-type]


def test_evidence_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_words(
        tmp_path / "a",
        [
            sample("a:0", "Word!", dhash128="0" * 15 + "1" + "f" * 16, split="test"),
            sample("a:1", "wörd", origin_image="img_1.jpg", origin_box=(10, 20, 30, 40)),
            sample("a:2", "", origin_image="img_1.jpg", origin_box=(10, 20, 30, 40), origin_size=(100, 200)),
            sample("a:3", "你好", origin_image="coco:000000217925", origin_polygon=[1, 2, 3, 4, 5, 6]),
        ],
        shard_rows=3,
    )
    second = write_words(
        tmp_path / "b",
        [
            sample("b:0", "w o r d", origin_image="img_1.jpg", split="val"),
            sample("b:1", "您好", origin_image="coco:000000217925"),
        ],
    )
    rows = gather([first, second], jobs=1)
    assert rows.starts.tolist() == [0, 4, 6]
    assert rows.sources == ("a", "b")
    assert rows.source.tolist() == [0, 0, 0, 0, 1, 1]
    assert rows.split.tolist() == [2, 0, 0, 0, 1, 0]
    assert rows.dhash[0].tolist() == [1, 2**64 - 1]
    assert rows.hashed.tolist() == [True] + [False] * 5
    assert rows.label[0] == rows.label[1] == rows.label[4] != 0
    assert rows.label[2] == 0
    assert rows.label[3] != rows.label[5]
    assert rows.origin[0] == 0
    assert rows.origin[1] == rows.origin[2] != rows.origin[4]
    assert rows.origin[3] == rows.origin[5]
    assert rows.box[1].tolist() == [10, 20, 40, 60]
    assert rows.box[2].tolist() == pytest.approx([0.1, 0.1, 0.4, 0.3])
    assert np.isnan(rows.box[[0, 3, 4, 5]]).all()
    assert rows.outlined.tolist() == [False] * 3 + [True] + [False] * 2
    assert rows.size.tolist() == [[40, 16]] * 6
    assert rows.uids([5, 0, 4]) == ["b:1", "a:0", "b:0"]
    sha = first.table(["sha256"])["sha256"].to_pylist()
    assert [f"{a:016x}{b:016x}" for a, b in rows.sha[:4].tolist()] == [digits[:32] for digits in sha]
    monkeypatch.setattr("curation.evidence.FEW_ROWS", 0)
    for name in ("sha", "label", "origin", "box"):
        assert np.array_equal(
            getattr(gather([first, second], jobs=2), name), getattr(rows, name), equal_nan=True
        )


def test_columns_that_a_dataset_lacks_are_no_evidence(tmp_path: Path) -> None:
    shards.start(tmp_path / "empty", {})
    shards.finish(tmp_path / "empty", allow_empty=True)
    rows = gather([Dataset.open(tmp_path / "empty")])
    assert len(rows) == 0
    assert found(near.same_label(rows)) == found(near.any_label(rows)) == found(near.same_bytes(rows)) == []


def test_identical_files_pixels_and_places(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (16, 40, 3), np.uint8)
    small, large = (
        cv2.imencode(".png", photo, [cv2.IMWRITE_PNG_COMPRESSION, c])[1].tobytes() for c in (9, 0)
    )
    dhash = "12345678" * 4
    at = {"origin_image": "1.jpg", "dhash128": dhash}
    dataset = write_words(
        tmp_path / "a",
        [
            sample("a:0", image=small, origin_box=(0, 0, 10, 10), **at),
            sample("a:1", "other", image=small, origin_box=(0, 5, 10, 10), **at),
            sample("a:2", image=large, origin_box=(0, 0, 10, 20), **at),
            sample("a:3", image=grey_png(9), **at),
            sample("a:4", image=b"damaged", dhash128=dhash),
            sample("a:5", image=b"damaged too", dhash128=dhash),
        ],
    )
    rows = gather([dataset])
    assert found(near.same_bytes(rows)) == [(0, 1, 0)]
    assert found(near.same_pixels(rows)) == [(0, 1, 0), (0, 2, 0), (1, 2, 0)]
    assert found(near.same_origin(rows)) == [(0, 2, 0.5), (1, 2, 0.5)]
    assert found(near.same_origin(rows, least_iou=0.3)) == [
        (0, 1, pytest.approx(2 / 3)),
        (0, 2, 0.5),
        (1, 2, 0.5),
    ]
    assert found(near.same_bytes(rows, rows))[:4] == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)]
    assert found(near.same_pixels(rows, rows)) == [
        *((i, j, 0) for i in range(3) for j in range(3)),
        *((i, i, 0) for i in (3, 4, 5)),
    ]
