"""ICDAR 2015, incidental scene text, task 4.3: cropped words and one text file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.annotations import quoted_words
from curation.importers.base import Unusable, Word, importers, only_file

TEST_FILE = "Challenge4_Test_Task3_GT.txt"


@importers.add("icdar2015")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2015:
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

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        path = _annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the label file; ``###`` marks one that nobody could read."""
        yield from quoted_words(_annotations(src, split), split)


def _annotations(src: Path, split: str) -> Path:
    names = ["gt.txt", TEST_FILE] if split == "test" else ["gt.txt"]
    return only_file(src, [f"{split}/{name}" for name in names] + names, "ICDAR 2015 task 4.3")
