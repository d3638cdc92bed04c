"""COCO-Text v1.4: words cropped by the ICDAR 2017 competition, and one text file a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines


@importers.add("coco_text_v1")
@dataclass(frozen=True, kw_only=True, slots=True)
class CocoTextV1:
    """Read ``{train,val}_words_gt.txt``, lines of ``1000001,label``, beside ``{train,val}_words``.

    A label that stands between two bars, ``|5,00|``, is what is between them. The publisher's file does not
    say which photo a word is cut from.

    Source: baudm/parseq tools/coco_text_converter.py, which passes over lines without a comma in silence.
    """

    title: ClassVar[str] = "COCO-Text v1.4, cropped words of ICDAR 2017"
    source_is: ClassVar[str] = "folder with {train,val}_words_gt.txt and {train,val}_words"
    url: ClassVar[str] = "https://rrc.cvc.uab.es/?ch=5&com=downloads"
    licence: ClassVar[str] = "CC-BY-4.0"
    terms: ClassVar[str] = "The licence is of the annotations; the photos are of COCO, under Flickr's terms."
    citation: ClassVar[str] = (
        "Veit, Matera, Neumann, Matas, Belongie: COCO-Text: Dataset and Benchmark for Text Detection and "
        "Recognition in Natural Images. arXiv 1601.07140"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "val": None}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        path = _annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the label file."""
        path = _annotations(src, split)
        for number, line in text_lines(path):
            name, comma, label = line.partition(",")
            name = f"{split}_words/{name.strip()}.jpg"
            if not comma:
                yield Unusable(id=name, reason="missing_label", detail=f"line {number} has no comma")
                continue
            picture = inside(src, name, f"{path}, line {number}")
            yield Word(id=name, label=_unbarred(label.strip()), read=picture.read_bytes)


def _unbarred(label: str) -> str:
    barred = len(label) > 1 and label.startswith("|") and label.endswith("|")
    return label[1:-1] if barred else label


def _annotations(src: Path, split: str) -> Path:
    return only_file(src, [f"{split}_words_gt.txt"], "COCO-Text v1.4")
