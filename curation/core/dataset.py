"""Reading a dataset: a folder of Parquet shards and the manifest that describes them."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.errors import UserError
from curation.core.manifest import read_manifest, refuse_odd
from curation.core.schema import FORMAT, NAMES, schema
from curation.core.shards import BUILD

DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError)  # what Arrow raises over bytes that make no sense


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """Rows that cannot be read.

    Attributes:
        shard: The file, relative to the dataset's folder.
        group: Which row group of it; None for the whole file.
        first: Number of the first of the rows in the dataset.
        n_rows: How many rows.
        fault: What reading them ends with.
    """

    shard: str
    group: int | None
    first: int
    n_rows: int
    fault: str


@dataclass(frozen=True)
class Dataset:
    """A finished dataset. Rows are numbered from 0 in the order of the shards.

    Attributes:
        path: The folder.
        manifest: The content of its ``manifest.json``.
    """

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, path: Path, *, damaged: bool = False) -> Dataset:
        """Open the dataset in the folder ``path``, reading its manifest only.

        Args:
            path: The folder.
            damaged: Open it even if shards are missing or cut short, to save what is whole.

        Raises:
            UserError: no such folder, no dataset in it, unfinished, of a newer format, a manifest that is
                damaged, or shards that are missing or of another size than it says.
        """
        absent = (
            f"{path} is no glyphmix dataset: it has no manifest.json. Make one with 'import' or 'render'."
        )
        if (path / BUILD).is_dir():
            absent = f"dataset {path} is unfinished. Run the command that makes it again: it resumes."
        manifest = read_manifest(path, "dataset", FORMAT, absent=absent)
        _refuse_damaged(path, manifest)
        opened = cls(path, manifest)
        for shard in manifest["shards"] if not damaged else ():
            file = path / shard["file"]
            if not file.is_file() or file.stat().st_size != shard["bytes"]:
                raise UserError(f"{file} is missing or cut short. {opened.way_out}")
        return opened

    def __len__(self) -> int:
        return int(self.manifest["n_rows"])

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the shards' own SHA-256: equal content, equal fingerprint."""
        return str(self.manifest["fingerprint"])

    @property
    def name(self) -> str:
        """The folder's name, for tables and captions."""
        return self.path.resolve().name

    @property
    def way_out(self) -> str:
        """What to do if it is damaged."""
        return (
            f"Restore it, make the dataset {self.path} anew, or save what is whole: "
            f"'glyphmix verify {self.path} --salvage OUT'."
        )

    @property
    def as_input(self) -> dict[str, Any]:
        """What the manifest of a dataset that is made of this one says of it."""
        return {"name": self.name, "fingerprint": self.fingerprint, "n_rows": len(self)}

    @property
    def n_shards(self) -> int:
        """How many files its rows lie in."""
        return len(self.manifest["shards"])

    def rows_of_shard(self, shard: int) -> tuple[int, int]:
        """The number of the first row in shard ``shard``, and how many rows it has."""
        return int(self._starts[shard]), int(self.manifest["shards"][shard]["rows"])

    def shard_of(self, row: int) -> int:
        """The number of the shard that row ``row`` lies in."""
        return int(np.searchsorted(self._starts, row, side="right")) - 1

    def schema(self, *, damaged: bool = False) -> pa.Schema:
        """The columns, as the first shard has them; of a dataset without any, those that all have.

        With ``damaged``, as the first readable one has them, but for those whose names are none of ours.
        """
        for shard in self.manifest["shards"]:
            try:
                with self._open(shard) as file:
                    found = file.schema_arrow
                    ours = [field for field in found if field.name in NAMES]
                    return pa.schema(ours, found.metadata) if damaged else found
            except UserError:
                if not damaged:
                    raise
        return schema()

    @cached_property
    def _starts(self) -> np.ndarray:
        """First row of each shard, and at the end the number of rows."""
        return np.cumsum([0, *(shard["rows"] for shard in self.manifest["shards"])])

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read whole columns; leave ``image`` out unless memory holds every picture."""
        tables = list(self.tables(columns))
        return pa.concat_tables(tables) if tables else schema().empty_table().select(columns)

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield whole columns shard by shard, in order: faster than ``scan`` where pictures are left out."""
        for shard in range(self.n_shards):
            yield self.shard_table(shard, columns)

    def shard_table(self, shard: int, columns: Sequence[str]) -> pa.Table:
        """Read whole columns of one shard."""
        with self._open(self.manifest["shards"][shard]) as file:
            return file.read(columns=list(columns))

    def scan(
        self,
        columns: Sequence[str],
        *,
        start: int = 0,
        stop: int | None = None,
        damaged: Callable[[Damage], object] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows from ``start`` to before ``stop`` in order, a row group of up to 1,000 at a time.

        Args:
            columns: Which columns.
            start: First row.
            stop: The row after the last one; None for the end.
            damaged: Called instead of raising an error, and in its turn, with rows that cannot be read.
        """
        stop = len(self) if stop is None else stop
        for shard, first in zip(self.manifest["shards"], self._starts[:-1].tolist(), strict=True):
            low, high = max(start - first, 0), min(stop - first, shard["rows"])
            if low >= high:
                continue
            try:
                with self._open(shard) as file:
                    yield from self._groups(file, shard, first, (low, high), columns, damaged)
            except UserError as error:
                if damaged is None:
                    raise
                damaged(_damage(shard, None, first + low, high - low, error.__cause__))

    def _groups(
        self,
        file: pq.ParquetFile,
        shard: dict[str, Any],
        first: int,
        rows: tuple[int, int],
        columns: Sequence[str],
        damaged: Callable[[Damage], object] | None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the ``rows`` of one shard, whose first row has the number ``first``."""
        begin = 0
        for group in range(file.num_row_groups):
            n_rows = file.metadata.row_group(group).num_rows
            low, high = max(rows[0] - begin, 0), min(rows[1] - begin, n_rows)
            if low < high:
                try:
                    batches = file.read_row_group(group, columns=list(columns)).slice(low, high - low)
                except DAMAGED as error:
                    if damaged is None or _is_the_systems(error):
                        raise
                    damaged(_damage(shard, group, first + begin + low, high - low, error))
                else:
                    yield from batches.to_batches()
            begin += n_rows

    def take(self, rows: Sequence[int] | np.ndarray, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Read single rows by number, in the order asked for; each row group is read once.

        Raises:
            IndexError: a row number is out of range.
        """
        wanted = np.asarray(rows, np.int64)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"rows {wanted.min()} to {wanted.max()} of a dataset of {len(self)}")
        found: dict[int, dict[str, Any]] = {}
        shard_of = np.searchsorted(self._starts, wanted, side="right") - 1
        for shard in np.unique(shard_of):
            self._take_from(int(shard), np.unique(wanted[shard_of == shard]), columns, found)
        return [found[row] for row in wanted.tolist()]

    def _take_from(self, shard: int, rows: np.ndarray, columns: Sequence[str], into: dict[int, Any]) -> None:
        first = int(self._starts[shard])
        with self._open(self.manifest["shards"][shard]) as file:
            for group in range(file.num_row_groups):
                n_rows = file.metadata.row_group(group).num_rows
                here = rows[(rows >= first) & (rows < first + n_rows)]
                if len(here):
                    table = file.read_row_group(group, columns=list(columns))
                    into.update(zip(here.tolist(), table.take(here - first).to_pylist(), strict=True))
                first += n_rows

    @contextmanager
    def _open(self, shard: dict[str, Any]) -> Iterator[pq.ParquetFile]:
        """Open a shard; what Arrow says of damaged bytes comes with the file's name and a way out."""
        path = self.path / shard["file"]
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                yield file
        except FileNotFoundError as error:
            raise UserError(f"{path} is missing. {self.way_out}") from error
        except DAMAGED as error:
            if _is_the_systems(error):
                raise
            raise UserError(f"{path} is damaged: {_fault(error)}. {self.way_out}") from error


def _is_the_systems(error: BaseException) -> bool:
    """Whether the system refused; Arrow's own complaints carry no number, and a bad sector is damage."""
    return isinstance(error, OSError) and error.errno not in (None, errno.EIO)


def _fault(error: BaseException | None) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is missing"
    return str(error).strip().splitlines()[0].rstrip(".")


def _damage(
    shard: dict[str, Any], group: int | None, first: int, n_rows: int, error: BaseException | None
) -> Damage:
    return Damage(shard=shard["file"], group=group, first=first, n_rows=n_rows, fault=_fault(error))


def _refuse_damaged(path: Path, manifest: dict[str, Any]) -> None:
    file, remedy = path / "manifest.json", f"Restore it, or make the dataset {path} anew."
    kinds = {"shards": list, "fingerprint": str, "n_rows": int, "n_rejected": int}
    refuse_odd(manifest, kinds, file, remedy)
    seen = set[str]()
    for i, shard in enumerate(manifest["shards"]):
        refuse_odd(
            shard, {"file": str, "rows": int, "bytes": int, "sha256": str}, file, remedy, at=f"shards[{i}]"
        )
        name = shard["file"]
        if name in seen or Path(name).is_absolute() or ".." in Path(name).parts:
            what = "comes twice" if name in seen else "lies outside the dataset"
            raise UserError(f"{file} is damaged: {name!r} {what}. {remedy}")
        seen.add(name)
