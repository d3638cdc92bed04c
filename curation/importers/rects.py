"""ICDAR 2019 ReCTS, Chinese text on signboards: photos and a JSON file each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from curation.importers.annotations import ILLEGIBLE, get, not_latin, read_json
from curation.importers.base import importers
from curation.importers.photo_files import Mark, PhotoFiles, Place, split_folders
from curation.importers.photos import numbers


@importers.add("rects")
@dataclass(frozen=True, kw_only=True, slots=True)
class Rects(PhotoFiles):
    """Read ``gt/train_ReCTS_000001.json``, lists of lines and of characters, beside the folder ``img``.

    By default the lines without a Chinese character are kept, as PARSeq does with LSVT; those to be ignored
    and ``###`` never are, as with MMOCR.

    Source: open-mmlab/mmocr tools/dataset_converters/textrecog/rects_converter.py.

    Attributes:
        all_scripts: Keep Chinese as well.
        marked: Which of the two lists to cut out.
    """

    title: ClassVar[str] = "ReCTS, ICDAR 2019 reading Chinese text on signboards"
    source_is: ClassVar[str] = "folder with the folders gt (train_ReCTS_000001.json, ...) and img"
    url: ClassVar[str] = "https://rrc.cvc.uab.es/?ch=12&com=downloads"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = (
        "Zhang et al.: ICDAR 2019 Robust Reading Challenge on Reading Chinese Text on Signboard. ICDAR 2019"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}
    places: ClassVar[Mapping[str, Place]] = {
        "train": Place(
            annotations=split_folders("train", "gt", "gt_unicode", "ReCTS/gt", "ReCTS/gt_unicode"),
            photos=split_folders("train", "img", "ReCTS/img"),
            name=re.compile(r"(train_ReCTS_\d+)\.json"),
            like="gt/train_ReCTS_000001.json",
        ),
    }

    all_scripts: bool = False
    marked: Literal["lines", "chars"] = "lines"

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for i, record in enumerate(get(read_json(path), self.marked, list, str(path)), 1):
            where = f"{path}, {self.marked} {i}"
            label = get(record, "transcription", str, where)
            outline = numbers(get(record, "points", list, where), f"{where}, points")
            ignore = bool(get(record, "ignore", (bool, int), where))
            yield Mark(label=label, outline=outline, reason=self._left_out(ignore, label))

    def _left_out(self, ignore: bool, label: str) -> str | None:
        if label == ILLEGIBLE:
            return "illegible"
        if ignore:
            return "ignored"
        return None if self.all_scripts else not_latin(label)
