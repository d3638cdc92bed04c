"""What an earlier call has left of a run: taken as it is if it is what the study would make, else refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.files import read_json, write_json
from curation.core.fingerprint import sha256_file
from curation.core.manifest import refuse_odd
from curation.core.recipe import resolved
from curation.mixing import MixRecipe
from train.fit import HARMLESS
from train.recipe import TrainRecipe
from train.run_folder import differing
from train.study.plan import Plan

MACHINE = {"device", "init.path"}  # what a recipe leaves to the machine, and folders under other names


def mixture(folder: Path, spec: MixRecipe, seed: int) -> dict[str, Any]:
    """Read the manifest of a mixture that is there.

    Raises:
        UserError: it is damaged, or of another recipe or seed.
    """
    if not (folder / "manifest.json").is_file():
        raise UserError(
            f"mixture {folder} is damaged: it has no manifest.json. Remove it and run ablate again."
        )
    manifest: dict[str, Any] = read_json(folder / "manifest.json")
    keys = _unlike(manifest["recipe"], resolved(spec), frozenset())
    if manifest["seed"] != seed:
        keys.append("seed")
    if keys:
        raise UserError(
            f"mixture {folder} is not the one that this study makes: it differs in {', '.join(keys)}. "
            "Remove it and run ablate again."
        )
    return manifest


def record(folder: Path, recipe: TrainRecipe, seed: int, mixture: Mapping[str, Any]) -> dict[str, Any]:
    """Read the ``run.json`` of a finished training that is there.

    Raises:
        UserError: it is damaged, or of another recipe, seed or mixture.
    """
    file = folder / "run.json"
    found: dict[str, Any] = read_json(file)
    kinds = {"recipe": dict, "seed": int, "mixture": dict, "steps": int, "samples_seen": int}
    refuse_odd(found, kinds, file, f"Remove {folder} and run ablate again.")
    threads = frozenset({"threads"} if found["recipe"].get("device") == "cuda" else set())
    keys = _unlike(found["recipe"], resolved(recipe), HARMLESS | MACHINE | threads)
    if found["seed"] != seed:
        keys.append("seed")
    if found["mixture"].get("fingerprint") != mixture["fingerprint"]:
        keys.append("mixture")
    if keys:
        raise UserError(
            f"run {folder} is not trained as this study trains it: it differs in {', '.join(keys)}. "
            "Remove it and run ablate again."
        )
    return found


def scores(study: Plan, folder: Path, evaluate: Any) -> list[dict[str, Any]]:
    """Scores of the run in ``folder`` on all test sets; those that are there and hold are not made again.

    Args:
        study: The study.
        folder: A finished run.
        evaluate: As ``Steps.evaluate``.
    """
    weights = folder / "model.pt"
    made_by = sha256_file(weights) if weights.is_file() else None
    found = []
    for test in [entry for entry in study.datasets if entry["role"] == "test"]:
        facts = {"dataset": test["fingerprint"], "protocol": study.recipe.protocol, "weights": made_by}
        file = folder / "scores" / f"{test['name']}.json"
        predictions = folder / "predictions" / f"{test['name']}.parquet"
        score = _kept(file, predictions, facts)
        if score is None:
            (made,) = evaluate(folder, [Path(test["path"])], protocol=study.recipe.protocol)
            score = asdict(made)
            if predictions.is_file():
                file.parent.mkdir(exist_ok=True)
                write_json(file, {**facts, "predictions": sha256_file(predictions), "score": score})
        found.append(score)
    return found


def _kept(file: Path, predictions: Path, facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The score in ``file`` if it is of these predictions, weights and words."""
    if not file.is_file() or not predictions.is_file():
        return None
    try:
        kept = read_json(file)
    except UserError:
        return None  # cut short or edited: it is made again
    if not isinstance(kept, dict) or any(kept.get(key) != value for key, value in facts.items()):
        return None
    if kept.get("predictions") != sha256_file(predictions):
        return None
    score: dict[str, Any] | None = kept.get("score")
    return score


def _unlike(old: Mapping[str, Any], new: Mapping[str, Any], ignored: frozenset[str] | set[str]) -> list[str]:
    """Keys that differ, dotted; those that an earlier version did not write are at their defaults."""
    return [key for key in differing(old, new) if key not in ignored and _has(old, key.split("."))]


def _has(table: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(table, Mapping) or key not in table:
            return False
        table = table[key]
    return True
