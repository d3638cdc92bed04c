"""ICDAR 2019 MLT, multi-lingual text: cropped words and one text file, or photos and a text file each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.annotations import ILLEGIBLE, bad_line, polygon_line
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines
from curation.importers.photo_files import Mark, PhotoFiles, Place, split_folders

LATIN = {"Latin", "Symbols"}


@importers.add("mlt19")
@dataclass(frozen=True, kw_only=True, slots=True)
class Mlt19:
    """Read ``gt.txt``, lines of ``word_1.png,Latin,label``, beside its pictures.

    By default the scripts that PARSeq trains on: Latin and Symbols.

    Source: baudm/parseq tools/mlt19_converter.py.

    Attributes:
        all_scripts: Keep every script.
    """

    title: ClassVar[str] = "MLT-2019, ICDAR 2019 multi-lingual text, cropped words (task 2)"
    source_is: ClassVar[str] = "folder with gt.txt and the pictures"
    url: ClassVar[str] = "https://rrc.cvc.uab.es/?ch=15&com=downloads"
    licence: ClassVar[str] = "CC-BY-4.0"
    terms: ClassVar[str] = "CC BY 4.0 by ku21fan/STR-Fewer-Labels, CC BY-NC 4.0 by Mountchicken/Union14M"
    citation: ClassVar[str] = (
        "Nayef et al.: ICDAR2019 Robust Reading Challenge on Multi-lingual Scene Text Detection and "
        "Recognition - RRC-MLT-2019. ICDAR 2019"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": 89_177}

    all_scripts: bool = False

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        path = _annotations(src)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the label file; commas after the second belong to the label."""
        path = _annotations(src)
        for number, line in text_lines(path):
            name, *rest = line.split(",", 2)
            if len(rest) != 2:
                raise bad_line(path, number, "word_1.png,script,label", line)
            script, label = rest[0].strip(), rest[1].strip()
            picture = inside(path.parent, name, f"{path}, line {number}")
            if (reason := _left_out(script, label, self.all_scripts)) is not None:
                yield Unusable(id=name, reason=reason, detail=f"{script}: {label}")
            else:
                yield Word(id=name, label=label, read=picture.read_bytes)


def _left_out(script: str, label: str, all_scripts: bool) -> str | None:
    if label == ILLEGIBLE:
        return "illegible"
    return "not_latin" if script not in LATIN and not all_scripts else None


def _annotations(src: Path) -> Path:
    return only_file(src, ["gt.txt"], "MLT-2019 task 2")


@importers.add("mlt19_scenes")
@dataclass(frozen=True, kw_only=True, slots=True)
class Mlt19Scenes(PhotoFiles):
    """Read ``tr_img_00001.txt``, lines of ``x1,y1,...,x4,y4,script,text``, one file for each photo.

    Commas after the ninth belong to the text, and ``###`` marks words that nobody could read. By default the
    scripts that PARSeq trains on: Latin and Symbols. The files lie in the folders into which the publisher's
    archives are unpacked, in one called ``train``, or in SRC.

    Attributes:
        all_scripts: Keep every script.
    """

    title: ClassVar[str] = "MLT-2019, ICDAR 2019 multi-lingual text, photos (task 1)"
    source_is: ClassVar[str] = "folder with tr_img_00001.txt, ... and the photos"
    url: ClassVar[str] = Mlt19.url
    licence: ClassVar[str] = Mlt19.licence
    terms: ClassVar[str] = Mlt19.terms
    citation: ClassVar[str] = Mlt19.citation
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}
    places: ClassVar[Mapping[str, Place]] = {
        "train": Place(
            annotations=split_folders("train", "train_gt_t13"),
            photos=split_folders("train", "ImagesPart1", "ImagesPart2", "Images"),
            name=re.compile(r"(?:gt_)?((?:tr_)?img_\d+)\.txt"),
            like="tr_img_00001.txt",
        ),
    }

    all_scripts: bool = False

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for number, line in text_lines(path):
            outline, fields = polygon_line(path, number, line, "x1,y1,...,x4,y4,script,text", 8)
            script, label = (field.strip() for field in fields)
            yield Mark(label=label, outline=outline, reason=_left_out(script, label, self.all_scripts))
