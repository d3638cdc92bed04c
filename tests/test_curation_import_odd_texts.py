"""Texts that are no Unicode, and values of other kinds than a format has: one sentence, or another word."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
import scipy.io
from published_sets import failure, run, write_lmdb, write_png

from curation.core.dataset import Dataset

HALF = (
    "half a surrogate pair, or bytes of a file's name that are not UTF-8. Mend the text, or rename the file."
)
CURVES = [0, 0, 5, 0, 9, 0, 20, 0, 20, 9, 9, 9, 5, 9, 0, 9]


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("jsonl", r'{"path": "1.png", "label": "a\ud800"}', r"a\ud800"),
        ("jsonl", r'{"path": "\ud800.png", "label": "a"}', r"\ud800.png"),
        ("mmocr", r'{"data_list": [{"img_path": "1.png", "instances": [{"text": "\udfff"}]}]}', r"\udfff"),
        ("paddle", '["\\ud800.png"]\tx', r"\ud800.png"),
        ("paddle", '1.png\t[{"transcription": "\\ud800", "points": [[0,0],[9,0],[9,9]]}]', r"\ud800"),
    ],
)
def test_half_a_surrogate_pair(kind: str, text: str, shown: str, tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_text(text)
    write_png(tmp_path / "1.png")
    assert failure("import", kind, path, "-o", tmp_path / "out") == (
        f"{path} has '{shown}', which is no Unicode: {HALF}"
    )
    assert not (tmp_path / "out").exists()


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / "mtwi" / "txt_train"
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"\xff.txt")).write_text("0,0,20,0,20,9,0,9,abc\n")
    assert failure("import", "mtwi", tmp_path / "mtwi", "-o", tmp_path / "out") == (
        f"{tmp_path / 'mtwi'} has 'train/\\udcff.jpg/1', which is no Unicode: {HALF}"
    )
    png = write_png(tmp_path / "1.png")
    write_lmdb(tmp_path / "sets" / "a", [(png, "x")])
    (tmp_path / "sets" / "a").rename(tmp_path / "sets" / os.fsdecode(b"\xff"))
    assert failure("import", "lmdb", tmp_path / "sets", "-o", tmp_path / "out") == (
        f"{tmp_path / 'sets'} has '\\udcff/000000001', which is no Unicode: {HALF}"
    )


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (
            "jsonl",
            '{"path": "1.png", "label": "a", "label": "b"}',
            "line 1 is not JSON: the key 'label' comes",
        ),
        (
            "jsonl",
            f'{{"path": "1.png", "label": "a", "n": {"1" * 5000}}}',
            "line 1 is not JSON: Exceeds the limit",
        ),
        ("mmocr", f'{{"data_list": [{"1" * 5000}]}}', "item 1 of 'data_list' is not JSON: Exceeds the limit"),
    ],
)
def test_json_that_python_reads_otherwise(kind: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text(text)
    found = failure("import", kind, tmp_path / "labels", "-o", tmp_path / "out")
    assert found.startswith(f"{tmp_path / 'labels'}, {message}")


@pytest.mark.parametrize(
    ("images", "annotation", "message"),
    [
        ([3], {}, "image 1 has no 'id': 3"),
        ([{"id": [1], "file_name": "1.png"}], {}, "image 1 has id [1], not a number or a text"),
        ([], 5, "annotation 1 has no 'image_id': 5"),
        ([], {"image_id": [1]}, "annotation 1 has image_id [1], not a number or a text"),
        (
            [],
            {"image_id": 1, "bezier_pts": ["x"]},
            "annotation 1, bezier_pts is ['x'], not a list of numbers",
        ),
    ],
)
def test_curved_synthtext_of_other_values(
    images: list[Any], annotation: Any, message: str, tmp_path: Path
) -> None:
    (tmp_path / "train.json").write_text(json.dumps({"images": images, "annotations": [annotation]}))
    assert failure("import", "curved_synthtext", tmp_path, "-o", tmp_path / "out") == (
        f"{tmp_path / 'train.json'}, {message}. Give the publisher's own file."
    )


def test_curves_of_huge_whole_numbers_are_rejects(tmp_path: Path) -> None:
    write_png(tmp_path / "1.png")
    word = {"image_id": 1, "rec": [33, 96], "bezier_pts": CURVES}
    words = [{**word, "id": 1}, {**word, "id": 2, "bezier_pts": [10**400, *CURVES[1:]]}]
    images = [{"id": 1, "file_name": "1.png"}]
    (tmp_path / "train.json").write_text(json.dumps({"images": images, "annotations": words}))
    run("import", "curved_synthtext", tmp_path, "-o", tmp_path / "out", "--max-dropped", 0.5)
    found = Dataset.open(tmp_path / "out").manifest
    assert (found["n_rows"], found["rejected_by_reason"]) == (1, {"degenerate_outline": 1})


def test_two_texts_in_one_place_of_iiit5k(tmp_path: Path) -> None:
    kinds = [("ImgName", object), ("GroundTruth", object)]
    table = np.array([(np.array(["1.png", "2.png"]), "X")], dtype=kinds)
    scipy.io.savemat(tmp_path / "traindata.mat", {"traindata": table})
    assert failure("import", "iiit5k", tmp_path, "-o", tmp_path / "out") == (
        f"{tmp_path / 'traindata.mat'}, word 1 has 2 texts in one place: ['1.png', '2.png']. "
        "Give the publisher's own file."
    )


def test_svt_of_an_unknown_encoding(tmp_path: Path) -> None:
    (tmp_path / "train.xml").write_text('<?xml version="1.0" encoding="nope"?><tagset/>')
    assert failure("import", "svt", tmp_path, "-o", tmp_path / "out") == (
        f"{tmp_path / 'train.xml'} is not valid XML: unknown encoding: nope. "
        "Unpack the publisher's archive again."
    )


def test_names_too_long_for_a_file_are_rejects(tmp_path: Path) -> None:
    long, points = "a" * 300, [[0, 0], [20, 0], [20, 9], [0, 9]]
    (tmp_path / "train_full_images_0").mkdir()
    record = {"transcription": "a", "points": points, "illegibility": False}
    (tmp_path / "train_full_labels.json").write_text(json.dumps({long: [record]}))
    nothing = f"no word to write to {tmp_path / 'out'} (1 missing_image). Check the input."
    assert failure("import", "lsvt", tmp_path, "-o", tmp_path / "out", "--max-dropped", 1) == nothing
    (tmp_path / "curve").mkdir()
    (tmp_path / "curve" / "annotation.jsonl").write_text(json.dumps({"filename": long, "text": "a"}))
    options = ("--split", "test", "--option", "subset=curve", "--max-dropped", 1)
    found = failure("import", "union14m_benchmark", tmp_path, "-o", tmp_path / "out", *options)
    assert found == nothing


@pytest.mark.parametrize(
    "meta",
    [
        {"uid": "\ud800"},
        {"source": "\ud800"},
        {"origin_box": ["a", 1, 2, 3]},
        {"origin_polygon": [[1]]},
        {"origin_size": [1e30, 2]},
        {"origin_size": [2**40, 1]},
        {"word_boxes": [1]},
    ],
)
def test_facts_in_an_lmdb_that_no_column_holds(meta: dict[str, Any], tmp_path: Path) -> None:
    write_lmdb(tmp_path / "words", [(write_png(tmp_path / "1.png"), "x")])
    facts = {"glyphmix": 1, "uid": "u:1", "source": "u", "split": "val", "licence": "", **meta}
    with lmdb.open(str(tmp_path / "words")) as env, env.begin(write=True) as txn:
        txn.put(b"meta-000000001", json.dumps(facts).encode())
    (tmp_path / "words" / "glyphmix.json").write_text('{"boxes": ["word_boxes"]}')
    run("import", "lmdb", tmp_path / "words", "-o", tmp_path / "out", "--name", "own")
    assert Dataset.open(tmp_path / "out").table(["uid"])["uid"].to_pylist() == ["own:000000001"]


@pytest.mark.parametrize("facts", [{"sources": 5}, {"sources": [{}]}, {"sources": [5]}, {"boxes": 5}])
def test_a_damaged_file_beside_an_lmdb(facts: dict[str, Any], tmp_path: Path) -> None:
    write_lmdb(tmp_path / "words", [(write_png(tmp_path / "1.png"), "x")])
    sidecar = tmp_path / "words" / "glyphmix.json"
    sidecar.write_text(json.dumps(facts))
    assert failure("import", "lmdb", tmp_path / "words", "-o", tmp_path / "out") == (
        f"{sidecar} is damaged in its sources or boxes. Remove it, and import again."
    )
