"""Writing the words of a mixture out in their order, as a dataset or as LMDB."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import read_json, refuse_existing
from curation.core.lock import alone_at
from curation.core.pool import run_tasks
from curation.mixture import Mixture
from curation.rewriting import common_schema
from curation.sources import history_of, sources_written, stated_sources
from curation.spilling import Wanted, collect, spill, spill_file

SHARD_ROWS = 20_000  # held in memory by each worker: about 70 MB of word crops


def materialise(
    mixture: Mixture,
    out: Path,
    *,
    jobs: int,
    format: Literal["dataset", "lmdb"] = "dataset",
    dry_run: bool = False,
    shard_rows: int = SHARD_ROWS,
) -> dict[str, Any]:
    """Write the words at the positions of one pass of ``mixture``, in order, to ``out``.

    Rows are copied as they are. A word that stands at several positions is copied to each; from the second
    on its uid ends in ``#2``, ``#3``, ..., so that uids stay unique and copies can be told.

    Every row group of the datasets is read once, in two steps: rows are put aside by the shard they go to,
    and then each shard is brought into order. So the disk needs room for the words twice, for LMDB three
    times, and memory holds a block for each worker, and about 40 bytes a position. An interrupted run goes on
    where it stopped, of LMDB but for the writing of the LMDB itself, which begins anew.

    Args:
        mixture: The mixture.
        out: The folder; it must not exist, unless as the same work unfinished.
        jobs: Worker processes; the result does not depend on it.
        format: What to write: a dataset, or LMDB as PARSeq and DTRB read it.
        dry_run: Check what can be checked, and write nothing.
        shard_rows: Rows of a shard of the dataset.

    Returns:
        The manifest of the dataset, or what ``glyphmix.json`` beside the LMDB says.

    Raises:
        UserError: ``out`` is taken, the datasets cannot be brought together, or one is damaged.
    """
    if dry_run:
        shards.refuse_finished(out) if format == "dataset" else refuse_existing(out)
        common_schema(mixture.datasets())
        return {"n_rows": len(mixture), "format": format, "mixture": mixture.fingerprint}
    if format == "dataset":
        return _as_dataset(mixture, out, jobs, shard_rows)
    return _as_lmdb(mixture, out, jobs, shard_rows)


def _as_dataset(mixture: Mixture, out: Path, jobs: int, shard_rows: int) -> dict[str, Any]:
    datasets = mixture.datasets()
    into = common_schema(datasets)
    job = {
        "command": "materialise",
        "mixture": mixture.fingerprint,
        "shard_rows": shard_rows,
        "datasets": [dataset.as_input for dataset in datasets],
    }
    n_shards = -(-len(mixture) // shard_rows)
    with alone_at(out):
        shards.refuse_finished(out)
        shards.start(out, job)
        todo = [index for index in range(n_shards) if not shards.is_done(out, index)]
        n_pieces = sum(dataset.n_shards for dataset in datasets)
        if todo:
            _spill_all(mixture, out, jobs, into, shard_rows)
        tasks = [(out, index, n_pieces, into) for index in todo]
        total = sum(min(shard_rows, len(mixture) - index * shard_rows) for index in todo)
        for _ in run_tasks(collect, tasks, jobs=jobs, total=total, unit=" words", what="writing in order"):
            pass
        stated = [entry for dataset in datasets for entry in stated_sources(dataset.manifest)]
        return shards.finish(
            out, sources=sources_written(out, stated), history=history_of(datasets), n_unique=_unique(mixture)
        )


def _spill_all(mixture: Mixture, out: Path, jobs: int, into: Any, shard_rows: int) -> None:
    tasks = [
        (out, piece, path, shard, wanted, into, shard_rows)
        for piece, path, shard, wanted in _pieces(mixture)
        if not spill_file(out, piece).is_file()
    ]
    total = sum(len(task[4].rows) for task in tasks)
    for _ in run_tasks(spill, tasks, jobs=jobs, total=total, unit=" words", what="reading"):
        pass


def _pieces(mixture: Mixture) -> Iterator[tuple[int, Path, int, Wanted]]:
    """For every shard of every dataset its number among all, its place, and the rows wanted of it."""
    numbers, rows = mixture.positions(0, len(mixture))
    keys = numbers.astype(np.int64) << 32 | rows
    order = np.argsort(keys, kind="stable").astype(np.uint32)
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    time = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    piece = 0
    for number, dataset in enumerate(mixture.datasets()):
        for shard in range(dataset.n_shards):
            first, n_rows = dataset.rows_of_shard(shard)
            begin = (number << 32) + first
            low, high = np.searchsorted(keys, [begin, begin + n_rows]).tolist()
            wanted = Wanted(
                rows=(keys[low:high] - begin).astype(np.uint32),
                at=order[low:high],
                time=time[low:high].astype(np.uint32),
            )
            yield piece, dataset.path, shard, wanted
            piece += 1


def _unique(mixture: Mixture) -> int:
    return int(mixture.manifest["n_unique"])


def _as_lmdb(mixture: Mixture, out: Path, jobs: int, shard_rows: int) -> dict[str, Any]:
    """Write a dataset beside ``out``, that as LMDB, and remove it."""
    from curation.exporting import SIDECAR, export_lmdb

    words = out.with_name(f".{out.name}.words")
    if (out / SIDECAR).is_file() and (words / "manifest.json").is_file():
        facts: dict[str, Any] = read_json(out / SIDECAR)
        if facts.get("dataset_fingerprint") == Dataset.open(words).fingerprint:
            shutil.rmtree(words)  # killed between the last two steps
            return facts
    refuse_existing(out)
    if (words / "manifest.json").is_file() and not (words / shards.BUILD).is_dir():
        dataset = Dataset.open(words)
        if dataset.manifest.get("mixture") != mixture.fingerprint:
            raise UserError(
                f"{words} holds the unfinished work of another mixture. "
                "Remove it, or give another name with -o."
            )
    else:
        _as_dataset(mixture, words, jobs, shard_rows)
        dataset = Dataset.open(words)
    facts = export_lmdb(dataset, out)
    shutil.rmtree(words)
    return facts
