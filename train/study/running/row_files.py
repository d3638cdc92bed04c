"""The rows of a study on disk: one file a run, and all of them in the order of the grid."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.files import write_text
from curation.core.fingerprint import sha256_json
from curation.core.lock import in_turn
from curation.core.recipe import resolved
from train.study.plan import Plan, Run
from train.study.rows import Row, is_row
from train.study.running.begin import LOCK

AGAIN = "run ablate again: it only evaluates anew"


def path_of(out: Path, run: str) -> Path:
    """Where the row of a run is kept."""
    return out / "runs" / run / "row.json"


def write_row(out: Path, row: Mapping[str, Any]) -> None:
    """Keep the row of a finished run, whole or not at all.

    Raises:
        UserError: a number in it is not finite.
    """
    if places := list(_not_finite(row)):
        raise UserError(
            f"run {row['run']} has no number for {', '.join(places)}. "
            f"Remove {out / 'runs' / row['run'] / 'predictions'} and {AGAIN}."
        )
    text = json.dumps(row, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path_of(out, row["run"]), text + "\n")


def collect(study: Plan, out: Path) -> dict[str, Row]:
    """Read the rows of all finished runs, in the order of the grid, and write ``runs.jsonl`` of them.

    Whichever process is last to finish a run writes all rows, so that the file is the same for any number
    of processes.

    Raises:
        UserError: a row is damaged, another study's, or of a run that this one does not have.
    """
    with in_turn(out / LOCK):
        _refuse_strange(study, out)
        rows = {run.name: _read(study, out, run) for run in study.runs if path_of(out, run.name).is_file()}
        lines = [json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in rows.values()]
        path = out / "runs.jsonl"
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != "".join(lines):
            write_text(path, "".join(lines))
        return rows


def _read(study: Plan, out: Path, run: Run) -> Row:
    path, tests = path_of(out, run.name), [d["name"] for d in study.datasets if d["role"] == "test"]
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        row = None
    if not is_row(row) or list(_not_finite(row)) or [score["name"] for score in row["tests"]] != tests:
        raise UserError(f"{path} is damaged. Remove it and {AGAIN}.")
    if row["run"] != run.name:
        raise UserError(f"{path} is the row of {row['run']}. {_anew(run.name)}")
    datasets = {entry["path"]: entry["fingerprint"] for entry in study.datasets}
    if row.get("recipe") != sha256_json(resolved(study.recipe)) or row.get("datasets") != datasets:
        raise UserError(
            f"{path} is of another study: its recipe or datasets are not those of {out}. {_anew(run.name)}"
        )
    if (row["cell"], row["seed"], row["words"]) != (run.cell.name, run.seed, _words(study, run)):
        raise UserError(f"{path} has another cell, seed or words than {run.name}. Remove it and {AGAIN}.")
    return row


def _words(study: Plan, run: Run) -> dict[str, int]:
    return {part.name: run.cell.words.get(part.name, 0) for part in study.recipe.parts}


def _anew(run: str) -> str:
    return f"Remove the folder runs/{run} and run ablate again."


def _refuse_strange(study: Plan, out: Path) -> None:
    known = {run.name for run in study.runs}
    for path in sorted(out.glob("runs/*/row.json")):
        if path.parent.name not in known:
            raise UserError(
                f"{path} is the row of no run of this study. Remove the folder runs/{path.parent.name}."
            )


def _not_finite(value: Any, place: str = "") -> Iterator[str]:
    """The places in a row that hold NaN or an infinity: ``tests.0.accuracy``."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _not_finite(inner, f"{place}.{number}")
    elif isinstance(value, float) and not math.isfinite(value):
        yield place
