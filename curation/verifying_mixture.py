"""Checking a mixture: its selection against its fingerprint, and its datasets against theirs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.dataset import DAMAGED, Dataset
from curation.core.errors import UserError
from curation.core.fingerprint import sha256_json
from curation.core.manifest import read_manifest
from curation.mixture import FORMAT, refuse_damaged
from curation.verifying import Fault, Verified

PARTS = ("selection", "validation")


def verify_mixture(path: Path) -> tuple[Verified, list[Dataset]]:
    """Check the mixture at ``path`` but for the rows of its datasets, which are returned, however damaged.

    Raises:
        UserError: it has no readable manifest.
    """
    absent = f"{path} is no mixture: it has no manifest.json. Make one with 'glyphmix mix'."
    manifest = read_manifest(path, "mixture", FORMAT, absent=absent)
    refuse_damaged(path, manifest)
    entries = [entry for source in manifest["sources"] for entry in source["datasets"]]
    faults: list[Fault] = []
    datasets = []
    for entry in entries:
        try:
            datasets.append(_dataset(path, entry, faults))
        except UserError as error:
            faults.append(Fault(what=str(error)))
    faults += _selection_faults(path, manifest, entries)
    n_rows = int(manifest["n_positions"])
    return Verified(path=path, n_rows=n_rows, n_shards=0, faults=tuple(faults)), datasets


def _dataset(path: Path, entry: dict[str, Any], faults: list[Fault]) -> Dataset:
    beside = Path(os.path.normpath(path.resolve() / entry["path_from_mixture"]))
    dataset = Dataset.open(beside if beside.is_dir() else Path(entry["path"]), damaged=True)
    if dataset.fingerprint != entry["fingerprint"]:
        faults.append(
            Fault(
                what=f"dataset {dataset.path} has changed since: its fingerprint is "
                f"{dataset.fingerprint[:16]}, not {entry['fingerprint'][:16]}"
            )
        )
    return dataset


def _selection_faults(path: Path, manifest: dict[str, Any], entries: list[dict[str, Any]]) -> Iterator[Fault]:
    columns: dict[str, dict[str, str]] = {}
    for part in PARTS:
        file = path / f"{part}.parquet"
        try:
            table = pq.read_table(file, page_checksum_verification=True)
        except DAMAGED as error:
            why = "missing" if isinstance(error, FileNotFoundError) else "damaged"
            yield Fault(shard=file.name, what=f"the file is {why}")
            continue
        if (what := _out_of_range(table, entries)) is not None:
            yield Fault(shard=file.name, what=what)
        columns[part] = {name: _digest(table[name]) for name in table.column_names if name != "position"}
    content = {
        "sources": [[s["name"], [d["fingerprint"] for d in s["datasets"]]] for s in manifest["sources"]],
        "seed": manifest["seed"],
        **columns,
    }
    if len(columns) == len(PARTS) and sha256_json(content) != manifest["fingerprint"]:
        yield Fault(what="the fingerprint is not that of the selection and its datasets")


def _out_of_range(table: pa.Table, entries: list[dict[str, Any]]) -> str | None:
    numbers, rows = table["dataset"].to_numpy(), table["row"].to_numpy()
    if len(numbers) and numbers.max() >= len(entries):
        return f"it names dataset number {numbers.max()} of {len(entries)}"
    limits = np.array([entry["n_rows"] for entry in entries], np.int64)
    beyond = np.flatnonzero(rows >= limits[numbers]) if len(numbers) else []
    return f"{len(beyond):,} positions name a row that their dataset does not have" if len(beyond) else None


def _digest(column: pa.ChunkedArray) -> str:
    values = column.to_numpy()
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()
