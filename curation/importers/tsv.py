"""Any folder of word images with one text file of paths and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.errors import UserError
from curation.core.files import not_a_folder
from curation.core.fingerprint import sha256_file
from curation.importers.base import Unusable, Word, importers, inside, text_lines


@importers.add("tsv")
@dataclass(frozen=True, kw_only=True, slots=True)
class Tsv:
    """Read a UTF-8 file of lines ``path TAB label``.

    Attributes:
        root: Folder that the paths are relative to; None for the folder of the file itself.
    """

    title: ClassVar[str] = "Any folder of word images"
    source_is: ClassVar[str] = "file of lines: path, TAB, label"
    url: ClassVar[str] = ""
    licence: ClassVar[str] = "unknown"
    citation: ClassVar[str] = ""
    expected: ClassVar[Mapping[str, int]] = {}

    root: Path | None = None

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        self._check(src)
        return {src.name: sha256_file(src)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the file."""
        self._check(src)
        root = src.parent if self.root is None else self.root
        for number, line in text_lines(src):
            name, *labels = line.split("\t")
            if len(labels) != 1:
                raise UserError(
                    f"{src}, line {number} has {len(labels)} TABs, expected 1 between path and label: "
                    f"{line[:60]!r}. Mend the file."
                )
            picture = inside(root, name, f"{src}, line {number}")
            yield Word(id=name, label=labels[0], read=picture.read_bytes)

    def _check(self, src: Path) -> None:
        if not src.is_file():
            problem = "is a folder" if src.is_dir() else "does not exist"
            raise UserError(f"label file {src} {problem}. Give the file of lines: path, TAB, label.")
        if self.root is not None and not self.root.is_dir():
            raise UserError(
                f"folder {self.root} {not_a_folder(self.root)}. Check the path given with --root."
            )
