"""ICDAR 2019 LSVT, large-scale street view text, fully annotated part: photos and one JSON file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.annotations import ILLEGIBLE, get, not_latin, photos_of, read_json
from curation.importers.base import Unusable, Word, importers, inside, only_file
from curation.importers.photo_files import Mark, words_of
from curation.importers.photos import Photos, first_file, numbers

LABELS = "train_full_labels.json"
FOLDERS = ("train_full_images_0", "train_full_images_1")
INTACT = {"#Find YOUR Fun#", "Story #", "*0#"}  # labels with a number sign that PARSeq found to be whole
DOUBTFUL = {"LOFTINESS*"}  # another that it leaves out


@importers.add("lsvt")
@dataclass(frozen=True, kw_only=True, slots=True)
class Lsvt(Photos):
    """Read ``train_full_labels.json`` beside ``train_full_images_0`` and ``train_full_images_1``.

    By default what PARSeq trains on: legible, no Chinese character, and no number sign, which marks damaged
    labels. Marks are lines of text rather than words where Chinese is written.

    Source: baudm/parseq tools/lsvt_converter.py.

    Attributes:
        all_scripts: Keep every legible line, whatever its script and signs.
    """

    title: ClassVar[str] = "LSVT, ICDAR 2019 large-scale street view text, full annotations"
    source_is: ClassVar[str] = "folder with train_full_labels.json, train_full_images_0 and _1"
    url: ClassVar[str] = "https://rrc.cvc.uab.es/?ch=16&com=downloads"
    licence: ClassVar[str] = "no explicit licence; non-commercial use only"
    terms: ClassVar[str] = "non-commercial use, as the authors told Baek et al. (ku21fan/STR-Fewer-Labels)"
    citation: ClassVar[str] = (
        "Sun et al.: ICDAR 2019 Competition on Large-scale Street View Text with Partial Labeling - "
        "RRC-LSVT. ICDAR 2019"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}

    all_scripts: bool = False

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the JSON file."""
        path = only_file(src, [LABELS], "LSVT")
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the JSON file."""
        path = only_file(src, [LABELS], "LSVT")
        for key, where, found in photos_of(read_json(path), path):
            name = f"{key}.jpg"
            places = [inside(src / folder, name, where) for folder in FOLDERS]
            photo = self.photo(first_file(places), origin=name)
            yield from words_of(photo, key, self._marks(found, where))

    def _marks(self, found: list[Any], where: str) -> Iterator[Mark]:
        for i, record in enumerate(found, 1):
            here = f"{where}, word {i}"
            label = get(record, "transcription", str, here)
            outline = numbers(get(record, "points", list, here), f"{here}, points")
            illegible = get(record, "illegibility", (bool, int), here) or label == ILLEGIBLE
            reason = "illegible" if illegible else None if self.all_scripts else _left_out(label)
            yield Mark(label=label, outline=outline, reason=reason)


def _left_out(label: str) -> str | None:
    if ("#" in label and label not in INTACT) or label in DOUBTFUL:
        return "doubtful_label"
    return not_latin(label)
