"""Reading a dataset: a folder of Parquet shards and the manifest that describes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.errors import UserError
from curation.core.manifest import read_manifest
from curation.core.schema import FORMAT, schema
from curation.core.shards import BUILD


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
    def open(cls, path: Path) -> Dataset:
        """Open the dataset in the folder ``path``, reading its manifest only.

        Raises:
            UserError: no such folder, no dataset in it, unfinished, of a newer format, or shards
                that are missing or of another size than the manifest says.
        """
        absent = (
            f"{path} is no glyphmix dataset: it has no manifest.json. Make one with 'import' or 'render'."
        )
        if (path / BUILD).is_dir():
            absent = f"dataset {path} is unfinished. Run the command that makes it again: it resumes."
        manifest = read_manifest(path, "dataset", FORMAT, absent=absent)
        for shard in manifest["shards"]:
            file = path / shard["file"]
            if not file.is_file() or file.stat().st_size != shard["bytes"]:
                raise UserError(
                    f"{file} is missing or cut short. Restore it, or make the dataset {path} anew."
                )
        return cls(path, manifest)

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
    def n_shards(self) -> int:
        """How many files its rows lie in."""
        return len(self.manifest["shards"])

    def rows_of_shard(self, shard: int) -> tuple[int, int]:
        """The number of the first row in shard ``shard``, and how many rows it has."""
        return int(self._starts[shard]), int(self.manifest["shards"][shard]["rows"])

    def schema(self) -> pa.Schema:
        """The columns, as the first shard has them; of a dataset without any, those all have."""
        if not self.n_shards:
            return schema()
        with self._open(self.manifest["shards"][0]) as file:
            return file.schema_arrow

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
        for shard in self.manifest["shards"]:
            with self._open(shard) as file:
                table = file.read(columns=list(columns))
            yield table

    def scan(
        self, columns: Sequence[str], *, start: int = 0, stop: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows from ``start`` to before ``stop`` in order, a row group of up to 1,000 at a time."""
        stop = len(self) if stop is None else stop
        for shard, first in zip(self.manifest["shards"], self._starts[:-1].tolist(), strict=True):
            if first >= stop or first + shard["rows"] <= start:
                continue
            with self._open(shard) as file:
                for group in range(file.num_row_groups):
                    n_rows = file.metadata.row_group(group).num_rows
                    low, high = max(start - first, 0), min(stop - first, n_rows)
                    first += n_rows
                    if low < high:
                        table = file.read_row_group(group, columns=list(columns))
                        yield from table.slice(low, high - low).to_batches()

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
            with pq.ParquetFile(path) as file:
                yield file
        except FileNotFoundError:
            raise UserError(f"{path} is missing. Restore it, or make the dataset {self.path} anew.") from None
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's or the system's fault: Arrow's own complaints carry no number
            fault = str(error).strip().splitlines()[0]
            raise UserError(
                f"{path} is damaged: {fault}. Restore it, or make the dataset {self.path} anew."
            ) from error
