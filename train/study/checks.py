"""What is wrong with the datasets of a study, found before they are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.labels import protocol
from train.study.designs.base import plural
from train.study.parts import Part
from train.study.recipe import StudyRecipe


def check_tests(recipe: StudyRecipe, datasets: Mapping[Path, Dataset]) -> None:
    """Refuse tests that are trained on, that share a name, or that hold nothing to read.

    The last is what the last step of the first run would find.

    Args:
        recipe: The study.
        datasets: All that it names, by their paths.
    """
    trained_on = {datasets[path].fingerprint: path for part in recipe.parts for path in part.paths}
    names: dict[str, Path] = {}
    for path in recipe.tests:
        if path in names.values():
            raise UserError(f"test set {path} is named twice. Name it once.")
        dataset = datasets[path]
        if (same := trained_on.get(dataset.fingerprint)) is not None:
            raise UserError(f"test set {path} is also trained on, as {same}. Take it out of one of the two.")
        if dataset.name in names:
            raise UserError(
                f"test sets {names[dataset.name]} and {path} are both named {dataset.name}. Rename a folder."
            )
        names[dataset.name] = path
        _refuse_empty(path, dataset, recipe.protocol)


def check_parts(recipe: StudyRecipe, datasets: Mapping[Path, Dataset]) -> None:
    """Refuse parts with words of a test set, and too few words to hold some out.

    Args:
        recipe: The study.
        datasets: All that it names, by their paths.
    """
    for part in recipe.parts:
        there = 0
        for path in part.paths:
            n, n_test = _rows(part, datasets[path])
            if n_test:
                raise UserError(
                    f"part {part.name} has {plural(n_test, 'word')} of a test set: rows of split 'test' in "
                    f"{path}. Give the set's training part."
                )
            there += n
        if part == recipe.held_out_part and there < recipe.validation:
            raise UserError(
                f"part {part.name} has {there:,} words, fewer than the {recipe.validation:,} to hold out. "
                "Lower validation, or add datasets to the paths of the part."
            )


def _rows(part: Part, dataset: Dataset) -> tuple[int, int]:
    """How many rows of a dataset a part picks, and how many of them are of split ``test``."""
    table = dataset.table(["split", "source"])
    if part.only:
        table = table.filter(pc.is_in(table["source"].cast("string"), pa.array(part.only)))
    return len(table), int(pc.sum(pc.fill_null(pc.equal(table["split"], "test"), False)).as_py() or 0)


def _refuse_empty(path: Path, dataset: Dataset, protocol_name: str) -> None:
    rules = protocol(protocol_name)
    reasons = Counter(rules.normalise(label)[1] for label in dataset.table(["label"])["label"].to_pylist())
    if not reasons.pop(None, 0):
        counts = ", ".join(f"{n} {why}" for why, n in sorted(reasons.items())) or "it is empty"
        raise UserError(
            f"test set {path} has no word that counts under protocol {protocol_name} ({counts}). "
            "Check its labels, or choose another protocol."
        )
