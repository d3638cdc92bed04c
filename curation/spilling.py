"""Bringing rows into another order on disk: each is read once, in the order of its dataset, and put aside."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.files import whole
from curation.core.shards import BUILD, ROW_GROUP, write_batches
from curation.rewriting import fitted

AT = "position"  # the column added while rows wait
BLOCK = 32 << 20  # bytes of rows before a worker puts them aside; it holds them up to four times


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Rows of one shard that are wanted, by rising row; a row may be wanted several times.

    Attributes:
        rows: (N,) numbers within the shard.
        at: (N,) the position that each goes to.
        time: (N,) how often the row has come at earlier positions.
    """

    rows: NDArray[np.uint32]
    at: NDArray[np.uint32]
    time: NDArray[np.uint32]


def spill_file(out: Path, piece: int) -> Path:
    """Where the rows of piece number ``piece`` wait while ``out`` is made."""
    return out / BUILD / "spilled" / f"{piece:05d}.arrow"


def spill(
    out: Path,
    piece: int,
    path: Path,
    shard: int,
    wanted: Wanted,
    into: pa.Schema,
    shard_rows: int,
    tick: Callable[[int], object],
) -> None:
    """Put the ``wanted`` rows of one shard aside, sorted by the new shards of ``shard_rows`` they go to.

    Each batch of the Arrow file holds rows for one new shard; a NumPy file beside it has the shards' numbers.
    """
    dataset = Dataset.open(path)
    first, n_rows = dataset.rows_of_shard(shard)
    file = spill_file(out, piece)
    file.parent.mkdir(exist_ok=True)
    waiting = pa.schema([*into, (AT, pa.uint32())])
    targets: list[int] = []
    with whole(file) as draft:
        with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, waiting) as writer:
            batches = dataset.scan(dataset.schema().names, start=first, stop=first + n_rows)
            for block in _blocks(_picked(batches, wanted, into, waiting, tick)):
                for target, batch in _by_shard(block, shard_rows):
                    writer.write_batch(batch)
                    targets.append(target)
        with whole(file.with_suffix(".npy")) as draft_targets, draft_targets.open("wb") as handle:
            np.save(handle, np.array(targets, np.uint32))


def collect(out: Path, index: int, n_pieces: int, into: pa.Schema, tick: Callable[[int], object]) -> None:
    """Write shard ``index`` of ``out`` from the rows that ``n_pieces`` pieces have put aside for it."""
    with ExitStack() as stack:
        parts = []
        for piece in range(n_pieces):
            file = spill_file(out, piece)
            here = np.flatnonzero(np.load(file.with_suffix(".npy")) == index).tolist()
            if here:
                source = stack.enter_context(pa.memory_map(str(file)))
                reader = pa.ipc.open_file(source)
                parts += [reader.get_batch(i) for i in here]
        write_batches(out, index, _ordered(pa.Table.from_batches(parts), into, tick), into, [])


def _picked(
    batches: Iterator[pa.RecordBatch],
    wanted: Wanted,
    into: pa.Schema,
    waiting: pa.Schema,
    tick: Callable[[int], object],
) -> Iterator[pa.RecordBatch]:
    """Yield the wanted rows of each row group, with their positions; copies get a uid of their own."""
    begin = 0
    for batch in batches:
        low, high = np.searchsorted(wanted.rows, [begin, begin + len(batch)]).tolist()
        rows_in = fitted(batch, into)
        for first in range(low, high, ROW_GROUP):  # rows may come many times over
            here = slice(first, min(first + ROW_GROUP, high))
            rows = rows_in.take(pa.array(wanted.rows[here] - np.uint32(begin)))
            columns = [*rows.columns, pa.array(wanted.at[here])]
            if (time := wanted.time[here]).any():
                uids = zip(rows["uid"].to_pylist(), time.tolist(), strict=True)
                apart = [f"{uid}#{n + 1}" if n else uid for uid, n in uids]
                columns[into.get_field_index("uid")] = pa.array(apart, pa.string())
            yield pa.RecordBatch.from_arrays(columns, schema=waiting)
        begin += len(batch)
        tick(high - low)


def _blocks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Join batches up to about ``BLOCK`` bytes."""
    held, n_bytes = [], 0
    for batch in batches:
        held.append(batch)
        n_bytes += batch.nbytes
        if n_bytes >= BLOCK:
            yield pa.concat_batches(held)
            held, n_bytes = [], 0
    if held:
        yield pa.concat_batches(held)


def _by_shard(block: pa.RecordBatch, shard_rows: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    target = block[AT].to_numpy() // shard_rows
    order = np.argsort(target, kind="stable")
    block, target = block.take(pa.array(order)), target[order]
    borders = [0, *(1 + np.flatnonzero(np.diff(target))).tolist(), len(target)]
    for low, high in itertools.pairwise(borders):
        yield int(target[low]), block.slice(low, high - low)


def _ordered(table: pa.Table, into: pa.Schema, tick: Callable[[int], object]) -> Iterator[pa.RecordBatch]:
    """Yield the rows by position, a row group at a time."""
    order = np.argsort(table[AT].to_numpy(), kind="stable")
    table = table.drop_columns([AT])
    for first in range(0, len(order), ROW_GROUP):
        rows = table.take(pa.array(order[first : first + ROW_GROUP]))
        columns = [pa.chunked_array(column.chunks, column.type).combine_chunks() for column in rows.columns]
        yield pa.RecordBatch.from_arrays(columns, schema=into)
        tick(len(rows))
