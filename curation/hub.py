"""Writing a dataset as a folder that is ready for the Hugging Face Hub. Nothing is uploaded."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import refuse_existing, whole_folder, write_json, write_text
from curation.core.fingerprint import sha256_file, sha256_json
from curation.core.pool import progress
from curation.croissant import croissant
from curation.hub_card import card, summary
from curation.licences import roll_up
from curation.rewriting import regrouped
from curation.sources import history_of, sources_of

ORDER = {"train": 0, "validation": 1, "test": 2}
HUB_SPLIT = {"val": "validation"}  # what the Hub calls our splits
Parts = dict[str, list[tuple[int, int, bool]]]  # split -> its shards: number, rows, whether all of them


def export_hub(dataset: Dataset, out: Path) -> dict[str, Any]:
    """Write ``dataset`` to the folder ``out``, which appears only when it is whole.

    ``data/<split>-00000-of-00003.parquet``: a file for each shard and split, linked to the dataset's own
    where all its words are of one split and the disk allows it. Beside them ``README.md`` (the card),
    ``croissant.json``, ``rejects.parquet`` and ``manifest.json``: the folder is a dataset of ours as well.

    Returns:
        The new manifest.

    Raises:
        UserError: ``out`` exists, a split has a name that the Hub refuses, or a shard is damaged.
    """
    parts = _parts(dataset, out)
    with whole_folder(out) as draft, progress(len(dataset), " words", f"export {dataset.name}") as bar:
        (draft / "data").mkdir()
        entries = {
            split: [
                _file(dataset, draft, (split, at, len(found)), part, bar.update)
                for at, part in enumerate(found)
            ]
            for split, found in parts.items()
        }
        manifest = _manifest(dataset, entries)
        into = dataset.schema()
        licences = roll_up(manifest["sources"])
        shutil.copyfile(dataset.path / "rejects.parquet", draft / "rejects.parquet")
        write_text(draft / "README.md", card(out.resolve().name, manifest, into, entries, licences))
        described = croissant(out.resolve().name, summary(manifest), manifest, into, entries, licences)
        write_json(draft / "croissant.json", described)
        write_json(draft / "manifest.json", manifest)
    return manifest


def plan_hub(dataset: Dataset, out: Path) -> dict[str, Any]:
    """Check what can be checked and return rows and files by split, without writing anything."""
    parts = _parts(dataset, out)
    return {
        "n_rows": len(dataset),
        "splits": {
            split: {"files": len(found), "rows": sum(n for _, n, _ in found)}
            for split, found in parts.items()
        },
    }


def _parts(dataset: Dataset, out: Path) -> Parts:
    """Which shards have words of which split."""
    refuse_existing(out)
    if not len(dataset):
        raise UserError(f"dataset {dataset.path} has no words. Export one that has.")
    counts: dict[str, list[tuple[int, int, bool]]] = {}
    for shard, table in enumerate(dataset.tables(["split"])):
        splits = Counter(table["split"].to_pylist())
        for split, n in splits.items():
            name = HUB_SPLIT.get(split, split)
            if not re.fullmatch(r"\w+(\.\w+)*", name or ""):
                raise UserError(
                    f"dataset {dataset.path} has the split {split!r}, a name that the Hub refuses. "
                    "Import it again with --split train, val or test."
                )
            counts.setdefault(name, []).append((shard, n, len(splits) == 1))
    return dict(sorted(counts.items(), key=lambda item: (ORDER.get(item[0], 3), item[0])))


def _file(
    dataset: Dataset,
    draft: Path,
    name: tuple[str, int, int],
    part: tuple[int, int, bool],
    tick: Callable[[int], object],
) -> dict[str, Any]:
    """Bring the words of one split in one shard into a file of their own; return its manifest entry."""
    (split, at, of), (shard, n_rows, all_of_it) = name, part
    path = f"data/{split}-{at:05d}-of-{of:05d}.parquet"
    entry = dataset.manifest["shards"][shard]
    source = dataset.path / entry["file"]
    if (found := sha256_file(source)) != entry["sha256"]:  # nothing damaged is to be published
        raise UserError(
            f"{source} is damaged: its SHA-256 is {found[:16]}, not {entry['sha256'][:16]}. {dataset.way_out}"
        )
    if all_of_it:
        _link(source, draft / path)
        tick(n_rows)
        return {**entry, "file": path}
    into = dataset.schema()
    batches = _of_split(dataset, shard, split, tick)
    shards.write_rows(draft / path, into, regrouped(batches, into))
    return {
        "file": path,
        "rows": n_rows,
        "bytes": (draft / path).stat().st_size,
        "sha256": sha256_file(draft / path),
    }


def _of_split(dataset: Dataset, shard: int, split: str, tick: Callable[[int], object]) -> Iterator[pa.Table]:
    first, n_rows = dataset.rows_of_shard(shard)
    ours = next((name for name, hub in HUB_SPLIT.items() if hub == split), split)
    for batch in dataset.scan(dataset.schema().names, start=first, stop=first + n_rows):
        kept = batch.filter(pc.equal(batch["split"], ours))
        yield pa.Table.from_batches([kept], schema=dataset.schema())
        tick(len(kept))


def _link(source: Path, to: Path) -> None:
    """Link ``to`` to the file ``source``, which is never written to again; copy it where links cannot be."""
    try:
        os.link(source.resolve(), to)
    except OSError:
        shutil.copyfile(source, to)


def _manifest(dataset: Dataset, entries: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    files = [entry for found in entries.values() for entry in found]
    return {
        **dataset.manifest,
        "shards": files,
        "fingerprint": sha256_json([entry["sha256"] for entry in files]),
        "sources": sources_of(dataset),
        "history": history_of([dataset]),
    }
