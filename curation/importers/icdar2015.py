"""ICDAR 2015, incidental scene text, task 4.3: cropped words and one text file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines

LINE = re.compile(r'\s*([^,]+?)\s*,\s*"(.*)"\s*')
ESCAPED = re.compile(r'\\(["\\])')
ILLEGIBLE = "###"
TEST_FILE = "Challenge4_Test_Task3_GT.txt"


@importers.add("icdar2015")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2015:
    """Read ``gt.txt``, lines of ``word_1.png, "Genaxis Theatre"``, beside its pictures.

    It lies in SRC or in a folder of SRC called like the split. The label ends at the line's last quote, and
    a quote inside it has a backslash before it. ``coords.txt`` gives the word's outline within the crop,
    not within the photo, so the origin stays unknown.
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
        path = _annotations(src, split)
        for number, line in text_lines(path):
            if not (found := LINE.fullmatch(line)):
                raise UserError(
                    f'{path}, line {number} is not like word_1.png, "label": {line[:60]!r}. '
                    "Give the publisher's own file."
                )
            name, label = found[1], ESCAPED.sub(r"\1", found[2])
            picture = inside(path.parent, name, f"{path}, line {number}")
            if label == ILLEGIBLE:
                yield Unusable(id=f"{split}/{name}", reason="illegible", detail=label)
            else:  # the two splits use the same names
                yield Word(id=f"{split}/{name}", label=label, read=picture.read_bytes)


def _annotations(src: Path, split: str) -> Path:
    names = ["gt.txt", TEST_FILE] if split == "test" else ["gt.txt"]
    return only_file(src, [f"{split}/{name}" for name in names] + names, "ICDAR 2015 task 4.3")
