"""Checking a study whole before its first run: what every run will be trained and tested on."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.labels import protocol
from curation.core.recipe import resolved
from curation.mixing import MixRecipe, MixSource, Validation, mix
from train.learned import short_hashes
from train.recipe import resolve
from train.study import words as study_words
from train.study.recipe import Cell, StudyRecipe, cells
from train.study.report_table import markdown


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of the grid."""

    name: str
    cell: Cell
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A checked study.

    Attributes:
        recipe: What was asked for.
        cells: The grid.
        datasets: One entry a dataset: path, name, role, rows, fingerprint, rejects by reason, job; for
            a test set also ``n_shared``, its words that the training datasets hold as well.
        runs: Cells times seeds, in order.
    """

    recipe: StudyRecipe
    cells: tuple[Cell, ...]
    datasets: tuple[dict[str, Any], ...]
    runs: tuple[Run, ...]

    @property
    def samples_seen(self) -> int:
        """Words each run sees in training, repeats counted."""
        return self.recipe.train.steps * self.recipe.train.batch

    @property
    def remarks(self) -> list[str]:
        """What will weaken the answer and is known before the first run."""
        return study_words.warnings(
            [resolved(cell) for cell in self.cells],
            {entry["name"]: entry["n_shared"] for entry in self.datasets if entry["role"] == "test"},
            self.samples_seen,
        )


def plan(recipe: StudyRecipe, out: Path) -> Plan:
    """Check a study that is to be kept in ``out`` whole, and write nothing.

    Datasets exist, tests are not trained on and have words that count, every cell has enough words.

    Raises:
        UserError: something does not fit; no run has begun.
    """
    roles = {"real": recipe.real.paths, "synthetic": recipe.synthetic.paths, "test": recipe.tests}
    opened = [(role, path, Dataset.open(path)) for role, paths in roles.items() for path in paths]
    _check_tests(opened)
    resolve(recipe.training, out)  # refuses a device that is not there and a protocol without charset
    _refuse_empty_tests(opened, recipe.protocol)
    everything = mixture_of(recipe, n_real=None, n_synthetic=None)
    offered = mix(everything, out / "mixtures" / "everything", dry_run=True)["sources"]
    grid = cells(recipe, n_real=offered[0]["positions"], n_synthetic=offered[1]["positions"])
    datasets = [_described(role, path, dataset) for role, path, dataset in opened]
    _count_shared(datasets, [dataset for _, _, dataset in opened])
    runs = [
        Run(name=f"{recipe.design}-{cell.name}-s{seed}", cell=cell, seed=seed)
        for cell in grid
        for seed in recipe.seeds
    ]
    return Plan(recipe=recipe, cells=tuple(grid), datasets=tuple(datasets), runs=tuple(runs))


def grid_table(study: Plan) -> str:
    """The runs that a study would do, as an aligned table."""
    recipe = study.recipe
    head = ["run", recipe.real.name, recipe.synthetic.name, "different words", "samples seen", "passes"]
    body = [
        [
            run.name,
            f"{run.cell.n_real:,}",
            f"{run.cell.n_synthetic:,}",
            f"{run.cell.n_total:,}",
            f"{study.samples_seen:,}",
            f"{study.samples_seen / run.cell.n_total:.1f}",
        ]
        for run in study.runs
    ]
    return markdown(head, body)


def _check_tests(opened: list[tuple[str, Path, Dataset]]) -> None:
    trained_on = {dataset.fingerprint: path for role, path, dataset in opened if role != "test"}
    names: dict[str, Path] = {}
    for role, path, dataset in opened:
        if role != "test":
            continue
        if (same := trained_on.get(dataset.fingerprint)) is not None:
            raise UserError(f"test set {path} is also trained on, as {same}. Take it out of one of the two.")
        if dataset.name in names:
            raise UserError(
                f"test sets {names[dataset.name]} and {path} are both named {dataset.name}. Rename a folder."
            )
        names[dataset.name] = path


def _refuse_empty_tests(opened: list[tuple[str, Path, Dataset]], protocol_name: str) -> None:
    """Refuse a test set that the last step of the first run would find to hold nothing to read."""
    rules = protocol(protocol_name)
    for role, path, dataset in opened:
        if role != "test":
            continue
        reasons = Counter(
            rules.normalise(label)[1] for label in dataset.table(["label"])["label"].to_pylist()
        )
        if not reasons.pop(None, 0):
            counts = ", ".join(f"{n} {why}" for why, n in sorted(reasons.items())) or "it is empty"
            raise UserError(
                f"test set {path} has no word that counts under protocol {protocol_name} ({counts}). "
                "Check its labels, or choose another protocol."
            )


def _count_shared(entries: Sequence[dict[str, Any]], datasets: Sequence[Dataset]) -> None:
    """Note beside each test set how many of its words the training datasets hold, by image file or uid."""
    known = {}
    for column in ("sha256", "uid"):
        trained_on = [d for d, entry in zip(datasets, entries, strict=True) if entry["role"] != "test"]
        known[column] = np.unique(np.concatenate([short_hashes(d, column) for d in trained_on]))
    for entry, dataset in zip(entries, datasets, strict=True):
        if entry["role"] == "test":
            same = [np.isin(short_hashes(dataset, column), hashes) for column, hashes in known.items()]
            entry["n_shared"] = int(np.count_nonzero(same[0] | same[1]))


def _described(role: str, path: Path, dataset: Dataset) -> dict[str, Any]:
    manifest = dataset.manifest
    return {
        "path": str(path),
        "name": dataset.name,
        "role": role,
        "n_rows": len(dataset),
        "fingerprint": dataset.fingerprint,
        "rejected_by_reason": manifest["rejected_by_reason"],
        "command": remake(path, manifest),
    }


def mixture_of(recipe: StudyRecipe, *, n_real: int | None, n_synthetic: int | None) -> MixRecipe:
    """The mixture of one cell; None for all words there are, but for those held out."""
    return MixRecipe(
        protocol=recipe.protocol,
        sources=(
            MixSource(name="real", paths=recipe.real.paths, count=n_real),
            MixSource(name="synthetic", paths=recipe.synthetic.paths, count=n_synthetic),
        ),
        validation=Validation(source="real", count=recipe.validation),
    )


def remake(path: Path, manifest: Mapping[str, Any]) -> str:
    """The command that makes a dataset again, as far as its manifest tells; empty if it does not."""
    if manifest.get("command") == "import":
        return (
            f"glyphmix import {manifest['importer']} SOURCE --split {manifest['split']} "
            f"--name {shlex.quote(manifest['name'])} -o {shlex.quote(str(path))}"
        )
    if manifest.get("command") == "render":
        recipe, n, seed = manifest["recipe_name"], manifest["n"], manifest["seed"]
        return f"glyphmix render {shlex.quote(recipe)} -n {n} --seed {seed} -o {shlex.quote(str(path))}"
    return ""
