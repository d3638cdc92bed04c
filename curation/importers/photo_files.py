"""Sets of photos with one annotation file each: where the files lie, and what becomes of their marks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.core.fingerprint import sha256_file, sha256_json
from curation.importers.base import Unusable, Word
from curation.importers.photos import Photo, Photos

PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One annotated word of a photo.

    Attributes:
        label: The transcription as published.
        outline: x and y in turn of its polygon, in pixels.
        box: Left, top, width, height in pixels, of sets without polygons.
        reason: Why the set's own marks or its keep rule leave it out, or None.
    """

    label: str
    outline: Sequence[float] | None = None
    box: Sequence[float] | None = None
    reason: str | None = None


def words_of(photo: Photo, name: str, marks: Iterable[Mark]) -> Iterator[Word | Unusable]:
    """Yield the words of one photo; their ids are its name and the number of the mark, from 1."""
    for number, mark in enumerate(marks, 1):
        id = f"{name}/{number}"
        if mark.reason is not None:
            yield Unusable(id=id, reason=mark.reason, detail=mark.label)
        else:
            yield photo.word(id=id, label=mark.label, box=mark.box, outline=mark.outline)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one split of a set lies.

    Attributes:
        annotations: Folders below SRC; the first that holds a file called like ``name`` is the one.
        photos: Folders below SRC, all of which are looked through, in this order.
        name: Matches the name of an annotation file; its first group is the photo's, without the ending.
        like: What ``name`` matches, for messages.
        deep: Whether to look in the folders below those as well; links are not followed.
    """

    annotations: Sequence[str]
    photos: Sequence[str]
    name: re.Pattern[str]
    like: str
    deep: bool = False

    def files(self, folder: Path) -> dict[str, Path]:
        """The annotation files in ``folder``, sorted, by the paths of their photos without the endings."""
        return {
            str(Path(path).with_name(match[1])): folder / path
            for path in self._paths(folder)
            if (match := self.name.fullmatch(Path(path).name))
        }

    def pictures(self, folder: Path) -> dict[str, Path]:
        """The pictures in ``folder``, by their paths without the endings; of two, the first in order."""
        found: dict[str, Path] = {}
        for path in map(Path, self._paths(folder)):
            if path.suffix.lower() in PICTURES:
                found.setdefault(str(path.with_name(path.stem)), folder / path)
        return found

    def _paths(self, folder: Path) -> list[str]:
        if not self.deep:
            return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        return sorted(
            str(Path(below, name).relative_to(folder))
            for below, _, names in os.walk(folder)
            for name in names
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoFiles(Photos):
    """An importer of such a set, which only has to say where the files lie and how to read one.

    The files are taken in the order of their sorted names. Those that are called otherwise are ignored.

    Attributes:
        places: Where each split lies.
    """

    title: ClassVar[str]
    places: ClassVar[Mapping[str, Place]]

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one annotation file, in its order.

        Raises:
            UserError: it is not in the publisher's format.
        """
        raise NotImplementedError

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint all annotation files together."""
        folder, files = self._files(src, split)
        digest = sha256_json([[stem, path.name, sha256_file(path)] for stem, path in files.items()])
        return {folder: f"{digest} of {len(files)} files"}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo; the splits of some sets use the same names."""
        photos = self._photos(src, split)
        for stem, path in self._files(src, split)[1].items():
            picture = photos.get(stem, src / f"{stem}.jpg")
            name = f"{split}/{stem}{picture.suffix}"
            yield from words_of(self.photo(picture, origin=name), name, self.marks(path))

    def _files(self, src: Path, split: str) -> tuple[str, dict[str, Path]]:
        """The folder of the annotations, and its files by their photos' names."""
        place = self.places[split]
        if not src.is_dir():
            raise UserError(f"folder {src} {not_a_folder(src)}. Give {self._whole()}.")
        for folder in place.annotations:
            if found := place.files(src / folder):
                return folder, found
        folders = ", ".join("itself" if folder == "." else folder for folder in place.annotations)
        raise UserError(f"{src} holds no {place.like} (looked in: {folders}). Give {self._whole()}.")

    def _photos(self, src: Path, split: str) -> dict[str, Path]:
        place = self.places[split]
        photos: dict[str, Path] = {}
        for folder in place.photos:
            photos = place.pictures(src / folder) | photos  # the first in order stays
        return photos

    def _whole(self) -> str:
        return f"the folder of {self.title} as its publisher packs it"


def split_folders(split: str, *names: str) -> tuple[str, ...]:
    """The publisher's own folders, then one called like the split, then SRC itself."""
    return (*names, split, ".")


def xml_files(like: str) -> Place:
    """XML files beside their photos, in any folders, or in ``annotations`` with the photos in ``imgs``."""
    return Place(
        annotations=split_folders("train", "annotations"),
        photos=split_folders("train", "imgs"),
        name=re.compile(r"(.+)\.xml"),
        like=like,
        deep=True,
    )
