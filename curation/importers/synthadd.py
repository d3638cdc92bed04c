"""SynthAdd: 1.2 million rendered words that make up for the marks and digits that other sets lack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, text_lines

LINE = re.compile(r'([^,]+),\s*"(.*)"\s*')
FILE = re.compile(r"gt_(\d+)\.txt")


@importers.add("synthadd")
@dataclass(frozen=True, kw_only=True, slots=True)
class SynthAdd:
    """Read ``annotationlist/gt_1.txt`` and so on, lines of ``1_0.jpg,"label"``, beside ``crop_img_1``, ...

    MMOCR's list of the same pictures is read as ``tsv`` with ``separator=space``.
    """

    title: ClassVar[str] = "SynthAdd"
    source_is: ClassVar[str] = "folder SynthText_Add with annotationlist and crop_img_1, crop_img_2, ..."
    url: ClassVar[str] = "https://github.com/wangpengnorman/SAR-Strong-Baseline-for-Text-Recognition"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = (
        "Li, Wang, Shen, Zhang: Show, Attend and Read: A Simple and Strong Baseline for Irregular Text "
        "Recognition. AAAI 2019"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label files."""
        return {path.name: sha256_file(path) for _, path in _files(src)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words file by file, in the order of their numbers."""
        for part, path in _files(src):
            for number, line in text_lines(path):
                where = f"{path}, line {number}"
                if not (found := LINE.fullmatch(line)):
                    raise UserError(
                        f'{where} is not like 1_0.jpg,"label": {line[:60]!r}. Give the publisher\'s own file.'
                    )
                name = f"crop_img_{part}/{found[1]}"
                yield Word(id=name, label=found[2], read=inside(src, name, where).read_bytes)


def _files(src: Path) -> list[tuple[int, Path]]:
    if not src.is_dir():
        raise UserError(f"folder {src} {not_a_folder(src)}. Give the folder SynthText_Add.")
    found = ((FILE.fullmatch(path.name), path) for path in src.glob("annotationlist/gt_*.txt"))
    files = sorted((int(match[1]), path) for match, path in found if match)
    if not files:
        raise UserError(f"{src} holds no annotationlist/gt_1.txt. Give the folder SynthText_Add.")
    return files
