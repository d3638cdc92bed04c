"""Small sets of whole photos with outlined words in their publishers' formats, written by the tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from published_sets import picture

from curation.core.dataset import Dataset
from curation.core.images import encode_jpeg
from curation.cropping import corners

SIZE = (120, 80)
Fields = dict[str, Any]
Photos = Mapping[str, Sequence[Fields]]  # a photo's name -> its words: fields of the format, box included


def write_photo(path: Path) -> None:
    """A JPEG photo of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(picture(path.name, SIZE), 95))


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def coco_word(label: str, box: Sequence[float] = (10, 5, 30, 20), **other: Any) -> Fields:
    """A word of COCO-Text v2: legible, English and machine printed unless ``other`` says more."""
    return {
        "utf8_string": label,
        "bbox": list(box),
        "mask": list(corners((box[0], box[1], box[2], box[3]))),
        "legibility": "legible",
        "language": "english",
        "class": "machine printed",
        "area": box[2] * box[3],
        **other,
    }


def write_coco_text_v2(src: Path, photos: Photos, sets: Mapping[str, str] | None = None) -> Path:
    """``cocotext.v2.json`` and ``train2014``; ``sets`` names the splits of photos not for training."""
    imgs, anns, of = {}, {}, {}
    for name, words in photos.items():
        write_photo(src / "train2014" / name)
        number = int(name[-16:-4])
        split = (sets or {}).get(name, "train")
        imgs[str(number)] = {"id": number, "file_name": name, "width": 120, "height": 80, "set": split}
        of[str(number)] = []
        for word in words:
            anns[str(1_000_000 + len(anns))] = {"id": 1_000_000 + len(anns), "image_id": number, **word}
            of[str(number)].append(999_999 + len(anns))
    tables = {"cats": {}, "anns": anns, "imgs": imgs, "imgToAnns": of, "info": {}}
    write_json(src / "cocotext.v2.json", tables)
    return src


def textocr_word(label: str, box: Sequence[float] = (10, 5, 30, 20), **other: Any) -> Fields:
    points = list(corners((box[0], box[1], box[2], box[3])))
    return {"utf8_string": label, "bbox": list(box), "points": points, "area": box[2] * box[3], **other}


def write_textocr(src: Path, photos: Photos, split: str = "train") -> Path:
    """``TextOCR_0.1_<split>.json``, whose photos are unpacked to ``train_images``."""
    imgs, anns = {}, {}
    for name, words in photos.items():
        write_photo(src / "train_images" / f"{name}.jpg")
        imgs[name] = {"id": name, "width": 120, "height": 80, "set": split, "file_name": f"train/{name}.jpg"}
        for i, word in enumerate(words, 1):
            anns[f"{name}_{i}"] = {"id": f"{name}_{i}", "image_id": name, **word}
    of = {name: [f"{name}_{i}" for i, _ in enumerate(words, 1)] for name, words in photos.items()}
    write_json(src / f"TextOCR_0.1_{split}.json", {"imgs": imgs, "anns": anns, "imgToAnns": of})
    return src


def openvino_word(
    label: str,
    box: Sequence[float] = (10, 5, 30, 20),
    *,
    legible: bool = True,
    language: str = "english",
    **other: Any,
) -> Fields:
    return {
        "bbox": list(box),
        "segmentation": [list(corners((box[0], box[1], box[2], box[3])))],
        "attributes": {"transcription": label, "legible": legible, "language": language},
        "iscrowd": 0,
        "category_id": 1,
        **other,
    }


def write_openvino(src: Path, part: str, photos: Photos) -> Path:
    """``text_spotting_openimages_v5_<part>.json``, its annotations in no order of photos."""
    images, annotations = [], []
    for number, (name, words) in enumerate(photos.items(), 1):
        write_photo(src / name)
        images.append({"id": number, "file_name": name, "width": 120, "height": 80})
        annotations += [{"image_id": number, **word} for word in words]
    annotations.sort(key=lambda word: str(word["attributes"]))
    for number, word in enumerate(annotations, 1):
        word["id"] = number
    tables = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "text"}]}
    write_json(src / f"text_spotting_openimages_v5_{part}.json", tables)
    return src


def hiertext_word(
    text: str, box: Sequence[float] = (10, 5, 30, 20), *, legible: bool = True, **other: Any
) -> Fields:
    flat = corners((box[0], box[1], box[2], box[3]))
    vertices = [[flat[i], flat[i + 1]] for i in range(0, 8, 2)]
    marks = {"legible": legible, "handwritten": False, "vertical": False}
    return {"vertices": vertices, "text": text, **marks, **other}


def write_hiertext(
    src: Path,
    photos: Mapping[str, Sequence[Sequence[Fields]]],
    *,
    form: str = "jsonl.gz",
    split: str = "train",
) -> Path:
    """``gt/<split>.jsonl.gz``; each photo has lines of words, all in one paragraph.

    ``form`` "jsonl" is not packed, "indented" neither and of many lines, "lines" has a photo on each line.
    """
    annotations = []
    for name, lines in photos.items():
        write_photo(src / split / f"{name}.jpg")
        found = [{"words": list(words), "text": "", "legible": True, "vertices": []} for words in lines]
        paragraphs = [{"vertices": [], "legible": True, "lines": found}]
        annotations.append(
            {"image_id": name, "image_width": 120, "image_height": 80, "paragraphs": paragraphs}
        )
    document = {"info": {"date": "", "version": ""}, "annotations": annotations}
    text = json.dumps(document, indent=1 if form == "indented" else None)
    if form == "lines":
        text = "\n".join(map(json.dumps, annotations)) + "\n"
    (src / "gt").mkdir(parents=True, exist_ok=True)
    if form == "jsonl.gz":
        (src / "gt" / f"{split}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (src / "gt" / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return src


def write_coco_text_v1(src: Path, words: Mapping[str, str], split: str = "train") -> Path:
    """``train_words_gt.txt`` of lines ``id,label`` beside ``train_words``."""
    for number in words:
        write_photo(src / f"{split}_words" / f"{number}.jpg")
    text = "".join(f"{number},{label}\r\n" for number, label in words.items())
    (src / f"{split}_words_gt.txt").write_text(text, encoding="utf-8", newline="")
    return src


def rows(out: Path, *columns: str) -> list[tuple[Any, ...]]:
    """The named columns of a dataset."""
    return [tuple(row.values()) for row in Dataset.open(out).table(columns).to_pylist()]


def rejects(out: Path) -> list[tuple[str, str, str]]:
    """Uid, reason and detail of what a dataset left out."""
    found = pq.read_table(out / "rejects.parquet").to_pylist()
    return [(row["uid"], row["reason"], row["detail"]) for row in found]
