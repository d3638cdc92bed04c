"""ICDAR 2015, incidental scene text: cropped words and one text file, or photos and a text file each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.importers.annotations import ILLEGIBLE, polygon_line
from curation.importers.base import importers, text_lines
from curation.importers.photo_files import Mark, PhotoFiles, Place, split_folders
from curation.importers.quoted_crops import QuotedCrops

SCENE_FILE = re.compile(r"gt_(img_\d+)\.txt")


@importers.add("icdar2015")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2015(QuotedCrops):
    """Read ``gt.txt``, lines of ``word_1.png, "Genaxis Theatre"``, beside its pictures.

    It lies in SRC or in a folder of SRC called like the split. ``coords.txt`` gives the word's outline within
    the crop, not within the photo, so the origin stays unknown.
    """

    title: ClassVar[str] = "ICDAR 2015 incidental scene text, cropped words (task 4.3)"
    source_is: ClassVar[str] = "folder with gt.txt and the pictures"
    url: ClassVar[str] = "https://rrc.cvc.uab.es/?ch=4&com=downloads"
    licence: ClassVar[str] = "CC-BY-4.0"
    citation: ClassVar[str] = "Karatzas et al.: ICDAR 2015 Competition on Robust Reading. ICDAR 2015"
    expected: ClassVar[Mapping[str, int]] = {"train": 4_468, "test": 2_077}
    checksums: ClassVar[Mapping[str, str]] = {
        "ch4_training_word_images_gt.zip": "md5:600caf8c6a64a3dcf638839820edcca9"
    }
    what: ClassVar[str] = "ICDAR 2015 task 4.3"
    test_file: ClassVar[str] = "Challenge4_Test_Task3_GT.txt"


@importers.add("icdar2015_scenes")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2015Scenes(PhotoFiles):
    """Read ``gt_img_N.txt``, lines of ``x1,y1,...,x4,y4,text``, one file for each photo.

    Commas after the eighth belong to the text, and ``###`` marks words that nobody could read. The files lie
    in the folders into which the publisher's archives are unpacked, in one called like the split, or in SRC.
    """

    title: ClassVar[str] = "ICDAR 2015 incidental scene text, photos (tasks 4.1 and 4.4)"
    source_is: ClassVar[str] = "folder with gt_img_N.txt and the photos"
    url: ClassVar[str] = Icdar2015.url
    licence: ClassVar[str] = Icdar2015.licence
    citation: ClassVar[str] = Icdar2015.citation
    expected: ClassVar[Mapping[str, int | None]] = {"train": 11_886, "test": 5_230}
    checksums: ClassVar[Mapping[str, str]] = {
        "ch4_training_images.zip": "md5:c51cbace155dcc4d98c8dd19d378f30d",
        "ch4_test_images.zip": "md5:97e4c1ddcf074ffcc75feff2b63c35dd",
        "ch4_training_localization_transcription_gt.zip": "md5:3bfaf1988960909014f7987d2343060b",
        "Challenge4_Test_Task4_GT.zip": "md5:8bce173b06d164b98c357b0eb96ef430",
    }
    places: ClassVar[Mapping[str, Place]] = {
        "train": Place(
            annotations=split_folders("train", "ch4_training_localization_transcription_gt"),
            photos=split_folders("train", "ch4_training_images"),
            name=SCENE_FILE,
            like="gt_img_1.txt",
        ),
        "test": Place(
            annotations=split_folders("test", "Challenge4_Test_Task4_GT", "Challenge4_Test_Task1_GT"),
            photos=split_folders("test", "ch4_test_images"),
            name=SCENE_FILE,
            like="gt_img_1.txt",
        ),
    }

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for number, line in text_lines(path):
            outline, (label,) = polygon_line(path, number, line, "x1,y1,...,x4,y4,text", 8)
            yield Mark(label=label, outline=outline, reason="illegible" if label == ILLEGIBLE else None)
