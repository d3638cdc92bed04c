"""Writing a dataset: whole shards, each with a record of completion, so that any run resumes."""

from __future__ import annotations

import json
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.core import fingerprint
from curation.core.errors import UserError
from curation.core.files import (
    disk_may_be_full,
    read_json,
    refuse_existing,
    remove_folder,
    whole,
    whole_folder,
    write_json,
    write_text,
)
from curation.core.lock import alone_at
from curation.core.sample import Reject, Sample
from curation.core.schema import FORMAT, REJECTS, repeating, schema, to_batch

ROW_GROUP = 1_000  # about 3 MB of word crops: the unit of a random read
BUILD = ".build"
CARD = """---
configs:
- config_name: default
  data_files:
  - split: {split}
    path: data/*.parquet
---
{n_rows} word images with their labels, written by glyphmix. `manifest.json` says how they came about.
"""


def refuse_finished(out: Path) -> None:
    """Raise a UserError if ``out`` is there, unless it is an unfinished dataset, which may go on."""
    if not (out / BUILD).is_dir():
        refuse_existing(out)


def is_finished(out: Path) -> bool:
    """Whether ``out`` is a finished dataset; what a run killed in its last moment has left is removed.

    Raises:
        UserError: another process is writing to it.
    """
    if not (out / "manifest.json").is_file():
        return False
    with alone_at(out):
        if (out / BUILD).is_dir():
            remove_folder(out / BUILD, out)
        shutil.rmtree(out.with_name(f".{out.name}.tmp"), ignore_errors=True)
    return True


def start(out: Path, job: Mapping[str, Any]) -> None:
    """Begin the dataset ``out``, or go on with it if the same ``job`` was interrupted.

    Args:
        out: The folder; it must not exist, unless as this job's unfinished work.
        job: All that the content depends on (recipe, seed, inputs, versions), as JSON values.

    Raises:
        UserError: ``out`` holds a finished dataset, other files, or another job's unfinished work.
    """
    record = out / BUILD / "job.json"
    job = json.loads(json.dumps(job))
    if record.is_file():
        if (found := read_json(record)) != job:
            keys = ", ".join(sorted(k for k in {*found, *job} if found.get(k) != job.get(k)))
            raise UserError(
                f"output {out} holds unfinished work that differs in: {keys}. "
                "Repeat the command it was begun with, or remove the folder."
            )
        return
    refuse_existing(out)
    with whole_folder(out) as draft:  # never without its record, so that it can always go on
        (draft / "data").mkdir()
        (draft / BUILD).mkdir()
        write_json(draft / BUILD / "job.json", job)


def is_done(out: Path, index: int) -> bool:
    """Whether shard ``index`` is complete."""
    return _completion(out, index).is_file()


def completed(out: Path) -> list[dict[str, Any]]:
    """The completion records of the shards written so far, in the order of the shards."""
    return [read_json(path) for path in sorted((out / BUILD).glob("[0-9]*.json"))]


def write_shard(
    out: Path,
    index: int,
    items: Iterable[Sample | Reject],
    *,
    render: pa.StructType | None = None,
    boxes: Sequence[str] = (),
    tick: Callable[[int], object] = lambda n: None,
) -> None:
    """Write one shard and then its completion record.

    Args:
        out: A folder that ``start`` has begun.
        index: The shard's number; shards may be written in any order and by any process.
        items: What goes in, in order; rejects are counted and kept apart.
        render: The type of the column ``render``, for rendered words.
        boxes: Which columns of boxes it has: ``word_boxes``, ``character_boxes``.
        tick: Called with the number of items dealt with since the last call.

    Raises:
        UserError: the disk is full, and what was finished is kept; or ``out`` is not there, so this is
            another machine than the one that began it, without a share in its storage.
    """
    rejects: list[Reject] = []
    into = schema(render, boxes)
    write_batches(out, index, (to_batch(g, into) for g in _groups(items, rejects, tick)), into, rejects)


def write_batches(
    out: Path,
    index: int,
    batches: Iterable[pa.RecordBatch],
    into: pa.Schema,
    rejects: Sequence[Reject],
    notes: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Write one shard from columns and then its completion record; see ``write_shard``.

    Args:
        out: A folder that ``start`` has begun.
        index: The shard's number.
        batches: The rows, with the columns of ``into``; each batch makes a row group of its own.
        into: The shard's schema.
        rejects: What was left out; it may grow until ``batches`` ends.
        notes: Gives further entries of the completion record, once ``batches`` has ended.
    """
    if not (out / BUILD).is_dir():
        raise UserError(
            f"output {out} is not to be found on {platform.node()}. "
            "Write to storage that all machines at work share."
        )
    path = out / "data" / f"shard-{index:05d}.parquet"
    with disk_may_be_full(out):
        with whole(path) as draft:
            n_rows = write_rows(draft, into, batches)
        if rejects:
            _write_rejects(_rejected(out, index), rejects)
        record = {
            "file": f"data/{path.name}",
            "rows": n_rows,
            "bytes": path.stat().st_size,
            "sha256": fingerprint.sha256_file(path),
            "rejected": dict(Counter(reject.reason for reject in rejects)),
            **notes(),
        }
        write_json(_completion(out, index), record)


def write_rows(path: Path, into: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write a Parquet file of one row group a batch, as all shards are written; return the number of rows."""
    n_rows = 0
    options = {"compression": "zstd", "compression_level": 1, "use_dictionary": repeating(into)}
    options["write_page_checksum"] = True  # or a flipped byte would change labels in silence
    with pq.ParquetWriter(path, into, **options) as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=ROW_GROUP)
            n_rows += len(batch)
    return n_rows


