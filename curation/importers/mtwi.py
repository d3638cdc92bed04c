"""ICPR 2018 MTWI, multi-type web images: pictures with a text file each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.importers.annotations import ILLEGIBLE, not_latin, polygon_line
from curation.importers.base import importers, text_lines
from curation.importers.photo_files import Mark, PhotoFiles, Place, split_folders


@importers.add("mtwi")
@dataclass(frozen=True, kw_only=True, slots=True)
class Mtwi(PhotoFiles):
    """Read lines of ``x1,y1,...,x4,y4,text``, one file for each picture and called like it.

    Marks are lines of text. ``###`` marks those that nobody could read. By default those without a Chinese
    character are kept, as PARSeq does with LSVT.

    Source: open-mmlab/mmocr tools/dataset_converters/textrecog/mtwi_converter.py.

    Attributes:
        all_scripts: Keep Chinese as well.
    """

    title: ClassVar[str] = "MTWI, ICPR 2018 multi-type web images"
    source_is: ClassVar[str] = "folder with txt_train and image_train, or with annotations and imgs"
    url: ClassVar[str] = "https://tianchi.aliyun.com/competition/entrance/231685/information"
    licence: ClassVar[str] = "CC-BY-NC-4.0"
    terms: ClassVar[str] = "licence as Mountchicken/Union14M states it"
    citation: ClassVar[str] = (
        "He et al.: ICPR2018 Contest on Robust Reading for Multi-Type Web Images. ICPR 2018"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}
    places: ClassVar[Mapping[str, Place]] = {
        "train": Place(
            annotations=split_folders("train", "txt_train", "annotations"),
            photos=split_folders("train", "image_train", "imgs"),
            name=re.compile(r"(.+)\.txt"),
            like="text file",
        ),
    }

    all_scripts: bool = False

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for number, line in text_lines(path):
            outline, (label,) = polygon_line(path, number, line, "x1,y1,...,x4,y4,text", 8)
            reason = "illegible" if label == ILLEGIBLE else None if self.all_scripts else not_latin(label)
            yield Mark(label=label, outline=outline, reason=reason)
