"""Writing a dataset as LMDB, the way PARSeq, DTRB and their descendants read it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import lmdb

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import refuse_existing, whole_folder, write_json
from curation.core.fingerprint import sha256
from curation.core.pool import progress
from curation.importers.lmdb_meta import BOXES, KEPT, SIDECAR, write_meta
from curation.sources import sources_of

SHARD_ROWS = 1_000_000  # readers list every label of an LMDB at start, and copy LMDBs as one file
MAP_SIZE = 64 << 20  # bytes; doubled whenever it is full, so that no terabyte is ever asked for
BATCH = 1_000  # entries a transaction, as PARSeq's and DTRB's own writers do

Entry = tuple[bytes, bytes]


def export_lmdb(
    dataset: Dataset, out: Path, *, shard_rows: int = SHARD_ROWS, sizes: bool = False
) -> dict[str, Any]:
    """Write ``dataset`` as LMDB to the folder ``out``, which appears only when it is whole.

    Keys are ``image-%09d`` and ``label-%09d`` from 1, and ``num-samples``, written last. Pictures are
    the stored files, unchanged; labels are UTF-8. Up to ``shard_rows`` rows make one LMDB in ``out``
    itself; more make folders ``00000``, ``00001``, ... each numbered from 1. Under ``meta-%09d``, which
    those readers pass over, stands where a word comes from, so that importing it again loses nothing but
    what a rendered word was made from.

    Source: baudm/parseq tools/create_lmdb_dataset.py; readers find trees by ``**/data.mdb``.

    Args:
        dataset: What to export.
        out: The folder.
        shard_rows: Most rows in one LMDB.
        sizes: Write ``wh-%09d`` as well, ``<width>_<height>``, which OpenOCR's readers by aspect need.

    Returns:
        What ``glyphmix.json`` beside the LMDB says: rows, folders and the dataset's fingerprint.

    Raises:
        UserError: ``out`` exists, or the disk is full; then nothing is left of it.
    """
    facts = plan_lmdb(dataset, out, shard_rows=shard_rows)
    try:
        with (
            whole_folder(out) as draft,
            progress((4 if sizes else 3) * len(dataset), " values", f"export {dataset.name}") as bar,
        ):
            for index, name in enumerate(facts["folders"]):
                start = index * shard_rows
                stop = min(start + shard_rows, len(dataset))
                _write(draft / name, _entries(dataset, start, stop, sizes), stop - start, bar.update)
            write_json(draft / SIDECAR, facts)
    except lmdb.DiskError as error:
        raise UserError(f"the disk is full, writing to {out}. Free some space and run it again.") from error
    return facts


def plan_lmdb(dataset: Dataset, out: Path, *, shard_rows: int = SHARD_ROWS) -> dict[str, Any]:
    """Check what can be checked and return what ``export_lmdb`` would, without writing anything."""
    refuse_existing(out)
    n_folders = max(1, -(-len(dataset) // shard_rows))
    return {
        "kind": "lmdb",
        "n_rows": len(dataset),
        "folders": ["."] if n_folders == 1 else [f"{i:05d}" for i in range(n_folders)],
        "dataset_fingerprint": dataset.fingerprint,
        "sources": sources_of(dataset),
        "boxes": [name for name in BOXES if name in dataset.schema().names],
    }


def _entries(dataset: Dataset, start: int, stop: int, sizes: bool) -> Iterator[Entry]:
    """The rows from ``start`` to ``stop`` in the order of their keys, which LMDB appends fastest."""
    parts = [_images, _labels, _metas, *([_sizes] if sizes else [])]
    return itertools.chain.from_iterable(part(dataset, start, stop) for part in parts)


def _write(folder: Path, entries: Iterator[Entry], n_rows: int, tick: Callable[[int], object]) -> None:
    folder.mkdir(exist_ok=True)
    # nobody else knows this folder yet: no lock file. Memory is cleared first, or the file would hold
    # whatever this process held before
    with lmdb.open(str(folder), map_size=MAP_SIZE, sync=False, lock=False, meminit=True) as env:
        while batch := list(itertools.islice(entries, BATCH)):
            _put(env, batch)
            tick(len(batch))
        _put(env, [(b"num-samples", b"%d" % n_rows)], append=False)  # its place is before the sizes
        env.sync(True)


def _images(dataset: Dataset, start: int, stop: int) -> Iterator[Entry]:
    """The stored files; a reader of LMDB has no way to tell a damaged one.

    Raises:
        UserError: one does not match its SHA-256.
    """
    i = 0
    for batch in dataset.scan(["image", "sha256", "uid"], start=start, stop=stop):
        sums, uids = batch["sha256"].to_pylist(), batch["uid"].to_pylist()
        for picture, stated, uid in zip(batch["image"].field("bytes"), sums, uids, strict=True):
            i += 1
            data = picture.as_py()
            if data is None or sha256(data) != stated:
                raise UserError(
                    f"dataset {dataset.path} is damaged: the image of row {start + i - 1} ({uid}) does not "
                    f"match its SHA-256. {dataset.way_out}"
                )
            yield b"image-%09d" % i, data


def _labels(dataset: Dataset, start: int, stop: int) -> Iterator[Entry]:
    batches = dataset.scan(["label"], start=start, stop=stop)
    labels = (value for batch in batches for value in batch.column(0))
    return ((b"label-%09d" % i, label.as_py().encode()) for i, label in enumerate(labels, 1))


def _metas(dataset: Dataset, start: int, stop: int) -> Iterator[Entry]:
    names = [name for name in (*KEPT, *BOXES) if name in dataset.schema().names]
    rows = (row for batch in dataset.scan(names, start=start, stop=stop) for row in batch.to_pylist())
    return ((b"meta-%09d" % i, write_meta(row)) for i, row in enumerate(rows, 1))


def _sizes(dataset: Dataset, start: int, stop: int) -> Iterator[Entry]:
    batches = dataset.scan(["width", "height"], start=start, stop=stop)
    rows = (row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True))
    return ((b"wh-%09d" % i, b"%d_%d" % row) for i, row in enumerate(rows, 1))


def _put(env: Any, entries: Iterable[Entry], *, append: bool = True) -> None:
    while True:
        try:
            with env.begin(write=True) as txn:
                for key, value in entries:
                    txn.put(key, value, append=append)
            return
        except lmdb.MapFullError:  # the transaction is undone: enlarge the map and repeat it
            env.set_mapsize(2 * env.info()["map_size"])
