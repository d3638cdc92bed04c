"""Street View Text Perspective: word images and one text file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines


@importers.add("svtp")
@dataclass(frozen=True, kw_only=True, slots=True)
class Svtp:
    """Read ``gt.txt``, lines of ``13_15_0_par.jpg WYNDHAM``, beside the pictures or their folder ``par1``."""

    title: ClassVar[str] = "Street View Text Perspective"
    source_is: ClassVar[str] = "folder with gt.txt and the pictures, or a folder par1 of them"
    url: ClassVar[str] = "http://www.comp.nus.edu.sg/~phanquyt/"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = (
        "Phan, Shivakumara, Tian, Tan: Recognizing Text with Perspective Distortion in Natural Scenes. "
        "ICCV 2013"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"test": 645}
    checksums: ClassVar[Mapping[str, str]] = {
        "svtp.zip": "md5:4232b46c81ba99eea6d057dcb06b8f75"
    }  # MMOCR's copy

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        path = _annotations(src)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the label file."""
        path = _annotations(src)
        folder = src / "par1" if (src / "par1").is_dir() else src
        for number, line in text_lines(path):
            name, space, label = line.partition(" ")
            if not space:
                raise UserError(
                    f"{path}, line {number} is not like 13_15_0_par.jpg WYNDHAM: {line[:60]!r}. "
                    "Give the publisher's own file."
                )
            picture = inside(folder, name, f"{path}, line {number}")
            yield Word(id=name, label=label.strip(), read=picture.read_bytes)


def _annotations(src: Path) -> Path:
    return only_file(src, ["gt.txt", "test_label.txt"], "Street View Text Perspective")
