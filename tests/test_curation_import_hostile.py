"""Annotations that lead out, are folders, or do not say what they hold, in every format of label files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from published_sets import failure

NAME = "../../etc/passwd"


def mmocr1(name: str) -> str:
    return json.dumps({"data_list": [{"img_path": name, "instances": [{"text": "x"}]}]})


def photo(name: str) -> str:
    outline = [[0, 0], [9, 0], [9, 9]]
    return f"{name}\t{json.dumps([{'transcription': 'x', 'points': outline}])}\n"


LABEL_FILES: dict[str, tuple[str, Callable[[str], str], str]] = {
    "tsv": ("l.tsv", lambda name: f"{name}\tx\n", "line 1"),
    "csv": ("l.csv", lambda name: f"path,label\n{name},x\n", "line 2"),
    "jsonl": ("l.jsonl", lambda name: json.dumps({"path": name, "label": "x"}), "line 1"),
    "mmocr": ("l.json", mmocr1, "item 1"),
    "paddle": ("l.txt", lambda name: f'["{name}"]\tx\n', "line 1"),
    "paddle of photos": ("l.txt", photo, "line 1"),
}
LIES_OUT = (
    "names the image {!r}, which is not inside {}. Make the paths in that file relative to that folder."
)


@pytest.mark.parametrize("name", [NAME, "/etc/passwd", "a/../../b.png"])
@pytest.mark.parametrize("kind", list(LABEL_FILES))
def test_label_files_that_lead_out(kind: str, name: str, tmp_path: Path) -> None:
    file, write, place = LABEL_FILES[kind]
    (tmp_path / file).write_text(write(name))
    assert failure("import", kind.split()[0], tmp_path / file, "-o", tmp_path / "out") == (
        f"{tmp_path / file}, {place} {LIES_OUT.format(name, tmp_path)}"
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "mmocr", "paddle"])
def test_label_files_that_are_folders(kind: str, tmp_path: Path) -> None:
    text = failure("import", kind, tmp_path, "-o", tmp_path / "out")
    assert text.startswith(f"label file {tmp_path} is a folder. Give the file of ")


SETS: dict[str, tuple[str, str, str]] = {
    "union14m_l": (
        "train_annos/mmocr-0.x/train_hard.jsonl",
        json.dumps({"filename": NAME, "text": "x"}),
        "line 1",
    ),
    "svtp": ("gt.txt", f"{NAME} X", "line 1"),
    "cute80": ("gt.txt", f"{NAME} X 1 X", "line 1"),
    "mjsynth": ("annotation_train.txt", "../../1_x_2.jpg 2", "line 1"),
    "synthadd": ("annotationlist/gt_1.txt", f'../{NAME},"x"', "line 1"),
    "curved_synthtext": (
        "train.json",
        json.dumps(
            {
                "images": [{"id": 1, "file_name": NAME}],
                "annotations": [{"image_id": 1, "rec": [40, 96], "bezier_pts": [0] * 16}],
            }
        ),
        "annotation 1",
    ),
}


@pytest.mark.parametrize("kind", list(SETS))
def test_published_sets_that_lead_out(kind: str, tmp_path: Path) -> None:
    file, text, place = SETS[kind]
    path = tmp_path / "src" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    options = ("--option", "difficulty=hard") if kind == "union14m_l" else ()
    split = "test" if kind in ("svtp", "cute80") else "train"
    found = failure("import", kind, tmp_path / "src", "--split", split, "-o", tmp_path / "out", *options)
    name = {"mjsynth": "../../1_x_2.jpg", "synthadd": f"crop_img_1/../{NAME}"}.get(kind, NAME)
    assert found == f"{path}, {place} {LIES_OUT.format(name, tmp_path / 'src')}"


def test_a_truncated_json_file(tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text(mmocr1("a.png")[:-3])
    assert failure("import", "mmocr", tmp_path / "l.json", "-o", tmp_path / "out") == (
        f"{tmp_path / 'l.json'}, item 1 of 'data_list' is not JSON: Expecting ',' delimiter. "
        "Unpack or copy it again."
    )


def test_json_lines_that_are_nested_without_end(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text("[" * 100_000)
    assert failure("import", "jsonl", tmp_path / "l.jsonl", "-o", tmp_path / "out") == (
        f"{tmp_path / 'l.jsonl'}, line 1 is not JSON: nested too deeply. Mend the file."
    )
    (tmp_path / "l.json").write_text('{"data_list": [' + "[" * 100_000)
    assert failure("import", "mmocr", tmp_path / "l.json", "-o", tmp_path / "out") == (
        f"{tmp_path / 'l.json'}, item 1 of 'data_list' is nested too deeply. Mend it."
    )
