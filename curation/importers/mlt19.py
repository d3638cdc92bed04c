"""ICDAR 2019 MLT, multi-lingual text, task 2: cropped words and one text file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.annotations import ILLEGIBLE, bad_line
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines

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
            if label == ILLEGIBLE:
                yield Unusable(id=name, reason="illegible", detail=label)
            elif script not in LATIN and not self.all_scripts:
                yield Unusable(id=name, reason="not_latin", detail=script)
            else:
                yield Word(id=name, label=label, read=picture.read_bytes)


def _annotations(src: Path) -> Path:
    return only_file(src, ["gt.txt"], "MLT-2019 task 2")
