"""IIIT 5K-word: words cropped from web images, labels in Matlab files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.importers.annotations import OWN, read_mat
from curation.importers.base import Unusable, Word, importers, inside, only_file
from curation.importers.photos import shown

LABEL_FIELD = {"CharBound": "chars", "data": "GroundTruth"}  # by the ending of the variable's name


@importers.add("iiit5k")
@dataclass(frozen=True, kw_only=True, slots=True)
class Iiit5k:
    """Read ``trainCharBound.mat`` (or ``traindata.mat``) beside the folders ``train`` and ``test``."""

    title: ClassVar[str] = "IIIT 5K-word"
    source_is: ClassVar[str] = "folder with trainCharBound.mat or traindata.mat, and the pictures"
    url: ClassVar[str] = "https://cvit.iiit.ac.in/research/projects/cvit-projects/the-iiit-5k-word-dataset"
    licence: ClassVar[str] = "no explicit licence"
    citation: ClassVar[str] = (
        "Mishra, Alahari, Jawahar: Scene Text Recognition using Higher Order Language Priors. BMVC 2012"
    )
    expected: ClassVar[Mapping[str, int]] = {"train": 2_000, "test": 3_000}
    checksums: ClassVar[Mapping[str, str]] = {
        "IIIT5K-Word_V3.0.tar.gz": "md5:56781bc327d22066aa1c239ee788fd46"
    }

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the Matlab file."""
        path = _annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the Matlab file."""
        path = _annotations(src, split)
        field = LABEL_FIELD[path.stem.removeprefix(split)]
        for number, row in enumerate(_rows(path, field), 1):
            where = f"{path}, word {number}"
            name, label = _text(row["ImgName"], where), _text(row[field], where)
            picture = inside(src, name, where)
            yield Word(id=name, label=label, read=picture.read_bytes)


def _annotations(src: Path, split: str) -> Path:
    return only_file(src, [f"{split}{ending}.mat" for ending in LABEL_FIELD], "IIIT 5K-word")


def _rows(path: Path, field: str) -> Any:
    content = read_mat(path)
    table = content.get(path.stem)
    names = table.dtype.names if table is not None else None
    if not names or not {"ImgName", field} <= {*names}:
        raise UserError(
            f"{path} has no table {path.stem} with ImgName and {field}. Give the publisher's own file."
        )
    return table.ravel()


def _text(cell: Any, where: str) -> str:
    """Matlab has no scalars: a text is an array of one string, and an empty text an empty array."""
    if cell.size > 1:
        raise UserError(f"{where} has {cell.size} texts in one place: {shown(cell.tolist())}. {OWN}")
    return str(cell.item()) if cell.size else ""
