"""Filtering datasets: what a recipe says, what falls out by which reason, and what is repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core import recipe, shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import remove_folder
from curation.core.fingerprint import versions
from curation.core.pool import run_tasks
from curation.core.text import counted
from curation.filter_report import facts
from curation.filter_steps import Step, Steps, columns
from curation.filters import filters
from curation.filters.base import Filter, Prepared, Surveying
from curation.judging import judge_only
from curation.rewriting import rewrite
from curation.tally import Tally


@dataclass(frozen=True, kw_only=True)
class FilterRecipe:
    """Filters and repairs, in the order in which they work: a word is told the first reason it meets.

    Those that need labels and sizes alone cost next to nothing; put them before those that look at pictures.

    Attributes:
        filters: Tables whose ``kind`` names a filter or a repair.
        max_dropped: Greatest share of the words that may be dropped, 0-1; more is an error.
    """

    filters: tuple[Any, ...] = recipe.component(filters)
    max_dropped: float = 0.2

    def __post_init__(self) -> None:
        if not self.filters:
            raise ValueError("there are no filters; add a table [[filters]]")
        if not 0 <= self.max_dropped <= 1:
            raise ValueError(f"max_dropped must be from 0 to 1, got {self.max_dropped:g}")


def load_filters(path: Path) -> FilterRecipe:
    """Read a filter recipe from a TOML file.

    Raises:
        UserError: the file is missing, or something in it does not fit.
    """
    return recipe.load(path, FilterRecipe)


def filter_datasets(
    spec: FilterRecipe, datasets: Sequence[Dataset], out: Path, *, jobs: int, dry_run: bool = False
) -> dict[str, Any]:
    """Write the dataset ``out`` from the words of ``datasets`` that no filter drops.

    An interrupted run goes on where it stopped. Filters that count over all words first go over all
    labels, once each.

    Args:
        spec: The recipe.
        datasets: Where the words come from; several make one dataset.
        out: The folder; it must not exist, unless as the same job's unfinished work.
        jobs: Worker processes.
        dry_run: Do everything but write. More words dropped than ``max_dropped`` are then a warning.

    Returns:
        The manifest. ``funnel`` tells step by step what was seen, dropped and repaired,
        ``rejected_by_source`` the reasons by source, ``repaired_by_reason`` the words that stay under another
        label, ``examples`` a few words of each reason and repair.

    Raises:
        UserError: a list is missing, ``out`` is taken, too many words are dropped, or none is left.
    """
    shards.refuse_finished(out)
    job = _job(spec)
    starts = np.cumsum([0, *map(len, datasets)]).tolist()
    steps = _settled(spec.filters, datasets, starts, jobs)

    def judge_of(number: int) -> Steps:
        return Steps(steps=steps, number=number, start=starts[number])

    if dry_run:
        n_kept, reasons, tally = judge_only(
            datasets, judge_of, columns(steps), jobs=jobs, what="filter, dry run"
        )
        problem = _problem(spec, n_kept, reasons, tally)
        return {
            **job,
            "datasets": [dataset.as_input for dataset in datasets],
            "n_rows": n_kept,
            "n_rejected": reasons.total(),
            "rejected_by_reason": dict(sorted(reasons.items())),
            "warnings": [problem] if problem else [],
            **facts(spec.filters, tally),
        }
    return rewrite(datasets, out, judge_of, job, jobs=jobs, what="filter", check=_closing(spec))


def _job(spec: FilterRecipe) -> dict[str, Any]:
    inputs: dict[str, str] = {}
    for step in spec.filters:
        if isinstance(step, Prepared):
            inputs.update(step.inputs())
    return {
        "command": "filter",
        "recipe": recipe.resolved(spec),
        "inputs": inputs,
        "versions": versions(),
    }


def _settled(
    asked: Sequence[Any], datasets: Sequence[Dataset], starts: Sequence[int], jobs: int
) -> list[Step]:
    """Let every filter learn what it must know beforehand, from files and from what those before it leave."""
    steps: list[Step] = []
    for step in asked:
        if isinstance(step, Prepared):
            steps.append(step.prepared())
        elif isinstance(step, Surveying):
            steps.append(_surveyed(step, steps, datasets, starts, jobs))
        else:
            steps.append(step)
    return steps


def _surveyed(
    step: Surveying, before: Sequence[Step], datasets: Sequence[Dataset], starts: Sequence[int], jobs: int
) -> Filter:
    todo = [
        (number, d.path, shard, Steps(steps=before, number=number, start=starts[number]), step)
        for number, d in enumerate(datasets)
        for shard in range(d.n_shards)
    ]
    found = run_tasks(_look, todo, jobs=jobs, total=starts[-1], unit=" words", what=f"look for {step.kind}")
    parts = [part for _, _, parts in sorted(found, key=lambda item: item[:2]) for part in parts]
    if not parts:
        return step.settled(np.empty((0, 2), np.uint64), np.empty(0, np.int64))
    seen, numbers = zip(*parts, strict=True)
    return step.settled(np.concatenate(seen), np.concatenate(numbers))


def _look(
    number: int, path: Path, shard: int, before: Steps, step: Surveying, tick: Callable[[int], object]
) -> tuple[int, int, list[tuple[NDArray[np.uint64], NDArray[np.int64]]]]:
    """What a filter wants to know of the rows of a shard that the filters before it leave."""
    dataset = Dataset.open(path)
    first, n_rows = dataset.rows_of_shard(shard)
    found = []
    for batch in dataset.scan(columns(before.steps), start=first, stop=first + n_rows):
        rows = before.walk(batch, first).rows
        found.append((step.look(rows)[rows.alive], rows.numbers[rows.alive]))
        first += len(batch)
        tick(len(batch))
    return number, shard, found


def _closing(spec: FilterRecipe) -> Callable[[Path], Mapping[str, Any]]:
    def close(out: Path) -> Mapping[str, Any]:
        records = shards.completed(out)
        tally, reasons = Tally.of(records), shards.rejected_by_reason(records)
        problem = _problem(spec, sum(record["rows"] for record in records), reasons, tally)
        if problem:
            remove_folder(out, out)
            raise UserError(problem)
        return facts(spec.filters, tally)

    return close


def _problem(spec: FilterRecipe, n_kept: int, reasons: Counter[str], tally: Tally) -> str | None:
    """What to say if more words are dropped than may be."""
    n = n_kept + reasons.total()
    if reasons.total() <= spec.max_dropped * n:
        return None
    counts = counted(reasons)
    kinds = (f"{index} {reason}" for index in range(len(spec.filters)) for reason in sorted(reasons))
    _, uid, label, detail, *_ = next(tally.examples[kind][0] for kind in kinds if kind in tally.examples)
    return (
        f"{reasons.total():,} of {n:,} words would be dropped, more than the share of {spec.max_dropped:g} "
        f"allowed: {counts}; for example {uid} ({detail or repr(label)}). "
        "Look at them with --dry-run --rejects-sheet, and change the recipe or raise its max_dropped."
    )
