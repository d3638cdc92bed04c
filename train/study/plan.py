"""Checking a study whole before its first run: what every run will be trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.mixing import MixRecipe, MixSource, Validation, mix
from train.recipe import resolve
from train.study.cells import Cell, Run, changed, distinct
from train.study.checks import check_parts, check_tests
from train.study.dataset_entries import described, refuse_changed
from train.study.designs import Laid, Offer
from train.study.page.table import markdown
from train.study.parts import Part
from train.study.recipe import StudyRecipe, design_names
from train.study.shared_words import count_in_tests, shared_by_parts
from train.study.warnings import warnings

__all__ = ["Plan", "Run", "grid_table", "mixture_of", "plan"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A checked study.

    Attributes:
        recipe: What was asked for.
        cells: The grid: the cells of all designs, equal ones once.
        designs: What ``study.json`` tells of each design: name, kind, sentence, axis and places.
        held_out: Names of the cells that laws predict before their test words are read.
        datasets: One entry a dataset: path, name, role, part, rows, fingerprint, rejects by reason, job; for
            a test set also ``n_shared``, its words that the training datasets hold as well.
        copies: For two parts that hold the same words, how many of the second the first holds.
        runs: Cells times seeds, in order.
        remarks: What will weaken the answer and is known before the first run.
        threads: Of the processor, for each run; None until the study is begun.
    """

    recipe: StudyRecipe
    cells: tuple[Cell, ...]
    designs: tuple[dict[str, Any], ...]
    held_out: tuple[str, ...]
    datasets: tuple[dict[str, Any], ...]
    copies: dict[tuple[str, str], int]
    runs: tuple[Run, ...]
    remarks: tuple[str, ...]
    threads: int | None = None


def plan(recipe: StudyRecipe, out: Path) -> Plan:
    """Check a study that is to be kept in ``out`` whole, and write nothing.

    Datasets exist, tests are not trained on and have words that count, every cell has enough words.

    Raises:
        UserError: something does not fit; no run has begun.
    """
    opened = _opened(recipe)
    entries = [described(role, part, path, dataset) for role, part, path, dataset in opened]
    refuse_changed(entries, out)  # else what has changed might be refused as not enough words
    by_path = {path: dataset for _, _, path, dataset in opened}
    resolve(recipe.training, out)  # refuses a device that is not there and a protocol without charset
    check_tests(recipe, by_path)
    check_parts(recipe, by_path)
    laid = lay_out(recipe, offered(recipe, out))
    grid = distinct([place.cell for design in laid for place in design.places])
    for stage in (stage for cell in grid for stage in cell.stages):
        changed(recipe.training, stage.changes)
    datasets = [dataset for *_, dataset in opened]
    copies = shared_by_parts(entries, datasets)
    count_in_tests(entries, datasets)
    return Plan(
        recipe=recipe,
        cells=grid,
        designs=tuple(
            _told(name, design, of, grid)
            for name, design, of in zip(design_names(recipe.designs), recipe.designs, laid, strict=True)
        ),
        held_out=_held_out(recipe, laid, grid),
        datasets=tuple(entries),
        copies=copies,
        runs=tuple(
            Run(name=f"{cell.name}-s{seed}", cell=cell, seed=seed) for cell in grid for seed in recipe.seeds
        ),
        remarks=tuple(
            [remark for design in laid for remark in design.remarks]
            + warnings(
                grid,
                {entry["name"]: entry["n_shared"] for entry in entries if entry["role"] == "test"},
                recipe.train,
                copies,
            )
        ),
    )


def _opened(recipe: StudyRecipe) -> list[tuple[str, str, Path, Dataset]]:
    """Role, names of the parts, path and dataset of each dataset; several parts may pick rows of one."""
    parts_of: dict[tuple[str, Path], list[str]] = {}
    for part in recipe.parts:
        for path in part.paths:
            parts_of.setdefault((part.kind, path), []).append(part.name)
    found = [(*place, ", ".join(names)) for place, names in parts_of.items()]
    found += [("test", path, "") for path in recipe.tests]
    return [(role, part, path, Dataset.open(path)) for role, path, part in found]


