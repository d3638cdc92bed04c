"""SynthText: words rendered into photos, with outlines in a Matlab file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.annotations import read_mat
from curation.importers.base import Unusable, Word, importers, inside, only_file
from curation.importers.photos import Photos

NEEDED = ("imnames", "wordBB", "txt")  # charBB, ten times larger, is left alone


@importers.add("synthtext")
@dataclass(frozen=True, kw_only=True, slots=True)
class SynthText(Photos):
    """Read ``gt.mat``, and cut each word out of its photo.

    Texts are split at white space, which gives one word a box. A photo where it does not gives rejects, one
    a box: nobody can say which label belongs to which. SciPy reads the whole file into the memory of
    each worker, 2 kB a photo: 1.8 GB for the set. Choose ``-j`` by that.
    """

    title: ClassVar[str] = "SynthText in the Wild"
    source_is: ClassVar[str] = "folder with gt.mat and the photos; words are cut out"
    url: ClassVar[str] = "https://www.robots.ox.ac.uk/~vgg/data/scenetext/"
    licence: ClassVar[str] = "non-commercial research"
    terms: ClassVar[str] = "https://www.robots.ox.ac.uk/~vgg/terms/dataset-group-2-access.html"
    citation: ClassVar[str] = (
        "Gupta, Vedaldi, Zisserman: Synthetic Data for Text Localisation in Natural Images. CVPR 2016"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": 7_266_866}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the Matlab file."""
        path = _annotations(src)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words photo by photo, in the order of the Matlab file."""
        path = _annotations(src)
        for number, (cell, boxes, texts) in enumerate(_cells(path), 1):
            where = f"{path}, photo {number}"
            name, outlines = "".join(map(str, np.ravel(cell)[:1])), _outlines(boxes, where)
            labels = [word for text in np.ravel(texts) for word in str(text).split()]
            photo = self.photo(inside(src, name, where), origin=name)
            for i, outline in enumerate(outlines, 1):
                if len(labels) != len(outlines):
                    detail = f"{len(labels)} words, {len(outlines)} boxes in the photo"
                    yield Unusable(id=f"{name}/{i}", reason="words_unlike_boxes", detail=detail)
                else:
                    yield photo.word(id=f"{name}/{i}", label=labels[i - 1], outline=outline)


def _annotations(src: Path) -> Path:
    return only_file(src, ["gt.mat"], "SynthText")


def _cells(path: Path) -> Iterator[tuple[Any, Any, Any]]:
    content = read_mat(path, NEEDED)
    lacking = [name for name in NEEDED if name not in content]
    columns = [np.ravel(content[name]) for name in NEEDED if name in content]
    if lacking or len({len(column) for column in columns}) != 1:
        fault = f"no {', '.join(lacking)}" if lacking else "imnames, wordBB and txt of different lengths"
        raise UserError(f"{path} has {fault}. Give the publisher's own file.")
    return zip(*columns, strict=True)


def _outlines(boxes: Any, where: str) -> list[tuple[float, ...]]:
    """Outlines of the words of a photo: (2, 4, n), or (2, 4) for a single word; x and y, clockwise."""
    array = np.asarray(boxes)
    if array.dtype.kind not in "fiu" or array.shape[:2] != (2, 4) or array.ndim not in (2, 3):
        raise UserError(
            f"{where} has boxes of shape {array.shape}, expected (2, 4, n). Give the publisher's own file."
        )
    flat = array.reshape(2, 4, -1).transpose(2, 1, 0).reshape(-1, 8)
    return [tuple(outline) for outline in flat.astype(float).tolist()]
