"""Curved SynthText (SynText-150k): curved words rendered into photos for ABCNet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.annotations import get
from curation.importers.base import Unusable, Word, importers, inside, only_file
from curation.importers.json_stream import json_list
from curation.importers.photos import Photo, Photos, numbers

FOLDERS = ("images", "syntext_word_eng", "emcs_imgs")
CHARACTERS = [chr(code) for code in range(ord(" "), ord("~") + 1)]
UNKNOWN, END = len(CHARACTERS), len(CHARACTERS) + 1
STEPS = 8  # points sampled from each curve


@importers.add("curved_synthtext")
@dataclass(frozen=True, kw_only=True, slots=True)
class CurvedSynthText(Photos):
    """Read ``train.json`` of ABCNet's copy of one of the two parts, and cut each word out of its photo.

    A label is a list of 25 indices into printable ASCII, filled up with 96; one without room for that mark
    may have been cut short, and one with 95 stands for an unknown character: both are rejects. The outline
    is sampled from two cubic Bezier curves, above from left to right and below from right to left.

    Source: aim-uofa/AdelaiDet datasets; open-mmlab/mmocr curvedsyntext_converter.py.
    """

    title: ClassVar[str] = "Curved SynthText (SynText-150k)"
    source_is: ClassVar[str] = "folder of part 1 or 2 with train.json and images; words are cut out"
    url: ClassVar[str] = "https://github.com/Yuliang-Liu/bezier_curve_text_spotting"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = (
        "Liu, Chen, Shen, He, Jin, Wang: ABCNet: Real-time Scene Text Spotting with Adaptive Bezier-Curve "
        "Network. CVPR 2020"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the annotation file."""
        path = _annotations(src)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the annotations, which go photo by photo."""
        path = _annotations(src)
        folder = next((src / name for name in FOLDERS if (src / name).is_dir()), src)
        photos = _photos(path)
        photo: Photo | None = None
        last: object = None
        for number, item in enumerate(json_list(path, "annotations"), 1):
            where = f"{path}, annotation {number}"
            image, rec, curves = _fields(item, where)
            name = photos.get(image)
            if name is None:
                raise UserError(f"{where} is of image {image!r}, which is not listed. Unpack it again.")
            if photo is None or name != last:
                photo, last = self.photo(inside(folder, name, where), origin=name), name
            id = f"{name}/{item.get('id', number)}"
            label = "".join(CHARACTERS[code] for code in rec if code < UNKNOWN)
            if UNKNOWN in rec or END not in rec:
                fault = "an unknown character" if UNKNOWN in rec else f"{len(rec)} characters or more"
                yield Unusable(id=id, reason="doubtful_label", detail=f"{label}: {fault}")
            else:
                yield photo.word(id=id, label=label, outline=_outline(curves))


def _annotations(src: Path) -> Path:
    return only_file(src, ["train.json", "annotations/train.json"], "Curved SynthText")


def _photos(path: Path) -> dict[int | str, str]:
    """The names of the photos by their ids."""
    photos = {}
    for number, item in enumerate(json_list(path, "images"), 1):
        where = f"{path}, image {number}"
        name = get(item, "id", (int, str), where)
        photos[name] = get(item, "file_name", str, where)
    return photos


def _fields(item: Any, where: str) -> tuple[int | str, list[int], Sequence[float]]:
    image, rec = get(item, "image_id", (int, str), where), item.get("rec")
    curves = numbers(item.get("bezier_pts"), f"{where}, bezier_pts")
    right = isinstance(rec, list) and all(type(code) is int and 0 <= code <= END for code in rec)
    if not (right and len(curves) == 16):
        raise UserError(
            f"{where} has no rec of indices up to {END}, or no bezier_pts of 16 numbers. "
            "Give the publisher's own file."
        )
    return image, rec, curves


def _outline(curves: Sequence[float]) -> tuple[float, ...]:
    """Sample both curves evenly: x and y in turn, from the upper left in reading order."""
    if not all(map(math.isfinite, curves)):
        return tuple(curves)  # which makes a reject
    control = np.array(curves, np.float64).reshape(2, 4, 2)
    t = np.linspace(0, 1, STEPS)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    return tuple((weights @ control).round(3).reshape(-1).tolist())  # a hair more would cost a row of pixels
