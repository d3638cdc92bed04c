"""COCO-Text v2: photos of COCO 2014, and one JSON file for all splits."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.annotations import get
from curation.importers.base import Unusable, Word, importers, only_file
from curation.importers.coco_api import photos_and_words
from curation.importers.photos import Photos, first_of, numbers

ID = re.compile(r"_(\d{12})\.")  # COCO_train2014_000000492314.jpg


@importers.add("coco_text_v2")
@dataclass(frozen=True, kw_only=True, slots=True)
class CocoTextV2(Photos):
    """Read ``cocotext.v2.json`` beside the folder ``train2014`` of COCO, which holds all its photos.

    By default what PARSeq trains on: machine-printed, English and legible words, without those that have a
    number sign among other characters or an asterisk at an end, and 2 pixels added on every side. Labels
    are freed of HTML's escapes (``&amp;``); where that changes one, ``label_published`` keeps it.

    Source: baudm/parseq tools/coco_2_converter.py.

    Attributes:
        all_scripts: Keep every legible word, whatever its language, hand and signs.
    """

    title: ClassVar[str] = "COCO-Text v2"
    source_is: ClassVar[str] = "folder with cocotext.v2.json and train2014; words are cut out"
    url: ClassVar[str] = "https://bgshih.github.io/cocotext/"
    licence: ClassVar[str] = "CC-BY-4.0"
    terms: ClassVar[str] = "The licence is of the annotations; the photos are of COCO, under Flickr's terms."
    citation: ClassVar[str] = (
        "Veit, Matera, Neumann, Matas, Belongie: COCO-Text: Dataset and Benchmark for Text Detection and "
        "Recognition in Natural Images. arXiv 1601.07140"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "val": None}
    checksums: ClassVar[Mapping[str, str]] = {
        "cocotext.v2.zip": "md5:5e39f7d6f2f11324c6451e63523c440c",
        "train2014.zip": "md5:0da8c0bd3d6becc4dcb32757491aca88",
    }

    pad_px: int = 2
    all_scripts: bool = False

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the JSON file."""
        path = _annotations(src)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the JSON file."""
        path = _annotations(src)
        for number, record, words in photos_and_words(path):
            where = f"{path}, imgs {number}"
            if get(record, "set", str, where) != split:
                continue
            name = record["file_name"]
            found = ID.search(name)
            photo = self.photo(
                first_of(src, [f"train2014/{name}", name], where),
                origin=f"coco:{found[1]}" if found else name,
            )
            for word, fields in words:
                where = f"{path}, anns {word}"
                label, reason = judge(fields, where, self.all_scripts)
                if reason is not None:
                    yield Unusable(id=word, reason=reason, detail=label)
                    continue
                yield photo.word(
                    id=word,
                    label=label,
                    label_published=fields["utf8_string"],
                    box=numbers(get(fields, "bbox", list, where), f"{where}, bbox"),
                    outline=numbers(fields["mask"], f"{where}, mask") if "mask" in fields else None,
                )


def judge(fields: dict[str, Any], where: str, all_scripts: bool) -> tuple[str, str | None]:
    """The label of a word, and why it is left out or None."""
    legible = get(fields, "legibility", str, where) == "legible"
    if not legible and "utf8_string" not in fields:
        return "", "illegible"
    label = html.unescape(get(fields, "utf8_string", str, where).strip())
    if not legible or not label:
        return label, "illegible"
    if all_scripts:
        return label, None
    if get(fields, "class", str, where) != "machine printed":
        return label, "not_machine_printed"
    if get(fields, "language", str, where) != "english":
        return label, "not_english"
    doubtful = ("#" in label and label != "#") or label.startswith("*") or label.endswith("*")
    return label, "doubtful_label" if doubtful else None


def _annotations(src: Path) -> Path:
    return only_file(src, ["cocotext.v2.json"], "COCO-Text v2")
