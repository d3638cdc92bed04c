"""ICDAR 2019 ArT, arbitrary-shaped text: cropped words or photos, and one JSON file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.annotations import ILLEGIBLE, OWN, get, photos_of, read_json
from curation.importers.base import Unusable, Word, importers, inside, only_file, text_lines
from curation.importers.photo_files import Mark, words_of
from curation.importers.photos import Photos, numbers

LABELS = "train_task2_labels.json"
SCENE_LABELS = "train_labels.json"
KEY = re.compile(r"(gt_\d+)_\d+")
PHOTO = re.compile(r"\bgt_\d+\b")
INTACT = {"LocaL#3"}  # the one label with a number sign that PARSeq found to be whole


@importers.add("art")
@dataclass(frozen=True, kw_only=True, slots=True)
class Art:
    """Read ``train_task2_labels.json`` beside the folder ``train_task2_images``.

    By default what PARSeq trains on: Latin script, legible, and no number sign, which marks damaged labels.

    Source: baudm/parseq tools/art_converter.py.

    Attributes:
        all_scripts: Keep every legible word, whatever its script and signs.
        without: Lists of photos to leave out (``other_set``), because another set has them: every ``gt_3`` in
            them names one. The publishers of Total-Text and CTW1500, which ArT contains with their test sets,
            offer ``Total_Text_ID_vs_ArT_ID.list`` and ``CTW1500_ID_vs_ArT_ID.txt``.
    """

    title: ClassVar[str] = "ArT, ICDAR 2019 arbitrary-shaped text, cropped words (task 2)"
    source_is: ClassVar[str] = "folder with train_task2_labels.json and train_task2_images"
    url: ClassVar[str] = "https://rrc.cvc.uab.es/?ch=14&com=downloads"
    licence: ClassVar[str] = "no explicit licence; non-commercial use only"
    terms: ClassVar[str] = "non-commercial use, as the authors told Baek et al. (ku21fan/STR-Fewer-Labels)"
    citation: ClassVar[str] = (
        "Chng et al.: ICDAR2019 Robust Reading Challenge on Arbitrary-Shaped Text - RRC-ArT. ICDAR 2019"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": 50_029}

    all_scripts: bool = False
    without: tuple[Path, ...] = ()

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the JSON file."""
        return _fingerprints(_annotations(src), self.without)

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the JSON file; the picture is called like its key."""
        path, elsewhere = _annotations(src), _photos_in(self.without)
        for key, where, found in photos_of(read_json(path), path):
            picture = inside(src / "train_task2_images", f"{key}.jpg", where)
            if len(found) != 1:
                raise UserError(f"{where} has {len(found)} records, expected 1. {OWN}")
            label = get(found[0], "transcription", str, where)
            photo = match[1] if (match := KEY.fullmatch(key)) else None
            reason = "other_set" if photo in elsewhere else _left_out(found[0], where, self.all_scripts)
            if reason is not None:
                yield Unusable(id=key, reason=reason, detail=label)
            else:
                origin = photo and f"{photo}.jpg"
                yield Word(id=key, label=label, read=picture.read_bytes, origin_image=origin)


def _left_out(record: Any, where: str, all_scripts: bool) -> str | None:
    """Why a record of ArT is left out, or None."""
    label = get(record, "transcription", str, where)
    language = get(record, "language", str, where)
    if get(record, "illegibility", (bool, int), where) or label == ILLEGIBLE:
        return "illegible"
    if all_scripts:
        return None
    if language.lower() != "latin":
        return "not_latin"
    return "doubtful_label" if "#" in label and label.strip() not in INTACT else None


def _photos_in(lists: Sequence[Path]) -> set[str]:
    """The names of all photos that occur in these lists."""
    found: set[str] = set()
    for path in lists:
        if not path.is_file():
            raise UserError(f"list {path} of photos does not exist. Check the option 'without'.")
        names = {name for _, line in text_lines(path) for name in PHOTO.findall(line)}
        if not names:
            raise UserError(f"{path} names no photo of ArT, such as gt_3. Check the option 'without'.")
        found |= names
    return found


def _fingerprints(labels: Path, lists: Sequence[Path]) -> dict[str, str]:
    listed = {f"without {i}, {path.name}": sha256_file(path) for i, path in enumerate(lists, 1)}
    return {labels.name: sha256_file(labels)} | listed


def _annotations(src: Path) -> Path:
    return only_file(src, [LABELS], "ArT task 2")


@importers.add("art_scenes")
@dataclass(frozen=True, kw_only=True, slots=True)
class ArtScenes(Photos):
    """Read ``train_labels.json`` beside the folder ``train_images``, and cut each word out of its photo.

    The keep rule is that of ``art``.

    Attributes:
        all_scripts: Keep every legible word, whatever its script and signs.
        without: Lists of photos to leave out (``other_set``), because another set has them: every ``gt_3`` in
            them names one. The publishers of Total-Text and CTW1500, which ArT contains with their test sets,
            offer ``Total_Text_ID_vs_ArT_ID.list`` and ``CTW1500_ID_vs_ArT_ID.txt``.
    """

    title: ClassVar[str] = "ArT, ICDAR 2019 arbitrary-shaped text, photos (task 1)"
    source_is: ClassVar[str] = "folder with train_labels.json and train_images"
    url: ClassVar[str] = Art.url
    licence: ClassVar[str] = Art.licence
    terms: ClassVar[str] = Art.terms
    citation: ClassVar[str] = Art.citation
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}

    all_scripts: bool = False
    without: tuple[Path, ...] = ()

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the JSON file."""
        return _fingerprints(only_file(src, [SCENE_LABELS], "ArT task 1"), self.without)

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the JSON file."""
        path, elsewhere = only_file(src, [SCENE_LABELS], "ArT task 1"), _photos_in(self.without)
        for key, where, found in photos_of(read_json(path), path):
            name = f"{key}.jpg"
            photo = self.photo(inside(src / "train_images", name, where), origin=name)
            marks = self._marks(found, where)
            if key in elsewhere:
                marks = (dataclasses.replace(mark, reason="other_set") for mark in marks)
            yield from words_of(photo, key, marks)

    def _marks(self, found: list[Any], where: str) -> Iterator[Mark]:
        for i, record in enumerate(found, 1):
            here = f"{where}, word {i}"
            yield Mark(
                label=get(record, "transcription", str, here),
                outline=numbers(get(record, "points", list, here), f"{here}, points"),
                reason=_left_out(record, here, self.all_scripts),
            )
