"""Making a dataset out of others: rows are copied as they are, but for those that are left out or mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core import shards
from curation.core.dataset import Damage, Dataset
from curation.core.errors import UserError
from curation.core.lock import alone_at
from curation.core.pool import run_tasks
from curation.core.sample import Reject
from curation.core.schema import schema, with_features
from curation.sources import history_of, sources_written, stated_sources
from curation.tally import Tally


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdicts:
    """What becomes of the rows of one batch.

    Attributes:
        keep: (N,) which rows stay.
        rejects: One for each row that does not.
        labels: New labels of rows that stay, by their index in the batch; what they were goes to the column
            ``label_published``, unless that has the first one already.
        tally: What else is worth counting and showing; ``check`` finds it in the shards' records.
    """

    keep: NDArray[np.bool_]
    rejects: Sequence[Reject] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)


class Judge(Protocol):
    """Decides row by row; it is sent to worker processes, so it must be picklable and must not keep state.

    One that holds a list of rows should have a method ``part(first, n_rows)`` as well, which gives a judge of
    these rows only: that is then sent with each shard, not the whole list.
    """

    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        """Judge the rows of ``batch``, the first of which has the number ``first`` in its dataset."""
        ...


def rewrite(
    datasets: Sequence[Dataset],
    out: Path,
    judge_of: Callable[[int], Judge],
    job: Mapping[str, Any],
    *,
    jobs: int,
    what: str,
    check: Callable[[Path], Mapping[str, Any] | None] = lambda out: None,
    salvage: bool = False,
    locked: bool = False,
    **facts: Any,
) -> dict[str, Any]:
    """Write the dataset ``out`` from the rows of ``datasets``, in order: a shard for each shard of theirs.

    An interrupted run goes on where it stopped. Memory holds one row group for each worker. The manifest
    keeps what is known of the rows' ``sources`` (licences, citations), and the ``history`` of ``datasets``.

    Args:
        datasets: Where the rows come from. Where their columns differ, those that a dataset lacks are null.
        out: The folder; it must not exist, unless as the same job's unfinished work.
        judge_of: Gives the judge of the dataset with this number.
        job: All that the content depends on besides the datasets; their names and fingerprints are added.
        jobs: Worker processes.
        what: What the progress bar says.
        check: Called with ``out`` once all shards are complete; it may raise and so prevent the end, or
            return further entries of the manifest.
        salvage: Pass over rows that cannot be read, which become rejects: ``damaged_row_group``.
        locked: Whether the caller keeps other processes off ``out`` already, by ``alone_at``.
        facts: Further entries of the manifest.

    Returns:
        The manifest.

    Raises:
        UserError: ``out`` is taken, two datasets cannot be brought together, or no row is left.
    """
    into = common_schema(datasets, damaged=salvage)
    inputs = [dataset.as_input for dataset in datasets]
    places = [(number, shard) for number, d in enumerate(datasets) for shard in range(d.n_shards)]
    with nullcontext() if locked else alone_at(out):
        shards.refuse_finished(out)
        shards.start(out, {**job, "datasets": inputs})
        todo = [
            (
                out,
                index,
                datasets[number].path,
                shard,
                _judge_of_shard(judge_of, datasets, number, shard),
                into,
                salvage,
            )
            for index, (number, shard) in enumerate(places)
            if not shards.is_done(out, index)
        ]
        total = sum(datasets[places[task[1]][0]].rows_of_shard(task[3])[1] for task in todo)
        for _ in run_tasks(_rewrite_shard, todo, jobs=jobs, total=total, unit=" words", what=what):
            pass
        facts = {**facts, **(check(out) or {})}
        return shards.finish(out, sources=_sources(datasets, out), history=history_of(datasets), **facts)


def _judge_of_shard(
    judge_of: Callable[[int], Judge], datasets: Sequence[Dataset], number: int, shard: int
) -> Judge:
    """The dataset's judge, or of a judge with a list of rows what concerns this shard."""
    judge = judge_of(number)
    part = getattr(judge, "part", None)
    return judge if part is None else part(*datasets[number].rows_of_shard(shard))


def _sources(datasets: Sequence[Dataset], out: Path) -> list[dict[str, Any]]:
    stated = [entry for dataset in datasets for entry in stated_sources(dataset.manifest)]
    return sources_written(out, stated)


