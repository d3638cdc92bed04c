"""ICDAR 2017 RCTW, reading Chinese text in the wild: photos and a text file each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.importers.annotations import ILLEGIBLE, not_latin, polygon_line
from curation.importers.base import importers, text_lines
from curation.importers.photo_files import Mark, PhotoFiles, Place, split_folders


@importers.add("rctw17")
@dataclass(frozen=True, kw_only=True, slots=True)
class Rctw17(PhotoFiles):
    """Read ``image_N.txt``, lines of ``x1,y1,...,x4,y4,difficult,"text"``, one file for each photo.

    Marks are lines of text. By default those without a Chinese character are kept, as PARSeq does with LSVT;
    difficult ones (other than 0) and ``###`` never are, as with MMOCR.

    Source: open-mmlab/mmocr tools/dataset_converters/textrecog/rctw_converter.py.

    Attributes:
        all_scripts: Keep Chinese as well.
    """

    title: ClassVar[str] = "RCTW-17, reading Chinese text in the wild"
    source_is: ClassVar[str] = "folder with image_0.txt, ... and the photos, or with folders of them"
    url: ClassVar[str] = "https://rctw.vlrlab.net/dataset/"
    licence: ClassVar[str] = "no explicit licence"
    terms: ClassVar[str] = (
        "commercial and non-commercial use, as the authors told Baek et al. (ku21fan/STR-Fewer-Labels)"
    )
    citation: ClassVar[str] = (
        "Shi et al.: ICDAR2017 Competition on Reading Chinese Text in the Wild (RCTW-17). ICDAR 2017"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}
    places: ClassVar[Mapping[str, Place]] = {
        "train": Place(
            annotations=split_folders("train", "train_gts", "gt", "annotations"),
            photos=split_folders("train", "train_images", "images", "imgs"),
            name=re.compile(r"(image_\d+)\.txt"),
            like="image_0.txt",
        ),
    }

    all_scripts: bool = False

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for number, line in text_lines(path):
            like = 'x1,y1,...,x4,y4,difficult,"text"'
            outline, (difficult, quoted) = polygon_line(path, number, line, like, 8)
            label = quoted.strip().removeprefix('"').removesuffix('"')
            yield Mark(label=label, outline=outline, reason=self._left_out(difficult.strip(), label))

    def _left_out(self, difficult: str, label: str) -> str | None:
        if label == ILLEGIBLE:
            return "illegible"
        if difficult != "0":
            return "difficult"
        return None if self.all_scripts else not_latin(label)
