"""COCO-Text in both versions, as its publishers write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from published_photos import coco_word, rejects, rows, write_coco_text_v1, write_coco_text_v2
from published_sets import run

from curation.core.dataset import Dataset
from curation.core.images import decode

FIRST, SECOND = "COCO_train2014_000000000036.jpg", "COCO_train2014_000000492314.jpg"


def test_coco_text_v1(tmp_path: Path) -> None:
    words = {"1000001": "STOP", "1000002": "|5,00|", "1000003": " spaced ", "1000004": "|", "1000005": "a,b"}
    src = write_coco_text_v1(tmp_path / "src", words)
    write_coco_text_v1(src, {"2000001": "other"}, split="val")
    run("import", "coco_text_v1", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "origin_image") == [
        ("coco_text_v1:train_words/1000001.jpg", "STOP", None),
        ("coco_text_v1:train_words/1000002.jpg", "5,00", None),
        ("coco_text_v1:train_words/1000003.jpg", "spaced", None),
        ("coco_text_v1:train_words/1000004.jpg", "|", None),
        ("coco_text_v1:train_words/1000005.jpg", "a,b", None),
    ]


def test_coco_text_v1_line_without_comma_is_kept_as_a_reject(tmp_path: Path) -> None:
    src = write_coco_text_v1(tmp_path / "src", {"1000001": "STOP"})
    with (src / "train_words_gt.txt").open("a") as file:
        file.write("1000002\r\n")
    run("import", "coco_text_v1", src, "-o", tmp_path / "out", "--max-dropped", "0.5")
    assert rejects(tmp_path / "out") == [
        ("coco_text_v1:train_words/1000002.jpg", "missing_label", "line 2 has no comma")
    ]


def test_coco_text_v2_words_with_their_origin(tmp_path: Path) -> None:
    outline = [12, 6, 38, 5, 40, 24, 11, 25]
    words = {FIRST: [coco_word("one", (10, 5, 30, 20), mask=outline)], SECOND: [coco_word("two")] * 2}
    src = write_coco_text_v2(tmp_path / "src", words)
    run("import", "coco_text_v2", src, "-o", tmp_path / "out")
    columns = ("uid", "label", "origin_image", "origin_box", "origin_polygon", "origin_size")
    assert rows(tmp_path / "out", *columns)[:2] == [
        ("coco_text_v2:1000000", "one", "coco:000000000036", [10, 5, 30, 20], outline, [120, 80]),
        (
            "coco_text_v2:1000001",
            "two",
            "coco:000000492314",
            [10, 5, 30, 20],
            [10, 5, 40, 5, 40, 25, 10, 25],
            [120, 80],
        ),
    ]
    photo = decode((src / "train2014" / FIRST).read_bytes())
    crop = Dataset.open(tmp_path / "out").take([0], ["image"])[0]["image"]["bytes"]
    np.testing.assert_array_equal(decode(crop), photo[3:27, 8:42])  # 2 pixels on every side, as PARSeq has it


def test_coco_text_v2_box_without_padding_and_straightened(tmp_path: Path) -> None:
    outline = [40, 5, 40, 25, 10, 25, 10, 5]  # reads downwards
    src = write_coco_text_v2(tmp_path / "src", {FIRST: [coco_word("one", mask=outline)]})
    run("import", "coco_text_v2", src, "-o", tmp_path / "box", "--pad-px", 0)
    run("import", "coco_text_v2", src, "-o", tmp_path / "straight", "--pad-px", 0, "--crop", "rectify")
    assert rows(tmp_path / "box", "width", "height") == [(30, 20)]
    assert rows(tmp_path / "straight", "width", "height") == [(20, 30)]


KEPT_BY_NO_ONE = [
    (coco_word("", legibility="illegible", language="na"), "illegible", ""),
    (coco_word("???", legibility="illegible"), "illegible", "???"),
    (coco_word(" "), "illegible", ""),
]
KEPT_BY_ALL_SCRIPTS = [
    (coco_word("pen", **{"class": "handwritten"}), "not_machine_printed", "pen"),
    (coco_word("中", language="not english"), "not_english", "中"),
    (coco_word("A#1"), "doubtful_label", "A#1"),
    (coco_word("*ing"), "doubtful_label", "*ing"),
    (coco_word("go*"), "doubtful_label", "go*"),
]


def test_coco_text_v2_keep_rule(tmp_path: Path) -> None:
    left_out = KEPT_BY_NO_ONE + KEPT_BY_ALL_SCRIPTS
    src = write_coco_text_v2(
        tmp_path / "src", {FIRST: [coco_word("#"), coco_word("1*1"), *(word for word, _, _ in left_out)]}
    )
    run(
        "import", "coco_text_v2", src, "-o", tmp_path / "out"
    )  # what a rule leaves out needs no --max-dropped
    assert [label for (label,) in rows(tmp_path / "out", "label")] == ["#", "1*1"]
    assert rejects(tmp_path / "out") == [
        (f"coco_text_v2:{1_000_002 + i}", reason, detail) for i, (_, reason, detail) in enumerate(left_out)
    ]
    run("import", "coco_text_v2", src, "-o", tmp_path / "all", "--all-scripts")
    kept = [label for (label,) in rows(tmp_path / "all", "label")]
    assert kept == ["#", "1*1", "pen", "中", "A#1", "*ing", "go*"]
    assert Dataset.open(tmp_path / "all").manifest["rejected_by_reason"] == {"illegible": 3}


def test_coco_text_v2_illegible_words_need_no_text(tmp_path: Path) -> None:
    word = coco_word("", legibility="illegible")
    del word["utf8_string"]
    src = write_coco_text_v2(tmp_path / "src", {FIRST: [word, coco_word("one")]})
    run("import", "coco_text_v2", src, "-o", tmp_path / "out")
    assert rejects(tmp_path / "out") == [("coco_text_v2:1000000", "illegible", "")]


def test_coco_text_v2_labels_are_freed_of_escapes_openly(tmp_path: Path) -> None:
    words = [coco_word("M&amp;M"), coco_word(" R&B "), coco_word("plain")]
    src = write_coco_text_v2(tmp_path / "src", {FIRST: words})
    run("import", "coco_text_v2", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "label", "label_published") == [
        ("M&M", "M&amp;M"),
        ("R&B", None),
        ("plain", None),
    ]


@pytest.mark.parametrize(("split", "label"), [("train", "one"), ("val", "two")])
def test_coco_text_v2_splits_are_marked_in_one_file(split: str, label: str, tmp_path: Path) -> None:
    photos = {FIRST: [coco_word("one")], SECOND: [coco_word("two")]}
    src = write_coco_text_v2(tmp_path / "src", photos, sets={SECOND: "val"})
    run("import", "coco_text_v2", src, "-o", tmp_path / "out", "--split", split)
    assert rows(tmp_path / "out", "label", "split") == [(label, split)]


def test_coco_text_v2_outline_that_is_none_does_not_matter_to_boxes(tmp_path: Path) -> None:
    src = write_coco_text_v2(tmp_path / "src", {FIRST: [coco_word("one", mask=[1, 2, 3])]})
    run("import", "coco_text_v2", src, "-o", tmp_path / "box")
    assert rows(tmp_path / "box", "label", "origin_polygon") == [("one", None)]
    run("import", "coco_text_v2", src, "-o", tmp_path / "straight", "--crop", "rectify", status=1)
