"""What the manifest of a mixture says: every number, and how even the order is."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core import fingerprint
from curation.core.dataset import Dataset
from curation.core.recipe import resolved
from curation.mix_inputs import Inputs
from curation.mix_recipe import MixSource
from curation.mixture import FORMAT
from curation.quotas import Quota
from curation.schedule import prefix_error
from curation.words import Words

BATCH = 256  # the batch that evenness is told for if the recipe names none
CAPS = ("label_cap", "group_label_cap", "source_cap")


@dataclass(frozen=True, kw_only=True)
class Evenness:
    """How evenly what belongs together lies in a pass.

    Attributes:
        prefix_error: Farthest that it is from its part of any prefix, in positions.
        in_batches: (N,) how many of it each batch of the first pass holds; a batch cut short is left out.
        batch: Positions in a batch.
    """

    prefix_error: float
    in_batches: NDArray[np.int64]
    batch: int

    def told(self) -> dict[str, Any]:
        """As the manifest has it; ``per_batch`` is null if the pass is shorter than one batch."""
        counts = self.in_batches
        per_batch = (
            {
                "batch": self.batch,
                "mean": round(float(counts.mean()), 4),
                "least": int(counts.min()),
                "most": int(counts.max()),
                "sd": round(float(counts.std()), 4),
            }
            if len(counts)
            else None
        )
        return {"prefix_error": math.ceil(1e4 * self.prefix_error) / 1e4, "per_batch": per_batch}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a mixture holds, before it is written.

    Attributes:
        sources: For each source, what it gets, the words that fill that, and how evenly they lie.
        columns: ``selection.parquet``: source number, dataset number and row at each position.
        held: ``validation.parquet``: dataset number and row.
    """

    sources: list[tuple[Quota, Words, Evenness]]
    columns: dict[str, NDArray[Any]]
    held: dict[str, NDArray[Any]]


def measure(at: NDArray[np.int64], total: int, batch: int | None) -> Evenness:
    """How evenly the positions ``at``, rising, lie among ``total``."""
    size = batch or BATCH
    n_batches = total // size
    counts = np.bincount(at // size, minlength=n_batches)[:n_batches]
    return Evenness(prefix_error=float(prefix_error(at, total)), in_batches=counts, batch=size)


def manifest_of(inputs: Inputs, plan: Plan, seed: int, out: Path) -> dict[str, Any]:
    """The manifest, but for the files' sizes."""
    spec = inputs.spec
    sources = [
        _source(source, group, *of, plan, out)
        for source, group, of in zip(spec.sources, inputs.datasets, plan.sources, strict=True)
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
        "n_positions": len(plan.columns["row"]),
        "n_unique": sum(s["unique"] for s in sources),
        "n_validation": len(plan.held["row"]),
        "sources": sources,
        "groups": _groups(inputs, plan, sources),
        "skipped": [{"source": name, "path": str(path)} for name, path in inputs.skipped],
        "warnings": _warnings(inputs, sources) + _shared(inputs, plan),
        "recipe": resolved(spec),
        "seed": seed,
        "versions": fingerprint.versions(),
        "git_commit": fingerprint.git_commit(),
    }


def _source(
    source: MixSource,
    group: list[tuple[int, Dataset]],
    quota: Quota,
    words: Words,
    even: Evenness,
    plan: Plan,
    out: Path,
) -> dict[str, Any]:
    """What the manifest says of one source: asked for and resolved, unique and seen, left out and why."""
    datasets = [
        _dataset(number, dataset, reasons, plan, out)
        for (number, dataset), reasons in zip(group, words.left_out, strict=True)
    ]
    unique = sum(entry["unique"] for entry in datasets)
    n_rows = sum(entry["n_rows"] for entry in datasets)
    left_out = sum(words.left_out, Counter[str]())
    return {
        "name": source.name,
        "group": source.group,
        "asked": source.asked(),
        "share": quota.positions / len(plan.columns["row"]),
        "n_rows": n_rows,
        "expected": source.expected,
        "found": n_rows - left_out["other_source"],
        "left_out": dict(left_out),
        "held_out": sum(entry["held_out"] for entry in datasets),
        "available": len(words),
        "quota": float(quota.exact),
        "remainder": float(quota.exact - math.floor(quota.exact)),
        "why": quota.why,
        "positions": quota.positions,
        "unique": unique,
        "repeats": quota.positions / unique if unique else 0.0,
        **even.told(),
        "datasets": datasets,
    }


def _dataset(number: int, dataset: Dataset, reasons: Counter[str], plan: Plan, out: Path) -> dict[str, Any]:
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


def _groups(inputs: Inputs, plan: Plan, sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the manifest says of each group, outer ones before those within them."""
    paths = [(source.group or "").split("/") if source.group else [] for source in inputs.spec.sources]
    deepest = max(map(len, paths))
    names = dict.fromkeys(
        "/".join(path[:depth]) for depth in range(1, deepest + 1) for path in paths if len(path) >= depth
    )
    n_positions = len(plan.columns["row"])
    found = []
    for name in names:
        inside = [i for i, path in enumerate(paths) if "/".join([*path, ""]).startswith(f"{name}/")]
        is_inside = np.zeros(256, bool)
        is_inside[inside] = True
        at = np.flatnonzero(is_inside[plan.columns["source"]])
        group = inputs.spec.groups.get(name)
        found.append(
            {
                "name": name,
                "sources": [sources[i]["name"] for i in inside],
                "ratio": None if group is None else group.ratio,
                "available": sum(sources[i]["available"] for i in inside),
                "positions": len(at),
                "share": len(at) / n_positions,
                "unique": sum(sources[i]["unique"] for i in inside),
                **measure(at, n_positions, inputs.spec.batch).told(),
            }
        )
    return found


def _warnings(inputs: Inputs, sources: list[dict[str, Any]]) -> list[str]:
    differ = [
        f"source {s['name']!r} has {s['found']:,} rows, not the {s['expected']:,} expected"
        for s in sources
        if s["expected"] is not None and s["expected"] != s["found"]
    ]
    skipped = [f"skipped {path} of source {name!r}: it is absent" for name, path in inputs.skipped]
    return skipped + differ


def _shared(inputs: Inputs, plan: Plan) -> list[str]:
    """Sentences about the words, told by their uids, that more than one source offers."""
    words = [words.hashes for _, words, _ in plan.sources]
    together = np.sort(np.concatenate(words))
    if not (together[1:] == together[:-1]).any():  # one sort says so for any number of sources
        return []
    named = zip(inputs.spec.sources, words, strict=True)
    return [
        f"{n:,} words are in both {one.name!r} and {other.name!r}, and are mixed as if they were different"
        for (one, left), (other, right) in itertools.combinations(named, 2)
        if (n := len(np.intersect1d(left, right, assume_unique=True)))
    ]


def _digest(column: NDArray[Any]) -> str:
    return hashlib.sha256(column.astype(column.dtype.newbyteorder("<")).tobytes()).hexdigest()
