"""Photos with outlined words, as the ICDAR competitions and the sets like them publish them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published_icdar import line, pairs, quad, write_json, write_lines, write_photo
from published_sets import numbers, run
from scipy.io import savemat

from curation.core.dataset import Dataset
from curation.core.images import decode

BOX = quad(10, 5, 40, 25)
AROUND = [10.0, 5.0, 30.0, 20.0]
COLUMNS = ["uid", "label", "origin_image", "origin_box"]


def imported(kind: str, src: Path, *options: object) -> list[tuple[Any, ...]]:
    run("import", kind, src, "-o", src.parent / "out", *options)
    return [tuple(row.values()) for row in Dataset.open(src.parent / "out").table(COLUMNS).to_pylist()]


def rejected(src: Path) -> dict[str, int]:
    return Dataset.open(src.parent / "out").manifest["rejected_by_reason"]


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("flat", [False, True])
def test_icdar2015_scenes(split: str, flat: bool, tmp_path: Path) -> None:
    folders = {
        "train": ("ch4_training_localization_transcription_gt", "ch4_training_images"),
        "test": ("Challenge4_Test_Task4_GT", "ch4_test_images"),
    }
    annotations, photos = ("", "") if flat else folders[split]
    src = tmp_path / "src"
    write_photo(src / photos / "img_1.jpg")
    write_photo(src / photos / "img_10.jpg")
    lines = [line(BOX, "Genaxis, Theatre"), line(BOX, "###"), line(quad(50, 10, 90, 30), "[06]")]
    write_lines(src / annotations / "gt_img_1.txt", lines, encoding="utf-8-sig")
    write_lines(src / annotations / "gt_img_10.txt", [line(BOX, "62-03")])
    assert imported("icdar2015_scenes", src, "--split", split) == [
        (f"icdar2015_scenes:{split}/img_1.jpg/1", "Genaxis, Theatre", f"{split}/img_1.jpg", AROUND),
        (f"icdar2015_scenes:{split}/img_1.jpg/3", "[06]", f"{split}/img_1.jpg", [50, 10, 40, 20]),
        (f"icdar2015_scenes:{split}/img_10.jpg/1", "62-03", f"{split}/img_10.jpg", AROUND),
    ]
    assert rejected(src) == {"illegible": 1}
    row = Dataset.open(tmp_path / "out").take([0], ["image", "origin_polygon", "origin_size"])[0]
    photo = decode((src / photos / "img_1.jpg").read_bytes())
    assert np.array_equal(decode(row["image"]["bytes"]), photo[5:25, 10:40])
    assert (row["origin_polygon"], row["origin_size"]) == (BOX, [120, 80])


@pytest.mark.parametrize("split", ["train", "test"])
def test_icdar2013_scenes(split: str, tmp_path: Path) -> None:
    src = tmp_path / "src" / split
    name, comma = ("100", "") if split == "train" else ("img_1", ",")
    write_photo(src / f"{name}.jpg")
    lines = [
        f'10{comma} 5{comma} 40{comma} 25{comma} "Foot path"',
        f'10{comma} 5{comma} 40{comma} 25{comma} "\\"To\\", 2"',
    ]
    write_lines(src / f"gt_{name}.txt", lines)
    assert imported("icdar2013_scenes", tmp_path / "src", "--split", split) == [
        (f"icdar2013_scenes:{split}/{name}.jpg/1", "Foot path", f"{split}/{name}.jpg", AROUND),
        (f"icdar2013_scenes:{split}/{name}.jpg/2", '"To", 2', f"{split}/{name}.jpg", AROUND),
    ]


RECTANGLES = """<?xml version="1.0" encoding="UTF-8"?>
<tagset><image><imageName>apanar/IMG_1261.JPG</imageName><resolution x="120" y="80"/><taggedRectangles>
 <taggedRectangle x="10.0" y="5.0" width="30.0" height="20.0" offset="0.0" rotation="0.0" userName="admin">
  <tag>Caf\u00e9 A&amp;B</tag>
 </taggedRectangle>
 <taggedRectangle x="50" y="5" width="30" height="20"/>
 <taggedRectangle x="50" y="5" width="nan" height="20"><tag>odd</tag></taggedRectangle>
