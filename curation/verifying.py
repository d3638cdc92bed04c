"""Checking that datasets are what was written, to the last row, and saving what is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.core.dataset import DAMAGED, Damage, Dataset
from curation.core.fingerprint import dhash128, sha256, sha256_file, sha256_json
from curation.core.images import BrokenImageError, decode
from curation.core.pool import run_tasks
from curation.core.sample import Reject
from curation.core.schema import NAMES
from curation.page_checksums import has_page_checksums
from curation.rewriting import Verdicts, rewrite
from curation.words import hash_texts

COLUMNS = ["uid", "label", "image", "width", "height", "sha256", "dhash128"]
MOST_BITS = 32  # a rendered word's hash is that of the drawing: its JPEG was up to 29 bits from it in 3,000
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something that is not as it should be.

    Attributes:
        what: What is wrong, in a few words.
        shard: The file that it is in, relative to its dataset; None for the dataset as a whole.
        row_group: Which row group of it, if it is one.
        row: Which row of the dataset, if it is one; of a row group, its first.
        n_rows: How many rows cannot be read.
        uid: The row's, if it is known.
    """

    what: str
    shard: str | None = None
    row_group: int | None = None
    row: int | None = None
    n_rows: int = 0
    uid: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What was found in one dataset or mixture.

    Attributes:
        path: The folder.
        n_rows: Rows that it should have.
        n_shards: Shards that it should have.
        faults: Whatever is wrong, in the order of the rows.
    """

    path: Path
    n_rows: int
    n_shards: int
    faults: tuple[Fault, ...]

    def facts(self) -> dict[str, Any]:
        """The same as plain values."""
        faults = [asdict(fault) for fault in self.faults]
        return asdict(self) | {"path": str(self.path), "faults": faults}


def verify(datasets: Sequence[Dataset], *, jobs: int, quick: bool = False) -> list[Verified]:
    """Check every shard of ``datasets`` against its size, SHA-256 and row count, and then every row.

    Of a row the bytes must match ``sha256``, the picture must decode to the size and hash stated, a label
    must be there and a uid that no other row of the dataset has. 8 bytes a row are kept.

    Args:
        datasets: Opened with ``damaged=True``.
        jobs: Worker processes.
        quick: Leave the rows out.

    Raises:
        UserError: workers were killed again and again.
    """
    tasks = [
        (number, d.path, shard, quick) for number, d in enumerate(datasets) for shard in range(d.n_shards)
    ]
    found: dict[tuple[int, int], tuple[list[Fault], Hashes]] = {}
    total = sum(map(len, datasets))
    for number, shard, *rest in run_tasks(
        _check_shard, tasks, jobs=jobs, total=total, unit=" words", what="verify"
    ):
        found[number, shard] = (rest[0], rest[1])
    verified = []
    for number, dataset in enumerate(datasets):
        shards = [found[number, shard] for shard in range(dataset.n_shards)]
        faults = [*_manifest_faults(dataset), *(fault for part, _ in shards for fault in part)]
        if not quick:
            faults += _repeated_uids(dataset, [hashes for _, hashes in shards])
        verified.append(
            Verified(path=dataset.path, n_rows=len(dataset), n_shards=dataset.n_shards, faults=tuple(faults))
        )
    return verified


def salvage(dataset: Dataset, found: Verified, out: Path, *, jobs: int) -> dict[str, Any]:
    """Write the rows of ``dataset`` that ``found`` calls whole to ``out``, and the rest to its rejects.

    Returns:
        The manifest.

    Raises:
        UserError: ``out`` is taken, or no row is whole.
    """
    damaged = {f.row: f.what for f in found.faults if f.row is not None and not f.n_rows}
    job = {"command": "verify", "damaged_rows": len(damaged), "fingerprint_damaged": dataset.fingerprint}
    judge = _Salvager(damaged=damaged)
    return rewrite([dataset], out, lambda number: judge, job, jobs=jobs, what="salvage", salvage=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Salvager:
    """Leaves out the rows that were found damaged."""

    damaged: Mapping[int, str]

    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        lost = [i for i in range(len(batch)) if first + i in self.damaged]
        keep = np.ones(len(batch), bool)
        keep[lost] = False
        rejects = [
            Reject(
                uid=batch["uid"][i].as_py() or f"row {first + i}",
                reason="damaged_row",
                detail=self.damaged[first + i],
            )
            for i in lost
        ]
        return Verdicts(keep=keep, rejects=rejects)


def _manifest_faults(dataset: Dataset) -> Iterator[Fault]:
    manifest = dataset.manifest
    if sha256_json([shard["sha256"] for shard in manifest["shards"]]) != dataset.fingerprint:
        yield Fault(what="manifest.json: the fingerprint is not that of the shards listed")
    if sum(shard["rows"] for shard in manifest["shards"]) != len(dataset):
        yield Fault(what="manifest.json: n_rows is not the sum of the shards' rows")
    listed = {shard["file"] for shard in manifest["shards"]}
    for path in sorted((dataset.path / "data").glob("*.parquet")):
        if (name := f"data/{path.name}") not in listed:
            yield Fault(shard=name, what="manifest.json does not list it, but other readers will read it")
    path = dataset.path / "rejects.parquet"
    try:
        n_rejects = pq.ParquetFile(path).metadata.num_rows
    except DAMAGED as error:
        why = "missing" if isinstance(error, FileNotFoundError) else "damaged"
        yield Fault(shard=path.name, what=f"the file is {why}")
        return
    if n_rejects != manifest["n_rejected"]:
        yield Fault(shard=path.name, what=f"{n_rejects:,} rejects, not {manifest['n_rejected']:,}")


def _check_shard(
    number: int, path: Path, shard: int, quick: bool, tick: Callable[[int], object]
) -> tuple[int, int, list[Fault], Hashes]:
    """Return both numbers again, with what is wrong and a hash of every row's uid (0 for none)."""
    dataset = Dataset.open(path, damaged=True)
    entry = dataset.manifest["shards"][shard]
    file = path / entry["file"]
    n_rows = dataset.rows_of_shard(shard)[1]
    if not file.is_file():
        tick(n_rows)
        return (
            number,
            shard,
            [Fault(shard=entry["file"], what="the file is missing", n_rows=n_rows)],
            _none(n_rows),
        )
    faults = [replace(fault, shard=entry["file"]) for fault in _file_faults(file, entry)]
    if quick:
        tick(n_rows)
        return number, shard, faults, _none(n_rows)
    rows, hashes = _check_rows(dataset, shard, tick)
    return number, shard, faults + [replace(fault, shard=entry["file"]) for fault in rows], hashes


