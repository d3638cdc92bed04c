"""Ways to damage a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.dataset import Dataset
from curation.core.fingerprint import sha256_file, sha256_json


def shard(path: Path, number: int = 0) -> Path:
    return path / "data" / f"shard-{number:05d}.parquet"


def flip(path: Path, column: str, *, group: int = 0, number: int = 0) -> Path:
    """Flip one bit amid a column of one row group of a shard of the dataset at ``path``."""
    file = shard(path, number)
    row_group = pq.ParquetFile(file).metadata.row_group(group)
    chunks = map(row_group.column, range(row_group.num_columns))
    (found,) = [chunk for chunk in chunks if chunk.path_in_schema == column]
    data = bytearray(file.read_bytes())
    start = found.dictionary_page_offset or found.data_page_offset
    data[start + found.total_compressed_size // 2] ^= 1
    file.write_bytes(data)
    return file


def halve(file: Path) -> Path:
    """Cut the second half of a file off."""
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    return file


def rewrite_rows(dataset: Dataset, changes: dict[int, dict[str, Any]], number: int = 0) -> None:
    """Change values of rows of a shard, as a faulty writer would: the manifest says that all is well."""
    file = shard(dataset.path, number)
    table = pq.read_table(file)
    rows = table.to_pylist()
    for row, values in changes.items():
        rows[row] |= values
    pq.write_table(pa.Table.from_pylist(rows, table.schema), file, row_group_size=1000)
    manifest = dict(dataset.manifest)
    entry = manifest["shards"][number]
    entry |= {"bytes": file.stat().st_size, "sha256": sha256_file(file)}
    manifest["fingerprint"] = sha256_json([part["sha256"] for part in manifest["shards"]])
    (dataset.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
