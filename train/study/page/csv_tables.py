"""The figures of a study as tables for a spreadsheet: ``runs.csv`` and ``cells.csv``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core.files import write_text
from train.study.page.sections import changes
from train.study.rows import Row, Study

TABLES = "runs.csv", "cells.csv"
OF_RUN = (
    "run", "cell", "seed", "n_real", "n_synthetic", "n_total", "steps", "samples_seen", "model", "parameters",
    "flops", "device", "threads", "git_commit", "mixture", "recipe",
)  # fmt: skip
OF_PART = ("words", "unique", "seen")
OF_SCORE = ("n_used", "n_correct", "accuracy", "accuracy_low", "accuracy_high", "one_minus_ned")
ENDS = ("estimate", "low95", "low80", "high80", "high95")


def write_tables(study: Study, laws: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write ``runs.csv``, one line a run, and ``cells.csv``, one line a cell and test set.

    Counts are whole numbers, shares fractions; a figure that is missing is an empty field. Returns the paths.
    """
    runs, cells = (study.path / name for name in TABLES)
    write_text(runs, _text([_of_run(study, row) for row in study.rows]))
    write_text(cells, _text(_of_cells(study, laws)))
    return runs, cells


def _of_run(study: Study, row: Row) -> dict[str, Any]:
    parts = [part["name"] for part in study.parts]
    validation = row["validation"] or {}
    return {
        **{key: row.get(key) for key in OF_RUN},
        **{f"{what}_{part}": row[what].get(part, 0) for what in OF_PART for part in parts},
        **{f"validation_{key}": validation.get(key) for key in ("n_used", "n_correct", "accuracy")},
        **{f"{score['name']}_{key}": score[key] for score in row["tests"] for key in OF_SCORE},
        "versions": json.dumps(row["versions"], sort_keys=True),
    }


def _of_cells(study: Study, laws: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = [part["name"] for part in study.parts]
    found = []
    for cell in study.cells:
        rows = study.runs(cell)
        same = {
            "cell": cell,
            "changes": changes(study, cell),
            **{f"words_{part}": rows[0]["words"].get(part, 0) for part in parts},
            "n_real": rows[0]["n_real"],
            "n_synthetic": rows[0]["n_synthetic"],
            "parameters": rows[0]["parameters"],
            "samples_seen": rows[0]["samples_seen"],
            "seeds": " ".join(str(row["seed"]) for row in rows),
            "held_out": cell in study.facts["held_out"],
        }
        for test in laws["tests"]:
            accuracy = {f"accuracy_{key}": test["cells"][cell][key] for key in ENDS}
            found.append({**same, "test": test["name"], "test_words": test["words"], **accuracy})
    return found


def _text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Comma-separated lines with one heading; None is an empty field."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