def _none(n_rows: int) -> Hashes:
    return np.zeros(n_rows, np.uint64)


def _file_faults(file: Path, entry: Mapping[str, Any]) -> Iterator[Fault]:
    if (size := file.stat().st_size) != entry["bytes"]:
        yield Fault(what=f"{size:,} bytes, not {entry['bytes']:,}")
    if (found := sha256_file(file)) != entry["sha256"] and size == entry["bytes"]:
        yield Fault(what=f"its SHA-256 is {found[:16]}, not {entry['sha256'][:16]}")
    try:
        n_rows = pq.read_metadata(file).num_rows
        if odd := sorted({*pq.read_schema(file).names} - NAMES):
            yield Fault(what=f"it has columns that are none of ours: {', '.join(map(repr, odd))}")
        if found != entry["sha256"] and not has_page_checksums(file):
            yield Fault(what="its pages have no checksums, so a damaged label may look whole")
    except (*DAMAGED, IndexError):
        return  # reading its rows will say what is wrong
    if n_rows != entry["rows"]:
        yield Fault(what=f"{n_rows:,} rows, not {entry['rows']:,}")


def _check_rows(dataset: Dataset, shard: int, tick: Callable[[int], object]) -> tuple[list[Fault], Hashes]:
    first, n_rows = dataset.rows_of_shard(shard)
    faults: list[Fault] = []
    hashes = _none(n_rows)
    at = first

    def unreadable(damage: Damage) -> None:
        nonlocal at
        faults.append(
            Fault(what=damage.fault, row_group=damage.group, row=damage.first, n_rows=damage.n_rows)
        )
        at += damage.n_rows
        tick(damage.n_rows)

    for batch in dataset.scan(COLUMNS, start=first, stop=first + n_rows, damaged=unreadable):
        rows = batch.to_pylist()
        for i, row in enumerate(rows):
            if (what := row_fault(row)) is not None:
                faults.append(Fault(what=what, row=at + i, uid=row["uid"]))
        hashes[at - first : at - first + len(rows)] = hash_texts(batch["uid"].fill_null(""), 0)
        at += len(rows)
        tick(len(rows))
    return faults, hashes


def row_fault(row: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a row of ``COLUMNS``, or None."""
    data = (row["image"] or {}).get("bytes")
    if not row["uid"]:
        return "it has no uid"
    if not (row["label"] or "").strip():
        return "it has no label"
    if data is None:
        return "it has no image"
    if sha256(data) != row["sha256"]:
        return "the image's bytes do not match sha256"
    try:
        image = decode(data)
    except BrokenImageError as error:
        return f"the image cannot be read: {error}"
    height, width = image.shape[:2]
    if (width, height) != (row["width"], row["height"]):
        return f"the image has {width}x{height} pixels, not {row['width']}x{row['height']}"
    if row["dhash128"] is not None and (bits := _distance(dhash128(image), row["dhash128"])) > MOST_BITS:
        return f"the image is {bits} bits from dhash128"
    return None


def _distance(one: str, other: str) -> int:
    try:
        return (int(one, 16) ^ int(other, 16)).bit_count()
    except ValueError:
        return 128


def _repeated_uids(dataset: Dataset, hashes: Sequence[Hashes]) -> Iterator[Fault]:
    """A fault for every row whose uid an earlier one has; few uids are looked at, those of equal hashes."""
    every = np.concatenate([_none(0), *hashes])
    order = np.argsort(every, kind="stable")
    ordered = every[order]
    same = np.zeros(len(every), bool)
    same[1:] = (ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)
    same[:-1] |= same[1:]
    rows = np.sort(order[same])
    rows = rows[rows < len(dataset)]  # the manifest may say less than there is
    first: dict[str, int] = {}
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000].tolist()
        for row, found in zip(part, dataset.take(part, ["uid"]), strict=True):
            if found["uid"] and first.setdefault(found["uid"], row) != row:
                shard = dataset.manifest["shards"][dataset.shard_of(row)]["file"]
                what = f"its uid is that of row {first[found['uid']]}"
                yield Fault(what=what, shard=shard, row=row, uid=found["uid"])
