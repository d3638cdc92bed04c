"""Published sets of rendered words, each as its publisher packs it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published_sets import failure, picture, run, write_png
from scipy.io import savemat

from curation.core.dataset import Dataset
from curation.core.images import decode, encode_jpeg
from curation.importers.curved_synthtext import _outline


def rows(out: Path, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in Dataset.open(out).table(columns).to_pylist()]


def write_photo(path: Path) -> None:
    """A JPEG of noise, 120 x 80."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(picture(path.name, (120, 80)), 95))


MJ = ["./3000/7/182_slinking_71711.jpg 71711", "./3000/7/181_Chaste_12882.jpg 12882"]


@pytest.mark.parametrize("folder", ["", "mnt/ramdisk/max/90kDICT32px"])
def test_mjsynth_labels_are_in_the_names_and_keep_their_case(folder: str, tmp_path: Path) -> None:
    src = tmp_path / "mj"
    for line in MJ:
        write_png(src / folder / line.split()[0])
    (src / folder / "annotation_val.txt").write_text("".join(f"{line}\n" for line in MJ))
    run("import", "mjsynth", src, "--split", "val", "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [
        ("mjsynth:3000/7/182_slinking_71711.jpg", "slinking"),
        ("mjsynth:3000/7/181_Chaste_12882.jpg", "Chaste"),
    ]
    assert Dataset.open(tmp_path / "out").manifest["expected"] == 802_734


def test_mjsynth_as_a_whole_and_its_damaged_pictures(tmp_path: Path) -> None:
    src = tmp_path / "mj"
    for line in MJ:
        write_png(src / line.split()[0])
    (src / "3000" / "7" / "181_Chaste_12882.jpg").write_bytes(b"\xff\xd8 cut")
    (src / "annotation.txt").write_text("\n".join(MJ))
    options = ("--option", "whole=true", "--max-dropped", "0.5")
    run("import", "mjsynth", src, "-o", tmp_path / "out", *options)
    manifest = Dataset.open(tmp_path / "out").manifest
    assert manifest["expected"] == 7_224_612 + 802_734 + 891_927
    assert manifest["rejected_by_reason"] == {"broken_image": 1}
    (src / "annotation_train.txt").write_text("./3000/7/slinking.jpg 71711\n")
    assert failure("import", "mjsynth", src, "-o", tmp_path / "b") == (
        f"{src / 'annotation_train.txt'}, line 1 is not like ./3000/7/182_slinking_71711.jpg 71711: "
        "'./3000/7/slinking.jpg 71711'. Give the publisher's own file."
    )


def quad(left: float, top: float, width: float, height: float) -> np.ndarray:
    """Corners as SynthText has them: (2, 4), x and y, clockwise from the upper left."""
    return np.array([[left, left + width, left + width, left], [top, top, top + height, top + height]])


def write_synthtext(src: Path, photos: Sequence[tuple[str, Sequence[str], Sequence[np.ndarray]]]) -> Path:
    """``gt.mat`` with cells of 1 x n, and a single box as (2, 4), the way Matlab drops the last dimension."""
    names, boxes, texts = (np.empty((1, len(photos)), object) for _ in range(3))
    for i, (name, instances, quads) in enumerate(photos):
        write_photo(src / name)
        names[0, i] = np.array([name])
        boxes[0, i] = np.stack(quads, axis=-1) if len(quads) != 1 else quads[0]
        texts[0, i] = np.array(instances)
    char_boxes = np.zeros((1, len(photos)), object)
    savemat(src / "gt.mat", {"imnames": names, "wordBB": boxes, "charBB": char_boxes, "txt": texts})
    return src


def test_synthtext_texts_are_split_at_white_space(tmp_path: Path) -> None:
    first, second = quad(10, 20, 30, 10), np.array([[50.0, 90, 92, 52], [20, 30, 40, 31]])
    photos = [
        (
            "8/ballet_106_0.jpg",
            ["Lines:\nI lost", "will"],
            [first, second, quad(1, 1, 9, 9), quad(5, 60, 40, 10)],
        ),
        ("8/ballet_106_1.jpg", ["alone"], [quad(0, 0, 20, 10)]),
        ("9/ant_1_0.jpg", ["two words"], [quad(0, 0, 20, 10)]),
        ("9/ant_1_1.jpg", ["off"], [quad(200, 200, 20, 10)]),
    ]
    src = write_synthtext(tmp_path / "SynthText", photos)
    run("import", "synthtext", src, "-o", tmp_path / "out", "--max-dropped", "0.5")
    assert rows(tmp_path / "out", "uid", "label", "width", "height", "origin_image") == [
        ("synthtext:8/ballet_106_0.jpg/1", "Lines:", 30, 10, "8/ballet_106_0.jpg"),
        ("synthtext:8/ballet_106_0.jpg/2", "I", 42, 20, "8/ballet_106_0.jpg"),
        ("synthtext:8/ballet_106_0.jpg/3", "lost", 9, 9, "8/ballet_106_0.jpg"),
        ("synthtext:8/ballet_106_0.jpg/4", "will", 40, 10, "8/ballet_106_0.jpg"),
        ("synthtext:8/ballet_106_1.jpg/1", "alone", 20, 10, "8/ballet_106_1.jpg"),
    ]
    assert rows(tmp_path / "out", "origin_box", "origin_polygon", "origin_size")[1] == (
        [50, 20, 42, 20],
        [50, 20, 90, 30, 92, 40, 52, 31],
        [120, 80],
    )
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.manifest["rejected_by_reason"] == {"box_outside": 1, "words_unlike_boxes": 1}
    crop = decode(dataset.take([0], ["image"])[0]["image"]["bytes"])
    assert np.array_equal(crop, decode((src / photos[0][0]).read_bytes())[20:30, 10:40])


