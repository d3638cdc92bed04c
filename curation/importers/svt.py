"""Street View Text: full photos and an XML file of upright word boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.cropping import Box
from curation.importers.annotations import read_xml
from curation.importers.base import Unusable, Word, importers, inside, only_file
from curation.importers.photos import Photos


@importers.add("svt")
@dataclass(frozen=True, kw_only=True, slots=True)
class Svt(Photos):
    """Read ``train.xml`` beside the folder ``img``, and cut each word out of its photo.

    A box that reaches over the photo's edge is clipped there. Labels are upper case as published,
    whatever the photo shows.
    """

    title: ClassVar[str] = "Street View Text"
    source_is: ClassVar[str] = "folder with train.xml and the photos; words are cut out"
    url: ClassVar[str] = "http://www.iapr-tc11.org/mediawiki/index.php/The_Street_View_Text_Dataset"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = "Wang, Babenko, Belongie: End-to-End Scene Text Recognition. ICCV 2011"
    expected: ClassVar[Mapping[str, int]] = {"train": 257, "test": 647}
    checksums: ClassVar[Mapping[str, str]] = {"svt.zip": "md5:42d19160010d990ae6223b14f45eff88"}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the XML file."""
        path = _annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the XML file."""
        path = _annotations(src, split)
        for number, image in enumerate(read_xml(path, "tagset").iterfind("image"), 1):
            where = f"{path}, image {number}"
            name = (image.findtext("imageName") or "").strip()
            photo = self.photo(inside(src, name, where), origin=name)
            for i, tag in enumerate(image.iterfind("taggedRectangles/taggedRectangle"), 1):
                box = _box(tag, f"{where}, rectangle {i}")
                label = (tag.findtext("tag") or "").strip()  # the file is indented
                yield photo.word(id=f"{name}/{i}", label=label, box=box)


def _annotations(src: Path, split: str) -> Path:
    return only_file(src, [f"{split}.xml"], "Street View Text")


def _box(tag: ElementTree.Element, where: str) -> Box:
    values = {key: tag.get(key, "") for key in ("x", "y", "width", "height")}
    try:
        left, top, width, height = box = tuple(float(value) for value in values.values())
    except ValueError:
        box = (math.nan,)
    if not all(map(math.isfinite, box)):
        raise UserError(f"{where} has no box: got {values}. Give the publisher's own file.")
    return left, top, width, height
