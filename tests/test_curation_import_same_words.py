"""One photo and its words in every format that has boxes of four corners: the crops are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_icdar import line, pairs, quad, write_json, write_lines, write_photo
from published_sets import run

from curation.core.dataset import Dataset
from curation.core.images import decode
from curation.importers.annotations import polygon_line

WORDS = {"one": (10, 5, 40, 25), "two": (-5, 60, 30, 95), "three": (0, 0, 120, 80), "four": (50, 7, 51, 8)}
Writer = Callable[[Path], Path]


def polygons(*fields: str) -> list[str]:
    return [line(quad(*sides), *fields, label) for label, sides in WORDS.items()]


def records(**fields: object) -> list[dict[str, object]]:
    return [
        {"transcription": label, "points": pairs(quad(*sides)), **fields} for label, sides in WORDS.items()
    ]


def icdar2003(src: Path) -> Path:
    rectangle = '<taggedRectangle x="{}" y="{}" width="{}" height="{}"><tag>{}</tag></taggedRectangle>'
    found = [rectangle.format(x, y, r - x, b - y, label) for label, (x, y, r, b) in WORDS.items()]
    rectangles = f"<taggedRectangles>{''.join(found)}</taggedRectangles>"
    write_lines(
        src / "words.xml", [f"<tagset><image><imageName>1.jpg</imageName>{rectangles}</image></tagset>"]
    )
    return src / "1.jpg"


def icdar2013(src: Path) -> Path:
    lines = [" ".join(map(str, sides)) + f' "{label}"' for label, sides in WORDS.items()]
    write_lines(src / "gt_100.txt", lines)
    return src / "100.jpg"


def totaltext(src: Path) -> Path:
    record = "x: [[{} {} {} {}]], y: [[{} {} {} {}]], ornt: [u'h'], transcriptions: [u'{}']"
    found = [(quad(*sides), label) for label, sides in WORDS.items()]
    write_lines(src / "gt_img1.txt", [record.format(*p[::2], *p[1::2], label) for p, label in found])
    return src / "img1.jpg"


def kaist(src: Path) -> Path:
    word = '<word x="{}" y="{}" width="{}" height="{}">{}</word>'
    letters = {label: "".join(f'<character char="{c}"/>' for c in label) for label in WORDS}
    found = [word.format(x, y, r - x, b - y, letters[label]) for label, (x, y, r, b) in WORDS.items()]
    write_lines(src / "a.xml", [f"<image><words>{''.join(found)}</words></image>"])
    return src / "a.JPG"


def iiit_ilst(src: Path) -> Path:
    sides = "<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>"
    found = [f"<name>{label}</name><bndbox>{sides.format(*box)}</bndbox>" for label, box in WORDS.items()]
    write_lines(src / "a.xml", [f"<a>{''.join(f'<object>{text}</object>' for text in found)}</a>"])
    return src / "a.jpg"


def lined(name: str, photo: str, *fields: str) -> Writer:
    return lambda src: (write_lines(src / name, polygons(*fields)), src / photo)[1]


def tabled(name: str, photo: str, **fields: object) -> Writer:
    return lambda src: (write_json(src / name, {"gt_0": records(**fields)}), src / photo)[1]


def rects(src: Path) -> Path:
    lines = [{**record, "points": quad(*WORDS[str(record["transcription"])])} for record in records(ignore=0)]
    write_json(src / "gt" / "train_ReCTS_000001.json", {"lines": lines, "chars": []})
    return src / "img" / "train_ReCTS_000001.jpg"


WRITERS: dict[str, Writer] = {
    "art_scenes": tabled("train_labels.json", "train_images/gt_0.jpg", illegibility=False, language="Latin"),
    "icdar2003_scenes": icdar2003,
    "icdar2013_scenes": icdar2013,
    "icdar2015_scenes": lined("gt_img_1.txt", "img_1.jpg"),
    "iiit_ilst": iiit_ilst,
    "kaist": kaist,
    "lsvt": tabled("train_full_labels.json", "train_full_images_1/gt_0.jpg", illegibility=False),
    "mlt19_scenes": lined("tr_img_00001.txt", "tr_img_00001.jpg", "Latin"),
    "mtwi": lined("a.txt", "a.jpg"),
    "rctw17": lined("image_0.txt", "image_0.jpg", "0"),
    "rects": rects,
    "totaltext": totaltext,
}


@pytest.mark.parametrize("kind", list(WRITERS))
def test_words_are_cut_alike_from_every_format(kind: str, tmp_path: Path) -> None:
    photo = decode(write_photo(WRITERS[kind](tmp_path / "src")).read_bytes())
    run("import", kind, tmp_path / "src", "-o", tmp_path / "out", "--max-dropped", "0")
    dataset = Dataset.open(tmp_path / "out")
    rows = dataset.take(range(len(dataset)), ["label", "image", "origin_size", "origin_box"])
    assert [row["label"] for row in rows] == list(WORDS)
    for row, (left, top, right, bottom) in zip(rows, WORDS.values(), strict=True):
        crop = photo[max(top, 0) : bottom, max(left, 0) : right]
        assert np.array_equal(decode(row["image"]["bytes"]), crop)
        assert row["origin_box"] == [left, top, right - left, bottom - top]
        assert row["origin_size"] == [120, 80]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), min_size=1)


@given(st.lists(st.integers(-9, 9999), min_size=8, max_size=8), TEXTS)
def test_line_of_a_polygon_is_read_back(points: list[int], label: str) -> None:
    found = polygon_line(Path("gt.txt"), 1, line(points, label), "x1,y1,...,x4,y4,text", 8)
    assert found == (tuple(points), [label])
