"""Further sets of photos that Union14M-L took words from: KAIST, MTWI and IIIT-ILST."""

from __future__ import annotations

from pathlib import Path

import pytest
from published_icdar import line, quad, write_lines, write_photo
from test_curation_import_scenes import AROUND, BOX, imported, rejected
from test_curation_import_scenes_errors import error

KAIST = """<?xml version="1.0" encoding="UTF-8"?>
<images><image><imageName>DSC02306.JPG</imageName><resolution x="120" y="80" /><words>
 <word x="10" y="5" width="30" height="20">
  <character x="10" y="5" width="10" height="20" char="A" />
  <character x="20" y="5" width="9" height="9" char="1" />
 </word>
 <word x="10" y="5" width="30" height="20"><character x="1" y="1" width="2" height="2" char="가" /></word>
</words><illumination>no</illumination></image></images>"""


def write_kaist(src: Path) -> Path:
    for below in ("English/Digital_Camera", "Mixed/Mobile"):  # the same name in two folders
        write_photo(src / below / "DSC02306.JPG")
        (src / below / "DSC02306.xml").write_text(KAIST, encoding="utf-8")
    return src


def test_kaist(tmp_path: Path) -> None:
    src = write_kaist(tmp_path / "src")
    (src / "loop").symlink_to(src)
    photos = [f"train/{below}/DSC02306.JPG" for below in ("English/Digital_Camera", "Mixed/Mobile")]
    assert imported("kaist", src) == [(f"kaist:{photo}/1", "A1", photo, AROUND) for photo in photos]
    assert rejected(src) == {"not_latin": 2}


def test_kaist_in_all_scripts(tmp_path: Path) -> None:
    src = write_kaist(tmp_path / "src")
    assert [row[1] for row in imported("kaist", src, "--all-scripts")] == ["A1", "가"] * 2


def test_mtwi(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "image_train" / "T1.9dtX.jpg.jpg")
    texts = ["时尚袋袋", "73/74, 737", "###"]
    write_lines(src / "txt_train" / "T1.9dtX.jpg.txt", [line(BOX, text) for text in texts])
    photo = "train/T1.9dtX.jpg.jpg"
    assert imported("mtwi", src) == [(f"mtwi:{photo}/2", "73/74, 737", photo, AROUND)]
    assert rejected(src) == {"illegible": 1, "not_latin": 1}


ILST = """<annotation><filename>x.jpg</filename>
<object><name>SMT</name><bndbox><xmin>40</xmin><ymin>5</ymin><xmax>10</xmax><ymax>25</ymax></bndbox></object>
<object><name>हिन्दी</name><bndbox><xmin>10</xmin><ymin>5</ymin><xmax>40</xmax><ymax>25</ymax></bndbox></object>
</annotation>"""


@pytest.mark.parametrize(("options", "labels"), [((), ["SMT"]), (("--all-scripts",), ["SMT", "हिन्दी"])])
def test_iiit_ilst(options: tuple[str, ...], labels: list[str], tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "Devanagari" / "12.jpg")
    (src / "Devanagari" / "12.xml").write_text(ILST, encoding="utf-8")
    photo = "train/Devanagari/12.jpg"
    assert imported("iiit_ilst", src, *options) == [
        (f"iiit_ilst:{photo}/{number}", label, photo, AROUND) for number, label in enumerate(labels, 1)
    ]


@pytest.mark.parametrize(
    ("kind", "name", "content", "message"),
    [
        (
            "kaist",
            "a.xml",
            '<image><word x="1" y="2" width="3" height="4"><character x="1"/></word></image>',
            "{}, word 1 has a character without char. Give the publisher's own file.",
        ),
        (
            "kaist",
            "a.xml",
            '<image><word x="1" y="2" width="3"/></image>',
            "{}, word 1 has no box: got {{'x': '1', 'y': '2', 'width': '3', 'height': ''}}. "
            "Give the publisher's own file.",
        ),
        (
            "iiit_ilst",
            "a.xml",
            "<annotation><object><name>A</name></object></annotation>",
            "{}, object 1 has no box: got {{'xmin': '', 'ymin': '', 'xmax': '', 'ymax': ''}}. "
            "Give the publisher's own file.",
        ),
        (
            "mtwi",
            "a.txt",
            "1 2 3 4 5 6 7 8 text",
            "{}, line 1 is not like x1,y1,...,x4,y4,text: '1 2 3 4 5 6 7 8 text'. "
            "Give the publisher's own file.",
        ),
    ],
)
def test_annotations_of_another_kind(
    kind: str, name: str, content: str, message: str, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "src" / name, [content])
    assert error(kind, tmp_path / "src") == message.format(path)


def test_box_of_a_word_that_is_not_finite(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "a.jpg")
    lines = [line(quad(1, 1, 9, 9), "one"), "1,1,inf,1,9,9,1,9,two", "1,1,nan,1,9,9,1,9,three"]
    write_lines(src / "a.txt", lines)
    assert [row[1] for row in imported("mtwi", src, "--max-dropped", "0.7")] == ["one"]
    assert rejected(src) == {"degenerate_outline": 2}
