"""ICDAR 2013, focused scene text: cropped words and one text file, or photos and a text file each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.importers.annotations import ESCAPED, ILLEGIBLE, bad_line, coordinates
from curation.importers.base import importers, text_lines
from curation.importers.photo_files import Mark, PhotoFiles, Place, split_folders
from curation.importers.quoted_crops import QuotedCrops

SCENE_LINE = re.compile(r"\s*" + r"([^\s,]+),?\s+" * 4 + r'"(.*)"\s*')


@importers.add("icdar2013")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2013(QuotedCrops):
    """Read ``gt.txt``, lines of ``word_1.png, "PROPER"``, beside its pictures.

    It lies in SRC or in a folder of SRC called like the split. The test set is the whole one: evaluations on
    1,015 words leave out those with a sign that is neither letter nor digit, those on 857 also words shorter
    than three characters.
    """

    title: ClassVar[str] = "ICDAR 2013 focused scene text, cropped words (task 2.3)"
    source_is: ClassVar[str] = "folder with gt.txt (test: Challenge2_Test_Task3_GT.txt) and the pictures"
    url: ClassVar[str] = "https://rrc.cvc.uab.es/?ch=2&com=downloads"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = "Karatzas et al.: ICDAR 2013 Robust Reading Competition. ICDAR 2013"
    expected: ClassVar[Mapping[str, int | None]] = {"train": 848, "test": 1_095}
    checksums: ClassVar[Mapping[str, str]] = {
        "Challenge2_Training_Task3_Images_GT.zip": "md5:6f0dbc823645968030878df7543f40a4",
        "Challenge2_Test_Task3_Images.zip": "md5:3206778eebb3a5c5cc15c249010bf77f",
        "Challenge2_Test_Task3_GT.txt": "md5:2634060ed8fe6e7a4a9b8d68785835a1",
    }
    what: ClassVar[str] = "ICDAR 2013 task 2.3"
    test_file: ClassVar[str] = "Challenge2_Test_Task3_GT.txt"


@importers.add("icdar2013_scenes")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2013Scenes(PhotoFiles):
    """Read lines of left, top, right, bottom and ``"text"``, one file for each photo.

    Train has ``gt_100.txt`` with spaces between the numbers, test ``gt_img_1.txt`` with commas as well. The
    files lie in the folders into which the publisher's archives are unpacked, in one called like the split,
    or in SRC.
    """

    title: ClassVar[str] = "ICDAR 2013 focused scene text, photos (task 2.1)"
    source_is: ClassVar[str] = "folder with gt_100.txt (test: gt_img_1.txt), ... and the photos"
    url: ClassVar[str] = Icdar2013.url
    licence: ClassVar[str] = Icdar2013.licence
    citation: ClassVar[str] = Icdar2013.citation
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "test": 1_095}
    checksums: ClassVar[Mapping[str, str]] = {
        "Challenge2_Training_Task12_Images.zip": "md5:a443b9649fda4229c9bc52751bad08fb",
        "Challenge2_Training_Task1_GT.zip": "md5:f3a425284a66cd67f455d389c972cce4",
        "Challenge2_Test_Task12_Images.zip": "md5:af2e9f070c4c6a1c7bdb7b36bacf23e3",
        "Challenge2_Test_Task1_GT.zip": "md5:3191c34cd6ac28b60f5a7db7030190fb",
    }
    places: ClassVar[Mapping[str, Place]] = {
        "train": Place(
            annotations=split_folders("train", "Challenge2_Training_Task1_GT"),
            photos=split_folders("train", "Challenge2_Training_Task12_Images"),
            name=re.compile(r"gt_(\d+)\.txt"),
            like="gt_100.txt",
        ),
        "test": Place(
            annotations=split_folders("test", "Challenge2_Test_Task1_GT"),
            photos=split_folders("test", "Challenge2_Test_Task12_Images"),
            name=re.compile(r"gt_(img_\d+)\.txt"),
            like="gt_img_1.txt",
        ),
    }

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for number, line in text_lines(path):
            found = SCENE_LINE.fullmatch(line)
            corners = coordinates(found.groups()[:4]) if found else None
            if found is None or corners is None:
                raise bad_line(path, number, '158 128 411 181 "text"', line)
            left, top, right, bottom = corners
            label = ESCAPED.sub(r"\1", found[5])
            reason = "illegible" if label == ILLEGIBLE else None
            yield Mark(label=label, box=(left, top, right - left, bottom - top), reason=reason)
