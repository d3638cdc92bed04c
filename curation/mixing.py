"""Making a mixture: which words of which datasets, and in which order. No pixels are copied."""

from __future__ import annotations

import errno
import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.core import fingerprint
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import refuse_existing, whole, whole_folder, write_json
from curation.core.labels import protocol
from curation.core.pool import progress
from curation.core.recipe import resolved
from curation.mix_recipe import MixRecipe, MixSource, Validation, load_mix, resolve
from curation.mixture import FORMAT
from curation.schedule import interleave, pass_order
from curation.words import Words, gather, key, mix64

__all__ = ["MixRecipe", "MixSource", "Validation", "load_mix", "mix"]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """All that a mixture holds, before it is written.

    Attributes:
        sources: For each source, which number of positions it gets and the words that fill them.
        columns: ``selection.parquet``: source number, dataset number and row at each position.
        held: ``validation.parquet``: dataset number and row.
    """

    sources: list[tuple[int, Words]]
    columns: dict[str, NDArray[Any]]
    held: dict[str, NDArray[Any]]


def mix(spec: MixRecipe | Path, out: Path, *, seed: int = 0, dry_run: bool = False) -> dict[str, Any]:
    """Select words from datasets at the exact ratio that the recipe asks for.

    Args:
        spec: The recipe, or the path of one. Paths in it are relative to the current directory.
        out: The folder to write; it appears whole or not at all.
        seed: Which words are chosen, and their order. A smaller mixture of the same sources with the same
            seed is contained in a larger one.
        dry_run: Do everything but write.

    Returns:
        The manifest. ``unique`` counts different words and ``positions`` those seen in one pass.

    Raises:
        UserError: something in the recipe, its datasets or ``out`` does not fit.
    """
    where = spec.name if isinstance(spec, Path) else "mix recipe"
    if isinstance(spec, Path):
        spec = load_mix(spec)
    refuse_existing(out)
    datasets = _open_all(spec, where)
    plan = _plan(spec, datasets, seed, where)
    manifest = _manifest(spec, datasets, plan, seed, out)
    return manifest if dry_run else _write(out, plan, manifest)


def _open_all(spec: MixRecipe, where: str) -> list[list[tuple[int, Dataset]]]:
    """Each source's datasets with their numbers."""
    paths = [path for source in spec.sources for path in source.paths]
    real = [path.resolve() for path in paths]
    for path in paths:
        if real.count(path.resolve()) > 1:
            raise UserError(f"{where}: dataset {path} is named twice. Name it once.")
    if len(paths) > 256:
        raise UserError(f"{where}: {len(paths)} datasets; at most 256 can be mixed. Merge some.")
    numbers = iter(range(len(paths)))
    return [[(next(numbers), Dataset.open(path)) for path in source.paths] for source in spec.sources]


def _plan(spec: MixRecipe, datasets: list[list[tuple[int, Dataset]]], seed: int, where: str) -> _Plan:
    rules = protocol(spec.protocol, where=where)
    with progress(sum(len(d) for group in datasets for _, d in group), "words", "mixing") as bar:
        offered = [gather(group, rules, key(seed, "order"), bar.update) for group in datasets]
    held = _hold_out(spec, offered, seed, where)
    left = [words.select(~_contains(held.hashes, words.hashes)) for words in offered] if held else offered
    counts = resolve(spec, [len(words) for words in left], where=where)
    pattern = interleave(counts)
    columns: dict[str, NDArray[Any]] = {
        "source": pattern,
        "dataset": np.empty(len(pattern), np.uint8),
        "row": np.empty(len(pattern), np.uint32),
    }
    for i, (source, words, count) in enumerate(zip(spec.sources, left, counts, strict=True)):
        chosen = _chosen(seed, source.name, len(words), count)
        at = np.flatnonzero(pattern == i)
        columns["dataset"][at], columns["row"][at] = words.numbers[chosen], words.rows[chosen]
    none = np.empty(0, np.uint8), np.empty(0, np.uint32)
    numbers, rows = (held.numbers, held.rows) if held else none
    return _Plan(
        sources=list(zip(counts, offered, strict=True)),
        columns=columns,
        held={"dataset": numbers, "row": rows},
    )


def _hold_out(spec: MixRecipe, offered: list[Words], seed: int, where: str) -> Words | None:
    """The validation words: chosen by a second hash of the same uids, so whatever else is chosen."""
    if spec.validation is None:
        return None
    names = [source.name for source in spec.sources]
    words = offered[names.index(spec.validation.source)]
    if len(words) < spec.validation.count:
        raise UserError(
            f"{where}, validation: source {spec.validation.source!r} has {len(words)} words, fewer than the "
            f"{spec.validation.count} to hold out. Lower count."
        )
    other = mix64(words.hashes ^ np.uint64(key(seed, "validation")))
    chosen = np.zeros(len(words), bool)
    chosen[np.argsort(other, kind="stable")[: spec.validation.count]] = True
    return words.select(chosen)


