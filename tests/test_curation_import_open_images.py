"""The sets annotated on Open Images, as their publishers write them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from published_photos import (
    hiertext_word,
    openvino_word,
    rejects,
    rows,
    textocr_word,
    write_hiertext,
    write_openvino,
    write_textocr,
)
from published_sets import picture, run, write_lmdb

from curation.core.dataset import Dataset
from curation.core.images import decode, encode_png

FIRST, SECOND = "0001c8fbfb30d3a6", "a4ea732cd3d5948a"
CORNERS = [10, 5, 40, 5, 40, 25, 10, 25]


def test_textocr(tmp_path: Path) -> None:
    words = {FIRST: [textocr_word("STOP"), textocr_word(".")], SECOND: [textocr_word("Café", (0, 0, 9.5, 9))]}
    src = write_textocr(tmp_path / "src", words)
    run("import", "textocr", src, "-o", tmp_path / "out")
    columns = ("uid", "label", "origin_image", "origin_box", "origin_polygon", "origin_size", "licence")
    assert rows(tmp_path / "out", *columns) == [
        (
            f"textocr:{FIRST}_1",
            "STOP",
            f"openimages:{FIRST}",
            [10, 5, 30, 20],
            CORNERS,
            [120, 80],
            "CC-BY-4.0",
        ),
        (
            f"textocr:{SECOND}_1",
            "Café",
            f"openimages:{SECOND}",
            [0, 0, 9.5, 9],
            [0, 0, 9.5, 0, 9.5, 9, 0, 9],
            [120, 80],
            "CC-BY-4.0",
        ),
    ]
    assert rejects(tmp_path / "out") == [(f"textocr:{FIRST}_2", "illegible", ".")]
    photo = decode((src / "train_images" / f"{FIRST}.jpg").read_bytes())
    crop = Dataset.open(tmp_path / "out").take([0], ["image"])[0]["image"]["bytes"]
    np.testing.assert_array_equal(decode(crop), photo[5:25, 10:40])


def test_textocr_photos_where_the_paths_say(tmp_path: Path) -> None:
    src = write_textocr(tmp_path / "src", {FIRST: [textocr_word("STOP")]}, split="val")
    (src / "train_images").rename(src / "train")
    run("import", "textocr", src, "--split", "val", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "label", "split") == [("STOP", "val")]


def test_textocr_photo_that_is_not_there(tmp_path: Path) -> None:
    src = write_textocr(tmp_path / "src", {FIRST: [textocr_word("a")], SECOND: [textocr_word("b")]})
    (src / "train_images" / f"{FIRST}.jpg").unlink()
    run("import", "textocr", src, "-o", tmp_path / "out", "--max-dropped", 0.5)
    assert rejects(tmp_path / "out") == [(f"textocr:{FIRST}_1", "missing_image", "")]


def test_textocr_photo_that_leads_in_circles_or_nowhere(tmp_path: Path) -> None:
    names = [FIRST, SECOND, "0" * 300]
    src = write_textocr(tmp_path / "src", {name: [textocr_word("a")] for name in names[:2]})
    path = src / "TextOCR_0.1_train.json"
    path.write_text(path.read_text().replace(f"train/{SECOND}.jpg", f"train/{names[2]}.jpg"))
    (src / "train_images" / f"{FIRST}.jpg").unlink()
    (src / "train_images" / f"{FIRST}.jpg").symlink_to(f"{FIRST}.jpg")
    (src / "train").symlink_to("train_images")
    run("import", "textocr", src, "-o", tmp_path / "out", "--max-dropped", 1, status=1)
    write_textocr(src, {"0" * 16: [textocr_word("good")]}, split="val")
    merged = json.loads(path.read_text())
    for table, content in json.loads((src / "TextOCR_0.1_val.json").read_text()).items():
        merged[table].update(content)
    path.write_text(json.dumps(merged))
    run("import", "textocr", src, "-o", tmp_path / "out", "--max-dropped", 0.7)
    assert rejects(tmp_path / "out") == [
        (f"textocr:{FIRST}_1", "missing_image", "too many levels of symbolic links"),
        (f"textocr:{SECOND}_1", "missing_image", "file name too long"),
    ]


def test_openvino_files_make_one_set(tmp_path: Path) -> None:
    src = tmp_path / "src"
    for part in "125f":
        words = [openvino_word(f"{part}b"), openvino_word(f"{part}a", (10, 5, 30, 20))]
        write_openvino(src, f"train_{part}", {f"train_{part}/{part * 16}.jpg": words})
    run("import", "openvino", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "origin_image") == [
        (f"openvino:train_{part}/{i}", f"{part}{'ab'[i - 1]}", f"openimages:{part * 16}")
        for part in "125f"
        for i in (1, 2)
    ]
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.take([0], ["origin_polygon"]) == [{"origin_polygon": CORNERS}]
    assert list(dataset.manifest["inputs"]) == [f"text_spotting_openimages_v5_train_{p}.json" for p in "125f"]


def test_openvino_keep_rule(tmp_path: Path) -> None:
    words = [
        openvino_word("good"),
        openvino_word("bad", legible=False),
        openvino_word("ça", language="french"),
    ]
    src = write_openvino(tmp_path / "src", "validation", {f"validation/{FIRST}.jpg": words})
    run("import", "openvino", src, "--split", "val", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "label") == [("good",)]
    assert rejects(tmp_path / "out") == [
        ("openvino:validation/1", "illegible", "bad"),
        ("openvino:validation/3", "not_english", "ça"),
    ]
    run("import", "openvino", src, "--split", "val", "--all-scripts", "-o", tmp_path / "all")
    assert rows(tmp_path / "all", "label") == [("good",), ("ça",)]


def test_openvino_one_file_as_the_archives_unpack(tmp_path: Path) -> None:
    src = write_openvino(tmp_path / "src", "train_f", {f"images/{FIRST}.jpg": [openvino_word("one")]})
    (src / "images").rename(src / "train_f")
    run("import", "openvino", src, "--option", "parts=f", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid") == [("openvino:train_f/1",)]


@pytest.mark.parametrize(
    "segmentation",
    [
        [],
        [[10, 5, 40, 5, 40, 25], [50, 5, 80, 5, 80, 25]],
        {"counts": "PYl0", "size": [80, 120]},
    ],
)
def test_openvino_word_without_one_outline_is_cut_by_its_box(segmentation: object, tmp_path: Path) -> None:
    words = [openvino_word("one", segmentation=segmentation)]
    src = write_openvino(tmp_path / "src", "validation", {f"validation/{FIRST}.jpg": words})
    run("import", "openvino", src, "--split", "val", "--crop", "rectify", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "width", "height", "origin_polygon") == [(30, 20, None)]


@pytest.mark.parametrize("form", ["jsonl.gz", "jsonl", "indented", "lines"])
def test_hiertext(form: str, tmp_path: Path) -> None:
    photos = {
        FIRST: [[hiertext_word("The"), hiertext_word("", legible=False)], [hiertext_word("end")]],
        SECOND: [
            [hiertext_word("curved", vertices=[[10, 9], [25, 5], [40, 9], [40, 25], [25, 20], [10, 25]])]
        ],
    }
    src = write_hiertext(tmp_path / "src", photos, form=form)
    run("import", "hiertext", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "origin_image", "origin_box", "origin_polygon") == [
        (f"hiertext:{FIRST}/1.1.1", "The", f"openimages:{FIRST}", [10, 5, 30, 20], CORNERS),
        (f"hiertext:{FIRST}/1.2.1", "end", f"openimages:{FIRST}", [10, 5, 30, 20], CORNERS),
        (
            f"hiertext:{SECOND}/1.1.1",
            "curved",
            f"openimages:{SECOND}",
            [10, 5, 30, 20],
            [10, 9, 25, 5, 40, 9, 40, 25, 25, 20, 10, 25],
        ),
    ]
    assert rejects(tmp_path / "out") == [(f"hiertext:{FIRST}/1.1.2", "illegible", "")]


def test_hiertext_validation(tmp_path: Path) -> None:
    src = write_hiertext(tmp_path / "src", {FIRST: [[hiertext_word("one")]]}, split="validation")
    run("import", "hiertext", src, "--split", "val", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "label", "split") == [("one", "val")]


def test_sets_on_open_images_agree_on_the_photo(tmp_path: Path) -> None:
    write_textocr(tmp_path / "t", {FIRST: [textocr_word("a")]})
    write_openvino(tmp_path / "o", "validation", {f"validation/{FIRST}.jpg": [openvino_word("a")]})
    write_hiertext(tmp_path / "h", {FIRST: [[hiertext_word("a")]]})
    run("import", "textocr", tmp_path / "t", "-o", tmp_path / "1")
    run("import", "openvino", tmp_path / "o", "--split", "val", "-o", tmp_path / "2")
    run("import", "hiertext", tmp_path / "h", "-o", tmp_path / "3")
    found = {rows(tmp_path / out, "origin_image")[0] for out in "123"}
    assert found == {(f"openimages:{FIRST}",)}


def test_uber_text_is_an_lmdb_with_facts(tmp_path: Path) -> None:
    src = write_lmdb(tmp_path / "7.Uber", [(encode_png(picture("a")), "SHELL")])
    run("import", "uber_text", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "licence") == [
        ("uber_text:000000001", "SHELL", "CC-BY-SA-4.0")
    ]