def offered(recipe: StudyRecipe, out: Path) -> dict[str, int]:
    """Words of each part that every seed can train on, those held out and their copies not among them.

    Raises:
        UserError: a part asks for more than there is.
    """
    n = {part.name: 0 for part in recipe.parts}
    for number, seed in enumerate(recipe.seeds):  # copies of other held-out words leave other numbers
        described = mix(mixture_of(recipe, None), out / "mixtures" / "everything", seed=seed, dry_run=True)
        for source in described["sources"]:
            there = source["positions"]
            n[source["name"]] = min(n[source["name"]], there) if number else there
    for part in recipe.parts:
        n[part.name] = _counted(recipe, part, n[part.name])
    return n


def lay_out(recipe: StudyRecipe, n: Mapping[str, int]) -> list[Laid]:
    """Lay every design out on ``n`` words of each part.

    Raises:
        UserError: a design asks for more words than there are.
    """
    named = zip(design_names(recipe.designs), recipe.designs, strict=True)
    return [
        design.lay_out(Offer(design=name, parts=recipe.parts, n=n, train=recipe.training))
        for name, design in named
    ]


def grid_table(study: Plan) -> str:
    """The runs that a study would do, as an aligned table."""
    parts, train = [part.name for part in study.recipe.parts], study.recipe.train
    head = ["run", *parts, "different words", "samples seen", "passes"]
    body = []
    for run in study.runs:
        words, samples = run.cell.words, run.cell.samples_seen(train)
        counts = [f"{words.get(part, 0):,}" for part in parts]
        passes = f"{samples / run.cell.n_words:.1f}"
        body.append([run.name, *counts, f"{run.cell.n_words:,}", f"{samples:,}", passes])
    return markdown(head, body)


def mixture_of(recipe: StudyRecipe, words: Mapping[str, int] | None) -> MixRecipe:
    """The mixture of one stage; None for all words there are, but for those held out."""
    return MixRecipe(
        protocol=recipe.protocol,
        sources=tuple(
            MixSource(
                name=part.name,
                paths=part.paths,
                only=part.only,
                count=None if words is None else words.get(part.name, 0),
            )
            for part in recipe.parts
        ),
        validation=Validation(source=recipe.held_out_part.name, count=recipe.validation),
    )


def _counted(recipe: StudyRecipe, part: Part, there: int) -> int:
    """Words of a part to use, of those ``there``."""
    if part.count is not None and part.count > there:
        held = f"beside the {recipe.validation:,} held out " if part == recipe.held_out_part else ""
        raise UserError(
            f"{held}there are {there:,} {part.name} words, fewer than the {part.count:,} asked for. "
            f"Add datasets to its paths, or lower count{' or validation' if held else ''}."
        )
    return part.count or there


def _told(name: str, design: Any, laid: Laid, grid: Sequence[Cell]) -> dict[str, Any]:
    return {
        "name": name,
        "kind": design.kind,
        "sentence": laid.sentence,
        "factor": laid.factor,
        "scale": laid.scale,
        "places": [
            {"cell": _name_in(grid, place.cell), "x": place.x, "label": place.label} for place in laid.places
        ],
        "mark": None if laid.mark is None else {"x": laid.mark[0], "label": laid.mark[1]},
        "base": None if laid.base is None else _name_in(grid, laid.base),
        "remarks": list(laid.remarks),
    }


def _name_in(grid: Sequence[Cell], cell: Cell) -> str:
    return next(found.name for found in grid if found.stages == cell.stages)


def _held_out(recipe: StudyRecipe, laid: Sequence[Laid], grid: Sequence[Cell]) -> tuple[str, ...]:
    if recipe.held_out == "none":
        return ()
    largest = {_name_in(grid, design.largest) for design in laid if design.largest is not None}
    return tuple(cell.name for cell in grid if cell.name in largest)
