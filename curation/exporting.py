"""Writing a dataset as LMDB, the way PARSeq, DTRB and their descendants read it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.core.dataset import Dataset
from curation.core.files import refuse_existing, write_json
from curation.core.pool import progress

SHARD_ROWS = 1_000_000  # readers list every label of an LMDB at start, and copy LMDBs as one file
MAP_SIZE = 64 << 20  # bytes; doubled whenever it is full, so that no terabyte is ever asked for

Entry = tuple[bytes, bytes]


def export_lmdb(dataset: Dataset, out: Path, *, shard_rows: int = SHARD_ROWS) -> dict[str, Any]:
    """Write ``dataset`` as LMDB to the folder ``out``, which appears only when it is whole.

    Keys are ``image-%09d`` and ``label-%09d`` from 1, and ``num-samples``, written last. Pictures are
    the stored files, unchanged; labels are UTF-8. Up to ``shard_rows`` rows make one LMDB in ``out``
    itself; more make folders ``00000``, ``00001``, ... each numbered from 1.

    Source: baudm/parseq tools/create_lmdb_dataset.py; readers find trees by ``**/data.mdb``.

    Returns:
        What ``glyphmix.json`` beside the LMDB says: rows, folders and the dataset's fingerprint.

    Raises:
        UserError: ``out`` exists.
    """
    facts = plan_lmdb(dataset, out, shard_rows=shard_rows)
    with _whole_folder(out) as draft, progress(2 * len(dataset), " values", f"export {dataset.name}") as bar:
        for index, name in enumerate(facts["folders"]):
            start = index * shard_rows
            _write(draft / name, dataset, start, min(start + shard_rows, len(dataset)), bar.update)
        write_json(draft / "glyphmix.json", facts)
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
    }


def _write(folder: Path, dataset: Dataset, start: int, stop: int, tick: Callable[[int], object]) -> None:
    """Write the rows from ``start`` to ``stop`` in the order of their keys, which LMDB appends fastest."""
    import lmdb

    folder.mkdir(exist_ok=True)
    with lmdb.open(str(folder), map_size=MAP_SIZE, sync=False, meminit=False) as env:
        for batch in _images(dataset, start, stop):
            _append(env, batch)
            tick(len(batch))
        for batch in _labels(dataset, start, stop):
            _append(env, batch)
            tick(len(batch))
        _append(env, [(b"num-samples", b"%d" % (stop - start))])
        env.sync(True)


def _images(dataset: Dataset, start: int, stop: int) -> Iterator[list[Entry]]:
    number = 1
    for batch in dataset.scan(["image"], start=start, stop=stop):
        data = batch.column(0).field("bytes")
        yield [(b"image-%09d" % i, value.as_py()) for i, value in enumerate(data, number)]
        number += len(batch)


def _labels(dataset: Dataset, start: int, stop: int) -> Iterator[list[Entry]]:
    number = 1
    for batch in dataset.scan(["label"], start=start, stop=stop):
        yield [(b"label-%09d" % i, value.as_py().encode()) for i, value in enumerate(batch.column(0), number)]
        number += len(batch)


def _append(env: Any, entries: Iterable[Entry]) -> None:
    import lmdb

    while True:
        try:
            with env.begin(write=True) as txn:
                for key, value in entries:
                    txn.put(key, value, append=True)
            return
        except lmdb.MapFullError:  # the transaction is undone: enlarge the map and repeat it
            env.set_mapsize(2 * env.info()["map_size"])


@contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``out``; rename it into place on success, remove it on an error."""
    draft = out.with_name(f".{out.name}.tmp")
    if draft.exists():
        shutil.rmtree(draft)  # left by a run that was killed
    draft.mkdir(parents=True)
    try:
        yield draft
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
