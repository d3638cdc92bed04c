"""SCUT-CTW1500, curved text: photos, with an XML file each for training and a text file each for the test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.importers.annotations import ILLEGIBLE, OWN, coordinates, polygon_line, read_xml
from curation.importers.base import importers, text_lines
from curation.importers.photo_files import Mark, PhotoFiles, Place, split_folders

POINTS = 14
LIKE = "x1,y1,...,x14,y14,####text"


@importers.add("ctw1500")
@dataclass(frozen=True, kw_only=True, slots=True)
class Ctw1500(PhotoFiles):
    """Read outlines of 14 points with their text, one file for each photo.

    Train has ``0001.xml``, where a ``box`` has a ``label`` and ``segs`` of 28 numbers. Test has
    ``0001001.txt`` for the photo ``1001.jpg``, lines of 28 numbers and ``####text``. Marks are lines of text.
    ``###`` marks what nobody could read, and Chinese.

    Source: open-mmlab/mmocr mmocr/datasets/preparers/parsers/ctw1500_parser.py.
    """

    title: ClassVar[str] = "SCUT-CTW1500, curved text"
    source_is: ClassVar[str] = (
        "folder with ctw1500_train_labels and train_images, or gt_ctw1500 and test_images"
    )
    url: ClassVar[str] = "https://github.com/Yuliang-Liu/Curve-Text-Detector"
    licence: ClassVar[str] = "non-commercial research only"
    citation: ClassVar[str] = (
        "Liu et al.: Curved Scene Text Detection via Transverse and Longitudinal Sequence Connection. "
        "Pattern Recognition 90, 2019"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "test": None}
    places: ClassVar[Mapping[str, Place]] = {
        "train": Place(
            annotations=split_folders("train", "ctw1500_train_labels"),
            photos=split_folders("train", "train_images", "train/text_image"),
            name=re.compile(r"(\d{4})\.xml"),
            like="0001.xml",
        ),
        "test": Place(
            annotations=split_folders("test", "gt_ctw1500"),
            photos=split_folders("test", "test_images", "test/text_image"),
            name=re.compile(r"000(\d{4})\.txt"),
            like="0001001.txt",
        ),
    }

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for label, outline in _of_xml(path) if path.suffix == ".xml" else _of_lines(path):
            yield Mark(label=label, outline=outline, reason="illegible" if label == ILLEGIBLE else None)


def _of_xml(path: Path) -> Iterator[tuple[str, tuple[float, ...]]]:
    for number, box in enumerate(read_xml(path).iter("box"), 1):
        texts = (box.findtext("segs") or "").strip().split(",")
        outline = coordinates(texts)
        if outline is None or len(outline) != 2 * POINTS:
            found = ",".join(texts)[:60]
            raise UserError(f"{path}, box {number} has no segs of {2 * POINTS} numbers: got {found!r}. {OWN}")
        yield (box.findtext("label") or "").strip(), outline


def _of_lines(path: Path) -> Iterator[tuple[str, tuple[float, ...]]]:
    for number, line in text_lines(path):
        outline, (text,) = polygon_line(path, number, line, LIKE, 2 * POINTS)
        yield text.removeprefix("####"), outline