def common_schema(datasets: Sequence[Dataset], *, damaged: bool = False) -> pa.Schema:
    """The schema that holds every column of ``datasets``, in the order in which they come.

    Raises:
        UserError: two of them have a column of the same name and different kinds.
    """
    # some were written before a column was
    schemas = [schema(), *(dataset.schema(damaged=damaged) for dataset in datasets)]
    try:
        merged = pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        names = ", ".join(str(dataset.path) for dataset in datasets)
        raise UserError(
            f"the datasets {names} cannot be brought together: {error}. "
            "Keep them apart, and mix them instead."
        ) from None
    order = sorted(merged.names, key="render".__eq__)  # in the order in which they come, the widest one last
    return with_features([(name, merged.field(name).type) for name in order])


def _rewrite_shard(
    out: Path,
    index: int,
    path: Path,
    shard: int,
    judge: Judge,
    into: pa.Schema,
    salvage: bool,
    tick: Callable[[int], object],
) -> None:
    rejects: list[Reject] = []
    tally = Tally()
    dataset = Dataset.open(path, damaged=salvage)
    batches = _kept(dataset, shard, judge, into, rejects, tally, salvage, tick)
    shards.write_batches(out, index, regrouped(batches, into), into, rejects, tally.record)


def _kept(
    dataset: Dataset,
    shard: int,
    judge: Judge,
    into: pa.Schema,
    rejects: list[Reject],
    tally: Tally,
    salvage: bool,
    tick: Callable[[int], object],
) -> Iterator[pa.Table]:
    """Yield what stays of each row group, with the columns of ``into``."""
    first, n_rows = dataset.rows_of_shard(shard)

    def passed_over(damage: Damage) -> None:
        nonlocal first
        rejects.extend(_lost(dataset, damage))
        first += damage.n_rows
        tick(damage.n_rows)

    names = dataset.schema(damaged=salvage).names
    damaged = passed_over if salvage else None
    for found in dataset.scan(names, start=first, stop=first + n_rows, damaged=damaged):
        batch = fitted(found, into)
        verdicts = judge.judge(batch, first)
        rejects.extend(verdicts.rejects)
        tally.add(verdicts.tally)
        kept = _relabelled(batch, verdicts.labels).filter(pa.array(verdicts.keep))
        yield pa.Table.from_batches([kept])
        first += len(batch)
        tick(len(batch))


def _lost(dataset: Dataset, damage: Damage) -> Iterator[Reject]:
    """A reject for every row that cannot be read, by its uid if that can, else by its place."""
    first, stop = damage.first, damage.first + damage.n_rows
    uids: list[str | None] = []
    for batch in dataset.scan(["uid"], start=first, stop=stop, damaged=lambda lost: None):
        uids += batch["uid"].to_pylist()
    known = uids if len(uids) == damage.n_rows else [None] * damage.n_rows
    for row, uid in enumerate(known, first):
        yield Reject(uid=uid or f"row {row}", reason="damaged_row_group", detail=damage.fault)


def _relabelled(batch: pa.RecordBatch, labels: Mapping[int, str]) -> pa.RecordBatch:
    if not labels:
        return batch
    now, before = batch["label"].to_pylist(), batch["label_published"].to_pylist()
    for i, label in labels.items():
        before[i] = now[i] if before[i] is None else before[i]
        now[i] = label
    for name, column in (("label", now), ("label_published", before)):
        batch = batch.set_column(batch.schema.get_field_index(name), name, pa.array(column, pa.string()))
    return batch


def fitted(batch: pa.RecordBatch, into: pa.Schema) -> pa.RecordBatch:
    """Bring the columns of ``batch`` into the order and kinds of ``into``; those it lacks are null."""
    columns = [
        batch[field.name].cast(field.type)
        if field.name in batch.schema.names
        else pa.nulls(len(batch), field.type)
        for field in into
    ]
    return pa.RecordBatch.from_arrays(columns, schema=into)


def regrouped(tables: Iterator[pa.Table], into: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Fill row groups up again: thinned ones would cost every later reader.

    Args:
        tables: Rows, some at a time, with the columns of ``into``.
        into: The schema.
    """
    held, n = [], 0
    for table in tables:
        held.append(table)
        n += len(table)
        if n >= shards.ROW_GROUP:
            whole = pa.concat_tables(held)
            end = n - n % shards.ROW_GROUP
            for start in range(0, end, shards.ROW_GROUP):
                yield _batch(whole.slice(start, shards.ROW_GROUP), into)
            held, n = [whole.slice(end)], n - end
    if n:
        yield _batch(pa.concat_tables(held), into)


def _batch(table: pa.Table, into: pa.Schema) -> pa.RecordBatch:
    columns = [column.combine_chunks() for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=into)