</taggedRectangles></image></tagset>"""


@pytest.mark.parametrize("name", ["words.xml", "locations.xml"])
def test_icdar2003_scenes(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "src" / "SceneTrialTrain"
    write_photo(folder / "apanar" / "IMG_1261.JPG")
    (folder / name).write_text(RECTANGLES, encoding="utf-8")
    photo = "train/apanar/IMG_1261.JPG"
    assert imported("icdar2003_scenes", tmp_path / "src", "--max-dropped", "0.7") == [
        (f"icdar2003_scenes:{photo}/1", "Café A&B", photo, AROUND)
    ]
    assert rejected(tmp_path / "src") == {"degenerate_outline": 1, "missing_label": 1}


def write_art_scenes(src: Path, name: str = "train_labels.json") -> Path:
    usual = {"points": pairs(BOX), "language": "Latin", "illegibility": False}
    found = [
        {**usual, "transcription": "one"},
        {**usual, "transcription": "###", "illegibility": True},
        {**usual, "transcription": "京#", "language": "Chinese"},
        {**usual, "transcription": "far", "points": [[1, 2], [float("nan"), 2], [3, 4]]},
        {**usual, "transcription": "huge", "points": [[1, 2], [10**400, 2], [3, 4]]},
        {**usual, "transcription": "a#"},
        {**usual, "transcription": "curved", "points": pairs([10, 5, 25, 3, 40, 5, 40, 20, 25, 18, 10, 20])},
    ]
    write_photo(src / "train_images" / "gt_3.jpg")
    write_json(src / name, {"gt_3": found})
    return src


def test_art_scenes(tmp_path: Path) -> None:
    src = write_art_scenes(tmp_path / "src")
    assert imported("art_scenes", src, "--max-dropped", "0.5", "--crop", "rectify") == [
        ("art_scenes:gt_3/1", "one", "gt_3.jpg", AROUND),
        ("art_scenes:gt_3/7", "curved", "gt_3.jpg", [10, 3, 30, 17]),
    ]
    assert rejected(src) == {"degenerate_outline": 2, "doubtful_label": 1, "illegible": 1, "not_latin": 1}
    assert Dataset.open(tmp_path / "out").manifest["options"] == {
        "all_scripts": False,
        "crop": "rectify",
        "pad_px": 0,
        "store": "png",
        "without": [],
    }


def test_art_scenes_in_all_scripts(tmp_path: Path) -> None:
    src = write_art_scenes(tmp_path / "src")
    options = ("--all-scripts", "--dry-run", "--max-dropped", "0.4")
    found = numbers("import", "art_scenes", src, "-o", tmp_path / "out", *options)
    assert found["found"] == 7
    assert found["rejected_by_reason"] == {"degenerate_outline": 2, "illegible": 1}


LSVT = ["BAR", "一站式", "No#1", "Story #", "LOFTINESS*", "###", "かな"]


def write_lsvt(src: Path) -> Path:
    words = [{"transcription": text, "points": pairs(BOX), "illegibility": text == "###"} for text in LSVT]
    one = [{"transcription": "later", "points": pairs(BOX), "illegibility": False}]
    write_photo(src / "train_full_images_0" / "gt_0.jpg")
    write_photo(src / "train_full_images_1" / "gt_1.jpg")
    write_json(src / "train_full_labels.json", {"gt_0": words, "gt_1": one, "gt_2": one})
    return src


def test_lsvt(tmp_path: Path) -> None:
    src = write_lsvt(tmp_path / "src")
    assert imported("lsvt", src, "--max-dropped", "0.2") == [
        ("lsvt:gt_0/1", "BAR", "gt_0.jpg", AROUND),
        ("lsvt:gt_0/4", "Story #", "gt_0.jpg", AROUND),
        ("lsvt:gt_0/7", "かな", "gt_0.jpg", AROUND),
        ("lsvt:gt_1/1", "later", "gt_1.jpg", AROUND),
    ]
    assert rejected(src) == {"doubtful_label": 2, "illegible": 1, "missing_image": 1, "not_latin": 1}


def test_lsvt_in_all_scripts(tmp_path: Path) -> None:
    src = write_lsvt(tmp_path / "src")
    labels = [row[1] for row in imported("lsvt", src, "--all-scripts", "--max-dropped", "0.2")]
    assert labels == [text for text in LSVT if text != "###"] + ["later"]


def test_mlt19_scenes(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "ImagesPart1" / "tr_img_00001.jpg")
    write_photo(src / "ImagesPart2" / "tr_img_00002.png")
    lines = [line(BOX, "Latin", "Rue, 5"), line(BOX, "Korean", "가"), line(BOX, "Latin", "###")]
    write_lines(src / "train_gt_t13" / "tr_img_00001.txt", lines)
    write_lines(src / "train_gt_t13" / "tr_img_00002.txt", [line(BOX, "Symbols", "@")])
    write_lines(src / "train_gt_t13" / "readme.txt", ["something else"])
    assert imported("mlt19_scenes", src) == [
        ("mlt19_scenes:train/tr_img_00001.jpg/1", "Rue, 5", "train/tr_img_00001.jpg", AROUND),
        ("mlt19_scenes:train/tr_img_00002.png/1", "@", "train/tr_img_00002.png", AROUND),
    ]
    assert rejected(src) == {"illegible": 1, "not_latin": 1}


def test_rctw17(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "train_images" / "image_0.jpg")
    texts = ["0,金氏", '0,"创于1989"', '0,"Say "hi", you"', '1,"hard"', '0,"###"', "0,plain"]
    write_lines(src / "train_gts" / "image_0.txt", [line(BOX, text) for text in texts], encoding="utf-8-sig")
    photo = "train/image_0.jpg"
    assert imported("rctw17", src) == [
        (f"rctw17:{photo}/3", 'Say "hi", you', photo, AROUND),
        (f"rctw17:{photo}/6", "plain", photo, AROUND),
    ]
    assert rejected(src) == {"difficult": 1, "illegible": 1, "not_latin": 2}


def write_rects(src: Path) -> Path:
    def mark(text: str, ignore: int = 0) -> dict[str, Any]:
        return {"transcription": text, "points": BOX, "ignore": ignore}

    write_photo(src / "img" / "train_ReCTS_000001.jpg")
    lines = [mark("HOKI"), mark("店"), mark("TEA", 1), mark("###")]
    content = {"chars": [mark("H"), mark("店")], "lines": lines}
    write_json(src / "gt" / "train_ReCTS_000001.json", content)
    return src


def test_rects(tmp_path: Path) -> None:
    src = write_rects(tmp_path / "src")
    photo = "train/train_ReCTS_000001.jpg"
    assert imported("rects", src) == [(f"rects:{photo}/1", "HOKI", photo, AROUND)]
    assert rejected(src) == {"ignored": 1, "illegible": 1, "not_latin": 1}


def test_characters_of_rects_in_all_scripts(tmp_path: Path) -> None:
    src = write_rects(tmp_path / "src")
    found = imported("rects", src, "--all-scripts", "--option", "marked=chars")
    assert [row[1] for row in found] == ["H", "店"]


TOP = [10, 10, 20, 8, 30, 7, 40, 6, 50, 7, 60, 8, 70, 10]
CURVE = [*TOP, 70, 30, 60, 28, 50, 27, 40, 26, 30, 27, 20, 28, 10, 30]


def test_ctw1500_train(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "train_images" / "0001.jpg")
    box = "<box height='1' left='1' top='1' width='1'><label>{}</label><segs>{}</segs><pts>1,2</pts></box>"
    boxes = "".join(box.format(text, line(CURVE)) for text in ("NATIONAL A&amp;B", "###"))
    xml = f"<Annotations><image file='0001.jpg'>{boxes}</image></Annotations>"
    write_lines(src / "ctw1500_train_labels" / "0001.xml", [xml])
    photo = "train/0001.jpg"
    assert imported("ctw1500", src, "--crop", "rectify") == [
        (f"ctw1500:{photo}/1", "NATIONAL A&B", photo, [10, 6, 60, 24])
    ]
    assert rejected(src) == {"illegible": 1}


def test_ctw1500_test(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "test_images" / "1001.jpg")
    write_lines(src / "gt_ctw1500" / "0001001.txt", [line(CURVE, "####No, 9"), line(CURVE, "#######")])
    photo = "test/1001.jpg"
    assert imported("ctw1500", src, "--split", "test") == [
        (f"ctw1500:{photo}/1", "No, 9", photo, [10, 6, 60, 24])
    ]
    assert rejected(src) == {"illegible": 1}


TOTALTEXT = [
    "x: [[ 10  40  40 10]], y: [[ 5  5   25",
    " 25]], ornt: [u'c'], transcriptions: [u\"JERRY'S\"]",
    "x: [[10 40 40 10]], y: [[5 5 25 25]], ornt: [u'h'], transcriptions: [u'CAF\\xc9']",
    "x: [[10 40 40 10]], y: [[5 5 25 25]], ornt: [u'#'], transcriptions: [u'#']",
    "x: [[10 40 40 10]], y: [[5 5 25 25]], ornt: [], transcriptions: []",
    "x: [[10 40 40]], y: [[5 5 25 25]], ornt: [u'm'], transcriptions: [u'odd']",
]


def test_totaltext(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "Images" / "Train" / "img11.JPG")
    write_lines(src / "txt_format" / "Train" / "poly_gt_img11.txt", TOTALTEXT)
    photo = "train/img11.JPG"
    assert imported("totaltext", src, "--max-dropped", "0.4") == [
        (f"totaltext:{photo}/1", "JERRY'S", photo, AROUND),
        (f"totaltext:{photo}/2", "CAFÉ", photo, AROUND),
    ]
    assert rejected(src) == {"degenerate_outline": 1, "illegible": 2}


@pytest.mark.parametrize("variable", ["polygt", "gt"])
def test_totaltext_in_matlab_files(variable: str, tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_photo(src / "Images" / "Test" / "img1.jpg")
    table = np.empty((3, 6), object)
    for row, text in zip(table, ["ROYAL", "#", ""], strict=True):
        xs, ys = np.array([BOX[::2]], np.int16), np.array([BOX[1::2]], np.int16)
        row[:] = ["x:", xs, "y:", ys, text, "c"]
    (src / "Groundtruth" / "Polygon" / "Test").mkdir(parents=True)
    savemat(src / "Groundtruth" / "Polygon" / "Test" / "poly_gt_img1.mat", {variable: table})
    photo = "test/img1.jpg"
    assert imported("totaltext", src, "--split", "test") == [(f"totaltext:{photo}/1", "ROYAL", photo, AROUND)]
    assert rejected(src) == {"illegible": 2}
