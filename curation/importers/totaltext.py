"""Total-Text, words in any direction and curved: photos, with a text or Matlab file each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.importers.annotations import OWN, bad_line, coordinates, read_mat
from curation.importers.base import importers, text_lines
from curation.importers.photo_files import Mark, PhotoFiles, Place

NAME = re.compile(r"(?:poly_)?gt_(img\d+)\.(?:mat|txt)")
RECORD = re.compile(
    r"\s*x:\s*\[\[(.*?)\]\],\s*y:\s*\[\[(.*?)\]\],\s*ornt:\s*(\[.*?\]),\s*transcriptions:\s*(\[.*\])\s*"
)
LIKE = "x: [[1 2 3]], y: [[1 2 3]], ornt: [u'h'], transcriptions: [u'text']"
IGNORED = {"#", "###"}


def _place(split: str) -> Place:
    name = split.capitalize()
    annotations = [f"txt_format/{name}", f"Groundtruth/Polygon/{name}", f"Polygon/{name}", name, split, "."]
    return Place(
        annotations=annotations,
        photos=[f"totaltext/Images/{name}", f"Images/{name}", name, split, "."],
        name=NAME,
        like="poly_gt_img1.txt or poly_gt_img1.mat",
    )


@importers.add("totaltext")
@dataclass(frozen=True, kw_only=True, slots=True)
class TotalText(PhotoFiles):
    """Read ``poly_gt_img11.txt`` or ``poly_gt_img11.mat``, one file for each photo ``img11.jpg``.

    A record of the text form may go over several lines. ``#`` marks words that are not to be read. Where a
    photo has both forms, the text is taken.

    Source: cs-chan/Total-Text-Dataset Groundtruth/Text/README.md.
    """

    title: ClassVar[str] = "Total-Text, curved and multi-oriented words"
    source_is: ClassVar[str] = (
        "folder with poly_gt_img1.txt or .mat, ... and the photos, or with folders of them"
    )
    url: ClassVar[str] = "https://github.com/cs-chan/Total-Text-Dataset"
    licence: ClassVar[str] = "BSD-3-Clause"
    citation: ClassVar[str] = (
        "Ch'ng, Chan, Liu: Total-Text: Towards Orientation Robustness in Scene Text Detection. IJDAR 23, 2020"
    )
    expected: ClassVar[Mapping[str, int | None]] = {"train": None, "test": None}
    checksums: ClassVar[Mapping[str, str]] = {
        "totaltext.zip": "md5:5b56d71a4005a333cf200ff35ce87f75",
        "txt_format.zip": "md5:53377a83420b4a0244304467512134e8",
    }
    places: ClassVar[Mapping[str, Place]] = {"train": _place("train"), "test": _place("test")}

    def marks(self, path: Path) -> Iterator[Mark]:
        """Yield the marks of one file."""
        for label, xs, ys in _of_mat(path) if path.suffix == ".mat" else _of_text(path):
            outline = tuple(value for point in zip(xs, ys, strict=False) for value in point)
            if len(xs) != len(ys):
                outline = ()  # so that it is a reject
            yield Mark(label=label, outline=outline, reason="illegible" if label in IGNORED else None)


Record = tuple[str, tuple[float, ...], tuple[float, ...]]


def _of_text(path: Path) -> Iterator[Record]:
    for number, text in _joined(path):
        found = RECORD.fullmatch(text)
        xs, ys = (coordinates(found[i].replace(",", " ").split()) if found else None for i in (1, 2))
        label = _label(found[4]) if found else None
        if xs is None or ys is None or label is None:
            raise bad_line(path, number, LIKE, text)
        yield label, xs, ys


def _joined(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of the first line and the text of each record."""
    first, parts = 1, list[str]()
    for number, line in text_lines(path):
        if line.lstrip().startswith("x:") and parts:
            yield first, " ".join(parts)
            parts = []
        first = first if parts else number
        parts.append(line)
    if parts:
        yield first, " ".join(parts)


def _label(text: str) -> str | None:
    """The transcription in ``[u'text']``, written as Python 2 does; none at all stands for ``#``."""
    try:
        parts = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return "".join(parts) or "#" if all(isinstance(part, str) for part in parts) else None


def _of_mat(path: Path) -> Iterator[Record]:
    """Read the table ``polygt`` or ``gt``: x in the second column, y in the fourth, text in the fifth."""
    content = read_mat(path)
    table = content.get("polygt", content.get("gt"))
    if getattr(table, "ndim", 0) != 2 or table.shape[1] < 5:
        raise UserError(f"{path} has no table polygt or gt of 6 columns. {OWN}")
    for number, row in enumerate(table, 1):
        try:
            yield _text(row[4]), _numbers(row[1]), _numbers(row[3])
        except (ValueError, TypeError, AttributeError):
            raise UserError(f"{path}, word {number} has no numbers in x or y, or no text. {OWN}") from None


def _numbers(cell: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in cell.ravel())


def _text(cell: Any) -> str:
    return str(cell.item()) if cell.size else "#"
