"""CUTE80: curved words, cropped, and one text file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines


@importers.add("cute80")
@dataclass(frozen=True, kw_only=True, slots=True)
class Cute80:
    """Read lines of ``timage/001.jpg RONALDO 1 RONALDO``.

    The labels are those that were published, with their typos: DTRB and MMOCR use a mended list, under which
    some of the same pictures have other labels. Import such a list as ``tsv``.
    """

    title: ClassVar[str] = "CUTE80"
    source_is: ClassVar[str] = "folder with gt.txt or test_label.txt, and timage"
    url: ClassVar[str] = "http://cs-chan.com/downloads_CUTE80_dataset.html"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = (
        "Risnumawan, Shivakumara, Chan, Tan: A Robust Arbitrary Text Detection System for Natural Scene "
        "Images. Expert Systems with Applications 41(18), 2014"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"test": 288}
    checksums: ClassVar[Mapping[str, str]] = {  # MMOCR's copy
        "timage.tar.gz": "md5:9f3b1fe0e76f1fdfc70de3a365603d5e",
        "test_label.txt": "md5:f679dec62916d3268aff9cd81990d260",
    }

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        path = _annotations(src)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the label file; the first of the two labels counts."""
        path = _annotations(src)
        for number, line in text_lines(path):
            fields = line.split()
            if len(fields) != 4:
                raise UserError(
                    f"{path}, line {number} is not like timage/001.jpg RONALDO 1 RONALDO: {line[:60]!r}. "
                    "Give the publisher's own file."
                )
            picture = inside(src, fields[0], f"{path}, line {number}")
            yield Word(id=fields[0], label=fields[1], read=picture.read_bytes)


def _annotations(src: Path) -> Path:
    return only_file(src, ["gt.txt", "test_label.txt"], "CUTE80")
