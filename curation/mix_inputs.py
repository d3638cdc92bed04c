"""Opening the datasets that a mixture recipe names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.compute as pc

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.mix_recipe import MixRecipe, MixSource

MOST_DATASETS = 256  # their numbers must fit in 8 bits


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The datasets of a mixture.

    Attributes:
        spec: The recipe, without what was skipped.
        datasets: Each source's datasets with their numbers.
        skipped: Name of the source, and path, of each dataset that is absent and was skipped.
    """

    spec: MixRecipe
    datasets: list[list[tuple[int, Dataset]]]
    skipped: list[tuple[str, Path]]


def open_all(spec: MixRecipe, where: str, *, skip_absent: bool) -> Inputs:
    """Open every dataset of ``spec``.

    Raises:
        UserError: datasets are absent and not to be skipped, or one is named twice, or too many.
    """
    absent = [(source, path) for source in spec.sources for path in source.paths if not path.exists()]
    if absent and not skip_absent:
        raise UserError(_absent_message(absent, where))
    if absent:
        spec = _without(spec, {path for _, path in absent}, where)
    _refuse_twice(spec.sources, where)
    n_paths = sum(len(source.paths) for source in spec.sources)
    if n_paths > MOST_DATASETS:
        raise UserError(f"{where}: {n_paths} datasets; at most {MOST_DATASETS} can be mixed. Merge some.")
    numbers = iter(range(n_paths))
    opened: dict[Path, Dataset] = {}
    for source in spec.sources:
        for path in source.paths:
            opened.setdefault(path, Dataset.open(path))
    datasets = [[(next(numbers), opened[path]) for path in source.paths] for source in spec.sources]
    for source, group in zip(spec.sources, datasets, strict=True):
        _refuse_unknown(source, [dataset for _, dataset in group], where)
    return Inputs(spec=spec, datasets=datasets, skipped=[(source.name, path) for source, path in absent])


def _absent_message(absent: Sequence[tuple[MixSource, Path]], where: str) -> str:
    lines = [
        f"  {path} of source {source.name!r}" + (f": {source.make}" if source.make else "")
        for source, path in absent
    ]
    what = "a dataset is" if len(lines) == 1 else f"{len(lines)} datasets are"
    it, commands = ("it", "command") if len(lines) == 1 else ("them", "commands")
    given = f"the {commands} named, " if any(source.make for source, _ in absent) else ""
    remedy = f"Make {it} with {given}'glyphmix import' or 'glyphmix render', or skip {it} with --skip-absent."
    return "\n".join([f"{where}: {what} absent:", *lines, remedy])


def _without(spec: MixRecipe, absent: set[Path], where: str) -> MixRecipe:
    """The recipe without absent datasets, and without sources and groups that are left with none."""
    left = [
        replace(source, paths=tuple(path for path in source.paths if path not in absent))
        for source in spec.sources
        if not set(source.paths) <= absent
    ]
    if not left:
        raise UserError(f"{where}: every dataset is absent. Make at least one.")
    if spec.validation is not None and spec.validation.source not in [source.name for source in left]:
        raise UserError(
            f"{where}, validation: source {spec.validation.source!r} is absent. "
            "Make its datasets, or name another."
        )
    present = {source.group for source in left if source.group}
    groups = {
        name: group
        for name, group in spec.groups.items()
        if any(path == name or path.startswith(f"{name}/") for path in present)
    }
    lost = [name for name, group in spec.groups.items() if name not in groups and group.ratio]
    if lost:
        raise UserError(
            f"{where}: every dataset of group {lost[0]!r} is absent, so its ratio cannot be met. "
            "Make one of them."
        )
    return replace(spec, sources=tuple(left), groups=groups)


def _refuse_twice(sources: Sequence[MixSource], where: str) -> None:
    """A dataset may be named again only by sources that pick other rows of it."""
    taken: dict[Path, list[tuple[str, ...]]] = {}
    for source in sources:
        for path in source.paths:
            before = taken.setdefault(path.resolve(), [])
            if any(not source.only or not rows or set(rows) & set(source.only) for rows in before):
                raise UserError(
                    f"{where}: dataset {path} is named twice. Name it once, or pick other rows with 'only'."
                )
            before.append(source.only)


def _refuse_unknown(source: MixSource, datasets: Sequence[Dataset], where: str) -> None:
    """Every name in ``only`` must occur in one of the datasets."""
    if not source.only:
        return
    found: set[str] = set()
    for dataset in datasets:
        for table in dataset.tables(["source"]):
            found.update(pc.unique(table["source"]).to_pylist())
    if missing := [name for name in source.only if name not in found]:
        known = ", ".join(sorted(found)) or "none"
        raise UserError(
            f"{where}, source {source.name!r}: no row is of {missing[0]!r}, which 'only' names. "
            f"Its datasets have: {known}."
        )
