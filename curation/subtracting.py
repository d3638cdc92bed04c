"""A mixture without some of its words: what is left keeps its order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.core.errors import UserError
from curation.core.files import whole_folder, write_json
from curation.core.fingerprint import sha256, sha256_json
from curation.mixture import FORMAT, Mixture, Rows


def subtract(mixture: Mixture, rows: Mapping[int, Rows], out: Path) -> Mixture:
    """Write ``mixture`` without the ``rows`` of its datasets, by their numbers, as the mixture ``out``.

    The parts of the sources shift by what is left out; where words repeat, the others go on repeating.

    Raises:
        UserError: nothing would be left.
    """
    table = pq.read_table(mixture.path / "selection.parquet", columns=["source", "dataset", "row"])
    kept = np.ones(len(table), bool)
    numbers, places = table["dataset"].to_numpy(), table["row"].to_numpy()
    for number, left_out in rows.items():
        kept &= ~((numbers == number) & np.isin(places, left_out))
    if not kept.any():
        raise UserError(f"no word of the mixture {mixture.path} would be left. Leave fewer words out.")
    selection = table.filter(pa.array(kept))
    position = pa.array(np.arange(len(selection), dtype=np.int64))
    with whole_folder(out) as draft:
        pq.write_table(
            selection.add_column(0, "position", position), draft / "selection.parquet", compression="zstd"
        )
        (draft / "validation.parquet").write_bytes((mixture.path / "validation.parquet").read_bytes())
        files = {path.name: path.stat().st_size for path in sorted(draft.glob("*.parquet"))}
        write_json(draft / "manifest.json", _manifest(mixture, selection, out) | {"files": files})
    return Mixture.open(out)


def _manifest(mixture: Mixture, selection: pa.Table, out: Path) -> dict[str, Any]:
    sources = selection["source"].to_numpy()
    numbers, rows = selection["dataset"].to_numpy(), selection["row"].to_numpy()
    told, first = [], 0
    for i, source in enumerate(mixture.manifest["sources"]):
        here = np.flatnonzero(sources == i)
        datasets = []
        for number, entry in enumerate(source["datasets"], first):
            dataset = mixture.datasets()[number]
            beside = os.path.relpath(dataset.path.resolve(), out.resolve())
            kept = {key: entry[key] for key in ("path", "name", "fingerprint", "n_rows")}
            datasets.append(kept | {"path_from_mixture": beside} | _counts(rows[numbers == number]))
        first += len(datasets)
        unique = sum(entry["unique"] for entry in datasets)
        told.append({"name": source["name"], "unique": unique, "positions": len(here), "datasets": datasets})
    digests = [sha256(np.ascontiguousarray(column).tobytes()) for column in (sources, numbers, rows)]
    return {
        "format": FORMAT,
        "kind": "mixture",
        "fingerprint": sha256_json([mixture.fingerprint, digests]),
        "n_positions": len(selection),
        "n_unique": sum(source["unique"] for source in told),
        "n_validation": mixture.manifest["n_validation"],
        "sources": told,
        "seed": mixture.manifest["seed"],
        "without": {"fingerprint": mixture.fingerprint, "n_positions": len(mixture) - len(selection)},
    }


def _counts(rows: NDArray[np.uint32]) -> dict[str, int]:
    return {"positions": len(rows), "unique": len(np.unique(rows))}
