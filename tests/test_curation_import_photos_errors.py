"""What a user reads when a set of photos is not as its publisher has it, compared whole."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from published_photos import (
    coco_word,
    hiertext_word,
    openvino_word,
    rejects,
    textocr_word,
    write_coco_text_v1,
    write_coco_text_v2,
    write_hiertext,
    write_openvino,
    write_textocr,
)
from published_sets import failure, run

PHOTO = "0001c8fbfb30d3a6"
OWN = "Give the publisher's own file."
AGAIN = "Unpack the publisher's archive again."


def imported(kind: str, src: Path, *options: object) -> str:
    """The error of an import, after which nothing must be left."""
    text = failure("import", kind, src, "-o", src.parent / "out", *options)
    assert not (src.parent / "out").exists()
    return text


def changed(path: Path, change: Callable[[Any], object]) -> Path:
    """The JSON file after ``change`` has been at its content."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("coco_text_v1", "train_words_gt.txt. Give the folder of COCO-Text v1.4"),
        ("coco_text_v2", "cocotext.v2.json. Give the folder of COCO-Text v2"),
        ("textocr", "TextOCR_0.1_train.json. Give the folder of TextOCR"),
        (
            "openvino",
            "text_spotting_openimages_v5_train_1.json. Give the folder of the text of Open Images v5",
        ),
        (
            "hiertext",
            "gt/train.jsonl, gt/train.jsonl.gz, train.jsonl or train.jsonl.gz. Give the folder of HierText",
        ),
    ],
)
def test_folder_of_something_else(kind: str, holds: str, tmp_path: Path) -> None:
    src = tmp_path / "src"
    src.mkdir()
    assert imported(kind, src) == f"{src} holds no {holds} as its publisher packs it."


@pytest.mark.parametrize("name", ["../1", "/etc/passwd", "a/../../../1"])
def test_coco_text_v1_path_that_leads_out(name: str, tmp_path: Path) -> None:
    src = write_coco_text_v1(tmp_path / "src", {"1": "one"})
    with (src / "train_words_gt.txt").open("a") as file:
        file.write(f"../{name},two\n")
    message = imported("coco_text_v1", src)
    if name == "/etc/passwd":  # below a folder, an absolute path is a relative one
        assert message.startswith("1 of 2 words of the source are unusable")
    else:
        assert message == (
            f"{src / 'train_words_gt.txt'}, line 2 names the image 'train_words/../{name}.jpg', which is not "
            f"inside {src}. Make the paths in that file relative to that folder."
        )


@pytest.mark.parametrize("name", ["/etc/passwd", "../../1.jpg"])
@pytest.mark.parametrize("kind", ["coco_text_v2", "textocr", "openvino", "hiertext"])
def test_paths_that_lead_out(kind: str, name: str, tmp_path: Path) -> None:
    src = tmp_path / "src"
    if kind == "coco_text_v2":
        write_coco_text_v2(src, {"COCO_train2014_000000000036.jpg": [coco_word("one")]})
        where = changed(src / "cocotext.v2.json", lambda v: v["imgs"]["36"].update(file_name=name))
        record = "imgs 36"
    elif kind == "textocr":
        write_textocr(src, {PHOTO: [textocr_word("one")]})
        where = changed(src / "TextOCR_0.1_train.json", lambda v: v["imgs"][PHOTO].update(file_name=name))
        record = f"imgs {PHOTO}"
    elif kind == "openvino":
        for part in "125f":
            write_openvino(src, f"train_{part}", {f"{PHOTO}.jpg": [openvino_word("one")]})
        path = src / "text_spotting_openimages_v5_train_1.json"
        where = changed(path, lambda v: v["images"][0].update(file_name=name))
        record = f"image {name}"
    else:
        write_hiertext(src, {PHOTO: [[hiertext_word("one")]]}, form="jsonl")
        where = changed(src / "gt" / "train.jsonl", lambda v: v["annotations"][0].update(image_id=name))
        record = "photo 1"
    message = imported(kind, src)
    assert message.startswith(f"{where}, {record} names the image '")
    assert message.endswith(
        f"', which is not inside {src}. Make the paths in that file relative to that folder."
    )


