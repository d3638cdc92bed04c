"""Words named in a list of what is to be left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from curation.filters.base import Drop, Filter, filters
from curation.filters.rows import Rows, uid_hashes


@filters.add("listed")
@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """Drops words whose uid stands in a list.

    Attributes:
        files: Lists: Parquet files with a column ``uid`` (the ``rejects.parquet`` of a dataset), tables of
            lines with tabs between the columns and ``uid`` in the first line, or a uid a line. Paths are
            relative to the current directory.
        reasons_listed: Of a list with a column ``reason``, only rows with one of these count. Empty for all.
    """

    files: tuple[Path, ...]
    reasons_listed: tuple[str, ...] = ()
    reasons: ClassVar[tuple[str, ...]] = ("listed",)

    def __post_init__(self) -> None:
        if not self.files:
            raise ValueError("files is empty; name at least one list")

    def inputs(self) -> Mapping[str, str]:
        for path in self.files:
            if not path.is_file():
                problem = "is a folder, not a file" if path.is_dir() else "does not exist"
                raise UserError(f"the list {path} {problem}. Give a file of uids.")
        return {str(path): sha256_file(path) for path in self.files}

    def prepared(self) -> Filter:
        hashes = [uid_hashes(self._read(path)) for path in self.files]
        return Unwanted(hashes=np.unique(np.concatenate(hashes)))

    def _read(self, path: Path) -> pa.ChunkedArray:
        """The uids in one list."""
        table = _parquet(path) if path.suffix == ".parquet" else _lines(path)
        if self.reasons_listed:
            if "reason" not in table.column_names:
                raise UserError(f"{path} has no column 'reason'. Leave reasons_listed out.")
            table = table.filter(pc.is_in(table["reason"], pa.array(self.reasons_listed)))
        return pc.drop_null(table["uid"])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Unwanted:
    """Drops words by the hashes of their uids, (N,) rising."""

    hashes: NDArray[np.uint64]
    kind: ClassVar[str] = "listed"
    reasons: ClassVar[tuple[str, ...]] = Listed.reasons

    def drops(self, rows: Rows) -> Iterator[Drop]:
        if not len(self.hashes):
            return
        near = np.minimum(np.searchsorted(self.hashes, rows.uid_hashes), len(self.hashes) - 1)
        yield Drop("listed", self.hashes[near] == rows.uid_hashes, lambda i: "")


def _parquet(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            if "uid" not in names:
                raise UserError(f"{path} has no column 'uid'. Give a file that has one.")
            return file.read(columns=[name for name in ("uid", "reason") if name in names])
    except pa.ArrowException as error:
        raise UserError(f"{path} cannot be read: {str(error).splitlines()[0]}. Give a whole file.") from None


def _lines(path: Path) -> pa.Table:
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8. Convert it, or give a Parquet file.") from None
    rows = [line.rstrip("\r").split("\t") for line in lines]
    head = rows[0] if rows else []
    if "uid" not in head:
        if any(len(row) > 1 for row in rows):
            raise UserError(f"{path} has columns, but none is called 'uid'. Name them in its first line.")
        return pa.table({"uid": pa.array([row[0] for row in rows], pa.string())})
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != len(head)), None)
    if wrong is not None:
        raise UserError(f"{path}, line {wrong} has not the {len(head)} columns of the first. Mend that line.")
    columns = {name: pa.array([row[i] for row in rows[1:]], pa.string()) for i, name in enumerate(head)}
    return pa.table({name: columns[name] for name in ("uid", "reason") if name in columns})