def test_synthtext_files_of_another_kind(tmp_path: Path) -> None:
    src = write_synthtext(tmp_path / "st", [("1/a.jpg", ["a"], [quad(0, 0, 9, 9)])])
    savemat(src / "gt.mat", {"imnames": np.array([["1/a.jpg"]], object), "txt": np.array([["a"]], object)})
    assert failure("import", "synthtext", src, "-o", tmp_path / "out") == (
        f"{src / 'gt.mat'} has no wordBB. Give the publisher's own file."
    )
    (src / "gt.mat").write_bytes(b"no Matlab" * 40)
    assert failure("import", "synthtext", src, "-o", tmp_path / "out") == (
        f"{src / 'gt.mat'} cannot be read as a Matlab file. Unpack the publisher's archive again."
    )


def test_synthadd(tmp_path: Path) -> None:
    src = tmp_path / "SynthText_Add"
    for part in (1, 2, 10):
        write_png(src / f"crop_img_{part}" / "1_0.jpg")
    (src / "annotationlist").mkdir()
    (src / "annotationlist" / "gt_10.txt").write_text('1_0.jpg,"ten"\n')
    (src / "annotationlist" / "gt_2.txt").write_text('1_0.jpg,"a "b", c"\n')
    (src / "annotationlist" / "gt_1.txt").write_text('1_0.jpg,"%40"\n')
    run("import", "synthadd", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label") == [
        ("synthadd:crop_img_1/1_0.jpg", "%40"),
        ("synthadd:crop_img_2/1_0.jpg", 'a "b", c'),
        ("synthadd:crop_img_10/1_0.jpg", "ten"),
    ]
    (src / "annotationlist" / "gt_1.txt").write_text("1_0.jpg %40\n")
    assert failure("import", "synthadd", src, "-o", tmp_path / "b") == (
        f"{src / 'annotationlist' / 'gt_1.txt'}, line 1 is not like 1_0.jpg,\"label\": '1_0.jpg %40'. "
        "Give the publisher's own file."
    )


STRAIGHT = [10, 20, 20, 20, 30, 20, 40, 20, 40, 35, 30, 35, 20, 35, 10, 35]  # both curves as straight lines


def record(text: str, **other: Any) -> dict[str, Any]:
    codes = [ord(char) - 32 for char in text]
    return {"image_id": 7, "rec": (codes + [96] * 25)[:25], "bezier_pts": STRAIGHT} | other


def write_curved(src: Path, annotations: Sequence[dict[str, Any]]) -> Path:
    """``train.json`` of ABCNet's copy of SynText-150k."""
    images = [{"id": i, "file_name": f"{i:07d}.jpg", "width": 120, "height": 80} for i in (7, 8)]
    for image in images:
        write_photo(src / "syntext_word_eng" / image["file_name"])
    numbered = [{"id": i, "category_id": 1, **item} for i, item in enumerate(annotations)]
    (src / "train.json").write_text(
        json.dumps({"licenses": [], "images": images, "annotations": numbered, "categories": [{"id": 1}]})
    )
    return src


def test_curved_synthtext(tmp_path: Path) -> None:
    unknown = record("a?c") | {"rec": [65, 95, *[96] * 23]}
    src = write_curved(
        tmp_path / "part", [record("It's"), record("x" * 25), unknown, record("Two", image_id=8)]
    )
    run("import", "curved_synthtext", src, "-o", tmp_path / "out")
    assert rows(tmp_path / "out", "uid", "label", "origin_box", "width", "height") == [
        ("curved_synthtext:0000007.jpg/0", "It's", [10, 20, 30, 15], 30, 15),
        ("curved_synthtext:0000008.jpg/3", "Two", [10, 20, 30, 15], 30, 15),
    ]
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {"doubtful_label": 2}
    write_curved(src, [record("a", bezier_pts=[1, 2])])
    assert failure("import", "curved_synthtext", src, "-o", tmp_path / "b") == (
        f"{src / 'train.json'}, annotation 1 has no rec of indices up to 96, or no bezier_pts of 16 numbers. "
        "Give the publisher's own file."
    )
    write_curved(src, [record("a", image_id=9)])
    assert failure("import", "curved_synthtext", src, "-o", tmp_path / "b") == (
        f"{src / 'train.json'}, annotation 1 is of image 9, which is not listed. Unpack it again."
    )


def test_curves_are_sampled_from_end_to_end() -> None:
    arch = [0, 10, 0, 0, 30, 0, 30, 10, 30, 20, 20, 20, 10, 20, 0, 20]
    points = np.array(_outline(arch)).reshape(2, 8, 2)
    assert points[0, [0, -1]].tolist() == [[0, 10], [30, 10]]
    assert points[1, [0, -1]].tolist() == [[30, 20], [0, 20]]
    t = 3 / 7  # the cubic through these control points, by hand
    x, y = 30 * (3 * t**2 * (1 - t) + t**3), 10 * ((1 - t) ** 3 + t**3)
    assert points[0, 3].tolist() == pytest.approx([x, y], abs=6e-4)