def textocr(tmp_path: Path, change: Callable[[Any], object]) -> tuple[Path, Path]:
    src = write_textocr(tmp_path / "src", {PHOTO: [textocr_word("one"), textocr_word("two")]})
    return src, changed(src / "TextOCR_0.1_train.json", change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda v: v["anns"][f"{PHOTO}_1"].update(utf8_string=7),
            f", anns {PHOTO}_1 has utf8_string 7, not a text",
        ),
        (
            lambda v: v["anns"][f"{PHOTO}_1"].update(bbox="1 2 3 4"),
            f", anns {PHOTO}_1 has bbox '1 2 3 4', not a list",
        ),
        (
            lambda v: v["anns"][f"{PHOTO}_1"].update(bbox=[1, 2, "3", 4]),
            f", anns {PHOTO}_1, bbox is [1, 2, '3', 4], not a list of numbers",
        ),
        (
            lambda v: v["anns"][f"{PHOTO}_2"].update(points=[1, None]),
            f", anns {PHOTO}_2, points is [1, None], not a list of numbers",
        ),
        (
            lambda v: v["anns"][f"{PHOTO}_2"].update(image_id="elsewhere"),
            f", anns {PHOTO}_2 is of the photo 'elsewhere', which is not among the imgs",
        ),
        (
            lambda v: v["anns"][f"{PHOTO}_2"].update(image_id=[1]),
            f", anns {PHOTO}_2 has image_id [1], not a number or a text",
        ),
        (lambda v: v.update(anns=[]), " has anns, a list, which must be a table"),
        (lambda v: v["anns"].update(x=3), ", anns x has no 'image_id': 3"),
        (lambda v: v["imgs"].update({PHOTO: "x.jpg"}), f", imgs {PHOTO} has no 'file_name': 'x.jpg'"),
    ],
)
def test_records_of_another_kind(change: Callable[[Any], object], fault: str, tmp_path: Path) -> None:
    src, path = textocr(tmp_path, change)
    assert imported("textocr", src) == f"{path}{fault}. {OWN}"


def test_tables_that_are_missing(tmp_path: Path) -> None:
    src, path = textocr(tmp_path, lambda v: v.clear())
    assert imported("textocr", src) == f"{path} has no 'imgs', only []. {OWN}"
    path.write_text('{"imgs": {}, "info": 3}')
    assert imported("textocr", src) == f"{path} has no 'anns', only ['imgs', 'info']. {OWN}"
    path.write_text(" [1, 2]")
    assert imported("textocr", src) == f"{path} begins with '[1, 2]', not with a table of JSON. {OWN}"


def test_photo_that_comes_twice(tmp_path: Path) -> None:
    src, path = textocr(tmp_path, lambda v: None)
    text = path.read_text()
    path.write_text(text.replace('{"imgs": {', f'{{"imgs": {{"{PHOTO}": {{"file_name": "1.jpg"}}, '))
    assert imported("textocr", src) == f"{path}, imgs {PHOTO} comes twice. {OWN}"
    path.write_text(text[:-1] + ', "anns": {}}')
    assert imported("textocr", src) == f"{path} has 'anns' twice. {OWN}"


def test_coordinates_that_are_not_finite_are_rejects(tmp_path: Path) -> None:
    src, _ = textocr(tmp_path, lambda v: v["anns"][f"{PHOTO}_2"].update(bbox=[math.nan, 0, 10**400, 5]))
    run("import", "textocr", src, "-o", tmp_path / "out", "--max-dropped", "0.5")
    assert rejects(tmp_path / "out") == [
        (f"textocr:{PHOTO}_2", "degenerate_outline", "a box that is not finite: [nan, 0.0, inf, 5.0]")
    ]


def test_file_cut_short(tmp_path: Path) -> None:
    src, path = textocr(tmp_path, lambda v: None)
    path.write_text(path.read_text()[:100])
    message = imported("textocr", src)
    assert message.startswith(f"{path}, line 1 is not valid JSON: ")
    assert message.endswith(f". {AGAIN}")


def test_file_in_another_encoding(tmp_path: Path) -> None:
    src, path = textocr(tmp_path, lambda v: None)
    path.write_bytes(b'{"imgs": {"\xff')
    assert imported("textocr", src) == f"{path} is not UTF-8 (byte 0xff at offset 11). {AGAIN}"


