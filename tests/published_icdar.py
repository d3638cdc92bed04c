"""Small sets in the formats of the ICDAR competitions, written by the tests that import them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from published_sets import Labels, picture, write_png

from curation.core.images import encode_jpeg

Record = Mapping[str, Any]


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def write_art(src: Path, words: Mapping[str, Record]) -> Path:
    """``train_task2_labels.json``: one record a crop; fields that ``words`` leaves out have usual values."""
    usual = {"points": [[1, 1], [9, 1], [9, 8], [1, 8]], "language": "Latin", "illegibility": False}
    for key in words:
        write_png(src / "train_task2_images" / f"{key}.jpg")
    write_json(src / "train_task2_labels.json", {key: [{**usual, **word}] for key, word in words.items()})
    return src


def write_mlt19(src: Path, words: Mapping[str, tuple[str, str]]) -> Path:
    """``gt.txt`` of task 2; each picture has a script and a label."""
    for name in words:
        write_png(src / name)
    lines = "".join(f"{name},{script},{label}\n" for name, (script, label) in words.items())
    (src / "gt.txt").write_text(lines, encoding="utf-8", newline="")
    return src


def write_icdar2003(src: Path, labels: Labels, folder: str = "TrialTrain", encoding: str = "UTF-8") -> Path:
    """``word.xml`` beside the pictures, in a folder of ``src``."""
    for name in labels:
        write_png(src / folder / name)
    images = [f"<image file={quoteattr(name)} tag={quoteattr(label)} />" for name, label in labels.items()]
    text = "\n".join([f'<?xml version="1.0" encoding="{encoding}"?>', "<imagelist>", *images, "</imagelist>"])
    (src / folder / "word.xml").write_bytes(text.encode(encoding))
    return src


def write_lines(path: Path, lines: Sequence[str], encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\r\n" for line in lines), encoding=encoding, newline="")
    return path


PHOTO = (120, 80)


def write_photo(path: Path, size: tuple[int, int] = PHOTO) -> Path:
    """A JPEG photo of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(picture(path.name, size), 95))
    return path


def quad(left: float, top: float, right: float, bottom: float) -> list[float]:
    """The corners of an upright box, clockwise from the upper left."""
    return [left, top, right, top, right, bottom, left, bottom]


def line(points: Sequence[float], *rest: str) -> str:
    """Numbers and fields, separated by commas."""
    return ",".join([*(f"{value:g}" for value in points), *rest])


def pairs(points: Sequence[float]) -> list[list[float]]:
    return [[points[i], points[i + 1]] for i in range(0, len(points), 2)]