def _write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    columns = [[getattr(reject, name) for reject in rejects] for name in REJECTS.names]
    with whole(path) as draft:
        pq.write_table(pa.table([pa.array(c, pa.string()) for c in columns], schema=REJECTS), draft)


def first_reject(out: Path, reasons: Collection[str]) -> Reject | None:
    """The first word left out so far for one of ``reasons``, as an example of what is wrong."""
    for path in sorted((out / BUILD).glob("*.rejects.parquet")):
        table = pq.read_table(path)
        for i, reason in enumerate(table["reason"].to_pylist()):
            if reason in reasons:
                return Reject(**table.slice(i, 1).to_pylist()[0])
    return None


def finish(out: Path, *, allow_empty: bool = False, **facts: Any) -> dict[str, Any]:
    """Close the dataset: rejects, card and manifest are written, in that order, and marks removed.

    Args:
        out: A folder with all its shards complete.
        allow_empty: Whether a dataset without a single word is right.
        facts: Further entries of the manifest, as JSON values.

    Returns:
        The manifest.

    Raises:
        UserError: no word was kept; the folder is removed, and the message counts the reasons.
    """
    job = read_json(out / BUILD / "job.json")
    records = completed(out)
    reasons = rejected_by_reason(records)
    n_rows = sum(record["rows"] for record in records)
    if not n_rows and not allow_empty:
        remove_folder(out, out)
        counts = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items())) or "there was none"
        raise UserError(f"no word to write to {out} ({counts}). Check the input.")
    shards = [{key: record[key] for key in ("file", "rows", "bytes", "sha256")} for record in records]
    manifest = {
        "format": FORMAT,
        "kind": "dataset",
        "n_rows": n_rows,
        "n_rejected": reasons.total(),
        "rejected_by_reason": dict(reasons),
        "shards": shards,
        "fingerprint": fingerprint.sha256_json([shard["sha256"] for shard in shards]),
        "git_commit": fingerprint.git_commit(),
        **job,
        **facts,
    }
    _close(out, manifest)
    remove_folder(out / BUILD, out)
    return manifest


def _close(out: Path, manifest: Mapping[str, Any]) -> None:
    """Write what stands beside the shards; the manifest last, for it makes the dataset a finished one."""
    with disk_may_be_full(out):
        with whole(out / "rejects.parquet") as draft, pq.ParquetWriter(draft, REJECTS) as writer:
            # a shard's at a time: they may be millions
            for path in sorted((out / BUILD).glob("*.rejects.parquet")):
                writer.write_table(pq.read_table(path))
        write_text(out / "README.md", CARD.format(n_rows=manifest["n_rows"], split=_split_of(manifest)))
        write_json(out / "manifest.json", manifest)


def _split_of(manifest: Mapping[str, Any]) -> str:
    """What the Hub calls the one split that all rows have; of several, all are ``train`` to it."""
    sources = manifest.get("sources") or []
    splits = {name for source in sources for name in source["splits"]} or {manifest.get("split")}
    only = splits.pop() if len(splits) == 1 else None
    return {"val": "validation", "test": "test"}.get(str(only), "train")


def rejected_by_reason(records: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Add up what the completion records of shards say was left out."""
    total: Counter[str] = Counter()
    for record in records:
        total.update(record["rejected"])
    return total


def _completion(out: Path, index: int) -> Path:
    return out / BUILD / f"{index:05d}.json"


def _rejected(out: Path, index: int) -> Path:
    return out / BUILD / f"{index:05d}.rejects.parquet"


def _groups(
    items: Iterable[Sample | Reject], rejects: list[Reject], tick: Callable[[int], object]
) -> Iterator[list[Sample]]:
    """Collect samples into row groups, and rejects on the side."""
    group: list[Sample] = []
    since = 0
    for item in items:
        since += 1
        if isinstance(item, Reject):
            rejects.append(item)
        else:
            group.append(item)
        if since >= 50:
            tick(since)
            since = 0
        if len(group) == ROW_GROUP:
            yield group
            group = []
    tick(since)
    if group:
        yield group