def test_nested_without_end(tmp_path: Path) -> None:
    src, path = textocr(tmp_path, lambda v: None)
    path.write_text('{"imgs": [' + "[" * 100_000)
    assert imported("textocr", src).startswith(f"{path} is not valid JSON: maximum recursion depth exceeded")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda v: v["annotations"][0].update(image_id=9),
            ", annotation 1 is of the image 9, which is not among the images",
        ),
        (lambda v: v["annotations"][0].pop("id"), None),
        (
            lambda v: v["annotations"][0]["attributes"].update(legible="yes"),
            ", annotation 1 has legible 'yes', not true or false",
        ),
        (
            lambda v: v["annotations"][0].update(segmentation=[["x"]]),
            ", annotation 1, segmentation is ['x'], not a list of numbers",
        ),
        (lambda v: v.update(images={}), " has images, a table, which must be a list"),
    ],
)
def test_openvino_records_of_another_kind(
    change: Callable[[Any], object], fault: str | None, tmp_path: Path
) -> None:
    src = write_openvino(tmp_path / "src", "validation", {f"{PHOTO}.jpg": [openvino_word("one")]})
    path = changed(src / "text_spotting_openimages_v5_validation.json", change)
    message = imported("openvino", src, "--split", "val")
    if fault is None:
        assert message.startswith(f"{path}, entry 2, of annotations, has no 'id': {{'image_id': 1, ")
    else:
        assert message == f"{path}{fault}. {OWN}"


@pytest.mark.parametrize(
    ("parts", "shown"), [("3", "3"), ("1, 1", "1, 1"), ("1, 2, x", "1, 2, x"), ("12", "12")]
)
def test_openvino_parts_that_there_are_not(parts: str, shown: str, tmp_path: Path) -> None:
    assert imported("openvino", tmp_path / "src", "--option", f"parts={parts}") == (
        f"options of openvino: parts are {shown}; give some of 1, 2, 5, f, each once."
    )


def test_openvino_part_that_is_not_there(tmp_path: Path) -> None:
    src = write_openvino(tmp_path / "src", "train_1", {f"{PHOTO}.jpg": [openvino_word("one")]})
    assert imported("openvino", src) == (
        f"{src} holds no text_spotting_openimages_v5_train_2.json. "
        "Give the folder of the text of Open Images v5 as its publisher packs it."
    )


def test_hiertext_archive_cut_short(tmp_path: Path) -> None:
    src = write_hiertext(tmp_path / "src", {PHOTO: [[hiertext_word("one")]]})
    path = src / "gt" / "train.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-12])
    assert imported("hiertext", src) == (
        f"{path} cannot be unpacked: Compressed file ended before the end-of-stream marker was reached. "
        f"{AGAIN}"
    )
    path.write_bytes(b"no archive")
    assert imported("hiertext", src) == f"{path} cannot be unpacked: Not a gzipped file (b'no'). {AGAIN}"
    path.write_bytes(gzip.compress(b"{}"))
    assert imported("hiertext", src) == f"{path}, photo 1 has no 'image_id': {{}}. {OWN}"


def test_hiertext_records_of_another_kind(tmp_path: Path) -> None:
    word = hiertext_word("one", vertices=[[1, 2], "3"])
    src = write_hiertext(tmp_path / "src", {PHOTO: [[word]]}, form="jsonl")
    assert imported("hiertext", src) == (
        f"{src / 'gt' / 'train.jsonl'}, photo {PHOTO}, word 1.1.1, vertices is [[1, 2], '3'], "
        f"not a list of numbers. {OWN}"
    )
    changed(src / "gt" / "train.jsonl", lambda v: v["annotations"][0].update(paragraphs=None))
    assert imported("hiertext", src) == (
        f"{src / 'gt' / 'train.jsonl'}, photo {PHOTO} has paragraphs None, not a list. {OWN}"
    )


def test_hiertext_damaged_line(tmp_path: Path) -> None:
    src = write_hiertext(tmp_path / "src", {PHOTO: [[hiertext_word("one")]]}, form="lines")
    with (src / "gt" / "train.jsonl").open("a") as file:
        file.write('{"image_id"\n')
    message = imported("hiertext", src)
    assert message == (
        f"{src / 'gt' / 'train.jsonl'}, photo 2, line 1 is not valid JSON: "
        f"Expecting ':' delimiter at column 12. {AGAIN}"
    )
