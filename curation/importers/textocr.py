"""TextOCR: photos of Open Images with outlined words, one JSON file a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.annotations import get
from curation.importers.base import Unusable, Word, importers, only_file
from curation.importers.coco_api import photos_and_words
from curation.importers.photos import Photos, first_of, numbers, open_images

ILLEGIBLE = "."  # or not English: TextOCR has one mark for both, and for a full stop


@importers.add("textocr")
@dataclass(frozen=True, kw_only=True, slots=True)
class TextOcr(Photos):
    """Read ``TextOCR_0.1_{train,val}.json`` beside the folder ``train_images`` (or ``train``).

    A box is left, top, width and height; some descriptions of the format say otherwise. The outline begins
    at the upper left of the text in its own direction and goes clockwise.

    Source: baudm/parseq tools/textocr_converter.py.
    """

    title: ClassVar[str] = "TextOCR v0.1"
    source_is: ClassVar[str] = "folder with TextOCR_0.1_{train,val}.json and train_images; words are cut out"
    url: ClassVar[str] = "https://textvqa.org/textocr/"
    licence: ClassVar[str] = "CC-BY-4.0"
    terms: ClassVar[str] = "The photos are of Open Images, each under CC BY 2.0."
    citation: ClassVar[str] = (
        "Singh, Pang, Toh, Huang, Galuba, Hassner: TextOCR: Towards Large-Scale End-to-End Reasoning for "
        "Arbitrary-Shaped Scene Text. CVPR 2021"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": 714_770, "val": 107_802}
    checksums: ClassVar[Mapping[str, str]] = {
        "TextOCR_0.1_train.json": "md5:0f8ba1beefd2ca4d08a4f82bcbe6cfb4",
        "TextOCR_0.1_val.json": "md5:fb151383ea7b3c530cde9ef0d5c08347",
        "train_val_images.zip": "md5:d12dd8098899044e4ae1af34db7ecfef",
    }

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the JSON file."""
        path = _annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the JSON file."""
        path = _annotations(src, split)
        for number, record, words in photos_and_words(path):
            name = record["file_name"]
            names = [name, f"train_images/{PurePosixPath(name).name}"]
            photo = self.photo(first_of(src, names, f"{path}, imgs {number}"), origin=open_images(name))
            for word, fields in words:
                where = f"{path}, anns {word}"
                label = get(fields, "utf8_string", str, where)
                if label == ILLEGIBLE:
                    yield Unusable(id=word, reason="illegible", detail=label)
                    continue
                yield photo.word(
                    id=word,
                    label=label,
                    box=numbers(get(fields, "bbox", list, where), f"{where}, bbox"),
                    outline=numbers(get(fields, "points", list, where), f"{where}, points"),
                )


def _annotations(src: Path, split: str) -> Path:
    return only_file(src, [f"TextOCR_0.1_{split}.json"], "TextOCR")
