"""Any folder of word images with one text file of paths and labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from curation.core.errors import UserError
from curation.importers.base import Unusable, Word, importers
from curation.importers.label_files import LABELS, PATHS, LabelFile, choose

SEPARATORS = {"tab": "\t", "space": " ", "comma": ","}
SHOWN = {"tab": "TAB", "space": "space", "comma": "comma"}


@importers.add("tsv")
@dataclass(frozen=True, kw_only=True, slots=True)
class Tsv(LabelFile):
    """Read a file of lines ``path TAB label``.

    Attributes:
        separator: What stands between path and label. With ``space`` or ``comma`` it is the first one in the
            line, as in the files of PARSeq's and MMOCR's tools, so that labels may hold more of them.
    """

    title: ClassVar[str] = "Any folder of word images"
    source_is: ClassVar[str] = "file of lines: path, TAB, label"

    separator: Literal["tab", "space", "comma"] = "tab"

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the file."""
        for number, line in self.lines(src):
            where = f"{src}, line {number}"
            parts = line.split(SEPARATORS[self.separator], -1 if self.separator == "tab" else 1)
            if len(parts) != 2:
                raise UserError(f"{where} {self._wrong(len(parts) - 1, line)}: {line[:60]!r}. {_mend(line)}")
            yield self.listed_word(src, parts[0], parts[1], where)

    def _wrong(self, n_found: int, line: str) -> str:
        if n_found:
            return f"has {n_found} TABs, expected 1 between path and label"
        other = _other(line)
        instead = f", but a {SHOWN[other]}" if other is not None else ""
        return f"has no {SHOWN[self.separator]} between path and label{instead}"


def _other(line: str) -> str | None:
    """What seems to separate path and label, if not a TAB: whatever comes first after the path's ending."""
    found = {name: line.find(mark, line.rfind("/") + 1) for name, mark in SEPARATORS.items()}
    return min((name for name in found if found[name] > 0), key=lambda name: found[name], default=None)


def _mend(line: str) -> str:
    other = _other(line) if "\t" not in line else "tab" if line.count("\t") == 1 else None
    return "Mend the file." if other is None else f"Give --option separator={other}, or mend the file."


@importers.add("csv")
@dataclass(frozen=True, kw_only=True, slots=True)
class Csv(LabelFile):
    """Read a CSV file with a header: quoted fields may hold separators, quotes and line breaks.

    Attributes:
        path: The column of paths; None for the one that has a usual name.
        label: The column of labels, likewise.
        delimiter: What separates the columns, one character.
    """

    title: ClassVar[str] = "CSV file with a header, beside its images"
    source_is: ClassVar[str] = "CSV file whose header names a column of paths and one of labels"
    lines_are: ClassVar[str] = "lines with a header: path, label"

    path: str | None = None
    label: str | None = None
    delimiter: str = ","

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"':
            raise ValueError(f"delimiter is {self.delimiter!r}; it must be one character such as ; or |")

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the file."""
        rows = csv.reader(
            (f"{line}\n" for _, line in self.lines(src, blank=True)), delimiter=self.delimiter, strict=True
        )
        try:
            header = next(rows, None)
            if header is None:
                return
            path, label = self._columns(src, header)
            for row in rows:
                where = f"{src}, line {rows.line_num}"
                if not row:
                    continue
                if len(row) != len(header):
                    raise UserError(
                        f"{where} has {len(row)} columns, but the header has {len(header)}. Mend the file."
                    )
                yield self.listed_word(src, row[path], row[label], where)
        except csv.Error as error:
            raise UserError(f"{src}, line {rows.line_num} is not CSV: {error}. Mend the file.") from None

    def _columns(self, src: Path, header: list[str]) -> tuple[int, int]:
        where = f"the header of {src}"
        if len(header) == 1:
            others = [mark for mark in ";\t|," if mark != self.delimiter and mark in header[0]]
            if others:
                raise UserError(
                    f"{where} has no {self.delimiter!r}, but {others[0]!r}: {header[0][:60]!r}. "
                    f"Give --option 'delimiter={others[0]}'."
                )
        path = choose(self.path, header, PATHS, "path", where)
        return header.index(path), header.index(choose(self.label, header, LABELS, "label", where))