def _contains(few: NDArray[np.uint64], many: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of ``many`` are among ``few``, which are rising and at least one."""
    near = np.minimum(np.searchsorted(few, many), len(few) - 1)
    found: NDArray[np.bool_] = few[near] == many
    return found


def _chosen(seed: int, source: str, n: int, count: int) -> NDArray[np.int64]:
    """Indices of ``count`` of ``n`` words in their order: the first of them, lap by lap if they repeat."""
    laps = [
        pass_order(seed, source, 0, lap, min(n, count - first))
        for lap, first in enumerate(range(0, count, n or 1))
    ]
    return np.concatenate(laps) if laps else np.empty(0, np.int64)


def _manifest(
    spec: MixRecipe, datasets: list[list[tuple[int, Dataset]]], plan: _Plan, seed: int, out: Path
) -> dict[str, Any]:
    n_positions = len(plan.columns["row"])
    sources = [
        _source(source, group, count, words, plan, out)
        for source, group, (count, words) in zip(spec.sources, datasets, plan.sources, strict=True)
    ]
    content = {
        "sources": [[s["name"], [d["fingerprint"] for d in s["datasets"]]] for s in sources],
        "seed": seed,
        "selection": {name: _digest(column) for name, column in plan.columns.items()},
        "validation": {name: _digest(column) for name, column in plan.held.items()},
    }
    return {
        "format": FORMAT,
        "kind": "mixture",
        "fingerprint": fingerprint.sha256_json(content),
        "n_positions": n_positions,
        "n_unique": sum(s["unique"] for s in sources),
        "n_validation": len(plan.held["row"]),
        "sources": sources,
        "recipe": resolved(spec),
        "seed": seed,
        "versions": fingerprint.versions(),
        "git_commit": fingerprint.git_commit(),
    }


def _source(
    source: MixSource, group: list[tuple[int, Dataset]], count: int, words: Words, plan: _Plan, out: Path
) -> dict[str, Any]:
    """What the manifest says of one source: asked for and resolved, unique and seen, left out and why."""
    datasets = [
        _dataset(number, dataset, reasons, plan, out)
        for (number, dataset), reasons in zip(group, words.left_out, strict=True)
    ]
    unique = sum(entry["unique"] for entry in datasets)
    return {
        "name": source.name,
        "asked": source.asked(),
        "share": count / len(plan.columns["row"]),
        "n_rows": sum(entry["n_rows"] for entry in datasets),
        "left_out": dict(sum(words.left_out, Counter())),
        "held_out": sum(entry["held_out"] for entry in datasets),
        "positions": count,
        "unique": unique,
        "repeats": count / unique if unique else 0.0,
        "datasets": datasets,
    }


def _dataset(number: int, dataset: Dataset, reasons: Counter[str], plan: _Plan, out: Path) -> dict[str, Any]:
    rows = plan.columns["row"][plan.columns["dataset"] == number]
    used = np.zeros(len(dataset), bool)
    used[rows] = True
    return {
        "path": str(dataset.path),
        "path_from_mixture": os.path.relpath(dataset.path.resolve(), out.resolve()),
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "n_rows": len(dataset),
        "left_out": dict(reasons),
        "held_out": int(np.count_nonzero(plan.held["dataset"] == number)),
        "positions": len(rows),
        "unique": int(np.count_nonzero(used)),
    }


def _digest(column: NDArray[Any]) -> str:
    return hashlib.sha256(column.astype(column.dtype.newbyteorder("<")).tobytes()).hexdigest()


def _write(out: Path, plan: _Plan, manifest: dict[str, Any]) -> dict[str, Any]:
    selection = {"position": np.arange(len(plan.columns["row"]), dtype=np.int64), **plan.columns}
    try:
        with whole_folder(out) as draft:
            _write_table(draft / "selection.parquet", selection)
            _write_table(draft / "validation.parquet", plan.held)
            manifest["files"] = {path.name: path.stat().st_size for path in sorted(draft.glob("*.parquet"))}
            write_json(draft / "manifest.json", manifest)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(f"the disk is full, writing to {out}. Free some space and run it again.") from error
    return manifest


def _write_table(path: Path, columns: dict[str, NDArray[Any]]) -> None:
    few = [name for name in columns if name in ("source", "dataset")]
    rising = {name: "DELTA_BINARY_PACKED" for name in columns if name == "position"}  # next to no bytes
    with whole(path) as draft:
        pq.write_table(
            pa.table(columns), draft, compression="zstd", use_dictionary=few, column_encoding=rising
        )
