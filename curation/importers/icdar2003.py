"""ICDAR 2003, robust reading: cropped words or photos, and one XML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.annotations import read_xml, rectangle
from curation.importers.base import Unusable, Word, importers, inside, only_file
from curation.importers.photos import Photos

FOLDERS = {"train": "TrialTrain", "test": "TrialTest"}


@importers.add("icdar2003")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2003:
    """Read ``word.xml``, ``<image file="word/1/1.jpg" tag="self"/>``, beside the folder ``word``.

    It lies in SRC or in a folder of SRC called ``TrialTrain`` or ``TrialTest``, or like the split.
    """

    title: ClassVar[str] = "ICDAR 2003 robust word recognition, cropped words"
    source_is: ClassVar[str] = "folder with word.xml and the pictures (TrialTrain or TrialTest)"
    url: ClassVar[str] = "http://www.iapr-tc11.org/mediawiki/index.php/ICDAR_2003_Robust_Reading_Competitions"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = "Lucas et al.: ICDAR 2003 Robust Reading Competitions. ICDAR 2003"
    expected: ClassVar[Mapping[str, int | None]] = {"train": 1_156, "test": 1_110}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the XML file."""
        path = _annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the XML file."""
        path = _annotations(src, split)
        for number, image in enumerate(read_xml(path).iter("image"), 1):
            where = f"{path}, image {number}"
            name, label = image.get("file"), image.get("tag")
            if name is None or label is None:
                raise UserError(
                    f"{where} has no {'file' if name is None else 'tag'}: got {dict(image.attrib)}. "
                    "Give the publisher's own file."
                )
            picture = inside(path.parent, name, where)
            yield Word(id=f"{split}/{name}", label=label, read=picture.read_bytes)


def _annotations(src: Path, split: str) -> Path:
    folders = [f"{FOLDERS[split]}/", f"{split}/", ""]
    names = [f"{folder}{name}.xml" for folder in folders for name in ("word", "words")]
    return only_file(src, names, "ICDAR 2003 word recognition")


@importers.add("icdar2003_scenes")
@dataclass(frozen=True, kw_only=True, slots=True)
class Icdar2003Scenes(Photos):
    """Read ``words.xml``, upright boxes with their words, beside the photos it names.

    It lies in SRC or in a folder of SRC called ``SceneTrialTrain`` or ``SceneTrialTest``, or like the split.
    ``locations.xml``, which is read if there is no other, has the boxes but no words: ``missing_label``. The
    rotation that a few boxes state is not applied.
    """

    title: ClassVar[str] = "ICDAR 2003 robust reading, photos"
    source_is: ClassVar[str] = "folder with words.xml and the photos (SceneTrialTrain or SceneTrialTest)"
    url: ClassVar[str] = Icdar2003.url
    licence: ClassVar[str] = Icdar2003.licence
    citation: ClassVar[str] = Icdar2003.citation
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "test": None}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the XML file."""
        path = _locations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the XML file."""
        path = _locations(src, split)
        for number, image in enumerate(read_xml(path, "tagset").iterfind("image"), 1):
            where = f"{path}, image {number}"
            name = (image.findtext("imageName") or "").strip()
            photo = self.photo(inside(path.parent, name, where), origin=f"{split}/{name}")
            for i, tag in enumerate(image.iterfind("taggedRectangles/taggedRectangle"), 1):
                box, label = rectangle(tag, f"{where}, rectangle {i}"), tag.findtext("tag")
                id = f"{split}/{name}/{i}"
                if label is None:
                    yield Unusable(id=id, reason="missing_label")
                else:
                    yield photo.word(id=id, label=label.strip(), box=box)  # the file is indented


def _locations(src: Path, split: str) -> Path:
    folders = [f"Scene{FOLDERS[split]}/", f"{split}/", ""]
    names = [f"{folder}{name}.xml" for folder in folders for name in ("words", "locations")]
    return only_file(src, names, "ICDAR 2003 robust reading")
