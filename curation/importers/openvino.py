"""Text of Open Images v5, annotated for OpenVINO: several JSON files in COCO's format make one set."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.annotations import OWN, get
from curation.importers.base import Unusable, Word, importers, only_file
from curation.importers.json_entries import JsonEntries
from curation.importers.photos import Photo, Photos, first_of, numbers, open_images


@importers.add("openvino")
@dataclass(frozen=True, kw_only=True, slots=True)
class OpenVino(Photos):
    """Read ``text_spotting_openimages_v5_*.json``; paths of photos are relative to SOURCE.

    A photo is also looked for in the folder that the archives of Open Images make, ``train_1`` to
    ``train_f`` and ``validation``. By default what PARSeq trains on: legible English words. A word without
    exactly one outline is cut by its box.

    Source: baudm/parseq tools/openvino_converter.py.

    Attributes:
        parts: Which files make the split ``train``: any of 1, 2, 5 and f.
        all_scripts: Keep every legible word, whatever its language.
    """

    title: ClassVar[str] = "Open Images v5 text, by OpenVINO"
    source_is: ClassVar[str] = (
        "folder with text_spotting_openimages_v5_*.json and Open Images; words are cut out"
    )
    url: ClassVar[str] = (
        "https://storage.openvinotoolkit.org/repositories/openvino_training_extensions/datasets/"
        "open_images_v5_text/"
    )
    licence: ClassVar[str] = "CC-BY-4.0"
    terms: ClassVar[str] = "The licence is of the annotations; the photos of Open Images are under CC BY 2.0."
    citation: ClassVar[str] = (
        "Krylov, Nosov, Sovrasov: Open Images V5 Text Annotation and Yet Another Mask Text Spotter. ACML 2021"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "val": None}

    parts: tuple[str, ...] = ("1", "2", "5", "f")
    all_scripts: bool = False

    def __post_init__(self) -> None:
        Photos.__post_init__(self)
        if not self.parts or not set(self.parts) <= set("125f") or len(set(self.parts)) < len(self.parts):
            raise ValueError(
                f"parts are {', '.join(self.parts) or 'none'}; give some of 1, 2, 5, f, each once"
            )

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the JSON files."""
        return {path.name: sha256_file(path) for _, path in self._annotations(src, split)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words file by file and photo by photo, in the order of each file's ``images``."""
        for part, path in self._annotations(src, split):
            for record, words in _photos_and_words(path):
                name = record["file_name"]
                names = [name, f"{part}/{PurePosixPath(name).name}"]
                photo = self.photo(first_of(src, names, f"{path}, image {name}"), origin=open_images(name))
                for fields in words:
                    yield self._word(photo, fields, part, f"{path}, annotation {fields['id']}")

    def _word(self, photo: Photo, fields: dict[str, Any], part: str, where: str) -> Word | Unusable:
        attributes = get(fields, "attributes", dict, where)
        label = get(attributes, "transcription", str, where)
        reason = None
        if not get(attributes, "legible", (bool, int), where):
            reason = "illegible"
        elif get(attributes, "language", str, where) != "english" and not self.all_scripts:
            reason = "not_english"
        word = f"{part}/{fields['id']}"
        if reason is not None:
            return Unusable(id=word, reason=reason, detail=label)
        box = numbers(get(fields, "bbox", list, where), f"{where}, bbox")
        return photo.word(id=word, label=label, box=box, outline=_outline(fields, where))

    def _annotations(self, src: Path, split: str) -> list[tuple[str, Path]]:
        """The parts of the split and their files."""
        parts = ["validation"] if split == "val" else [f"train_{part}" for part in self.parts]
        what = "the text of Open Images v5"
        return [(part, only_file(src, [f"text_spotting_openimages_v5_{part}.json"], what)) for part in parts]


def _photos_and_words(path: Path) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each photo that has words, and them; the file is held as text, and where each word begins."""
    entries = JsonEntries(path.read_bytes(), str(path))
    photos: dict[int | str, dict[str, Any]] = {}
    words: dict[int | str, array[int]] = {}
    for n_entries, (table, _, place, record) in enumerate(entries, 1):
        where = f"{path}, entry {n_entries}, of {table},"
        if table == "images":
            get(record, "file_name", str, where)
            photos.setdefault(get(record, "id", (int, str), where), record)
        elif table == "annotations":
            get(record, "id", (int, str), where)
            words.setdefault(get(record, "image_id", (int, str), where), array("Q")).append(place)
    entries.check("images", list)
    entries.check("annotations", list)
    for image, places in words.items():
        if image not in photos:
            where = f"{path}, annotation {entries.item(places[0])['id']}"
            raise UserError(f"{where} is of the image {image!r}, which is not among the images. {OWN}")
    for image, photo in photos.items():
        if image in words:
            yield photo, [entries.item(place) for place in words[image]]


def _outline(fields: dict[str, Any], where: str) -> tuple[float, ...] | None:
    """The one polygon of a word; None if COCO's ``segmentation`` has none, several or a mask."""
    found = fields.get("segmentation")
    if not isinstance(found, list) or not found:
        return None
    if isinstance(found[0], list):
        if len(found) != 1:
            return None
        found = found[0]
    return numbers(found, f"{where}, segmentation")
