"""What the other cells foretell of the largest, said before its test words are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curation.core.errors import UserError
from train.laws import Points
from train.laws.blending import Blend
from train.laws.interval import Interval
from train.study.answers.design_findings import MOVES, blend_design
from train.study.answers.draws import ALL_TESTS
from train.study.answers.joint_findings import blend_joint, joint_cells
from train.study.rows import Study

JOINT = "joint"


def forecast(study: Study, held_out: Sequence[str]) -> dict[str, Any]:
    """Predict the cells ``held_out`` from the rows of all others.

    Args:
        study: With the rows of the other cells, and none of those to be predicted.
        held_out: Names of the cells.

    Returns:
        JSON values: the fingerprint of the rows used, and for every cell, test set (and all of them
        together) and law either the accuracy of the cell, a mean over its seeds, with intervals that hold the
        fit, other seeds and the words that flip with them; or why there is none.
    """
    tests: list[str | None] = [*study.tests, *([None] if len(study.tests) > 1 else [])]
    found = []
    for test in tests:
        points = study.points(test)
        for law, cells in _laws(study, held_out):
            name = ALL_TESTS if test is None else test
            found += [
                {"cell": cell, "test": name, **entry} for cell, entry in _predict(study, points, law, cells)
            ]
    return {
        "format": 1,
        "kind": "forecast",
        "study": study.fingerprint,
        "runs": [row["run"] for row in study.rows],
        "held_out": list(held_out),
        "forecasts": found,
    }


def _laws(study: Study, held_out: Sequence[str]) -> list[tuple[Mapping[str, Any] | None, list[str]]]:
    """Who predicts which cells: the joint law (None), and each design whose sizes move."""
    known = {row["cell"] for row in study.rows}
    fit_in, _ = joint_cells(study, known | set(held_out))
    found: list[tuple[Mapping[str, Any] | None, list[str]]] = [(None, [c for c in held_out if c in fit_in])]
    for design in study.designs:
        places = {place["cell"] for place in design["places"] if place["x"] is not None}
        if design["kind"] in MOVES:
            found.append((design, [cell for cell in held_out if cell in places]))
    return [(law, cells) for law, cells in found if cells]


def _predict(
    study: Study, points: Points, design: Mapping[str, Any] | None, cells: Sequence[str]
) -> list[tuple[str, dict[str, Any]]]:
    by = JOINT if design is None else design["name"]
    try:
        blended = blend_design(study, design, points) if design else blend_joint(study, points)
    except UserError as refusal:
        return [(cell, {"by": by, "refused": str(refusal)}) for cell in cells]
    return [(cell, {"by": by, **_one(study, points, design, blended, cell)}) for cell in cells]


def _one(
    study: Study, points: Points, design: Mapping[str, Any] | None, blended: Blend, cell: str
) -> dict[str, Any]:
    n_seeds = len(study.recipe["seeds"])
    columns = _columns(study, points, design, cell)
    at = {name: np.full(n_seeds, columns[name]) for name in blended.columns}
    estimate, _ = blended.predict(at)
    drawn = blended.predict_runs(at, np.full(n_seeds, points.words[0])).mean(axis=1)
    return {
        "law": blended.title,
        "n_seeds": n_seeds,
        "predicted": Interval.of(1 - float(estimate[0]), 1 - drawn).json(),
    }


def _columns(study: Study, points: Points, design: Mapping[str, Any] | None, cell: str) -> dict[str, float]:
    """What laws reckon with, of a cell that has no row: from ``study.json``, and from cells trained alike."""
    found = next(entry for entry in study.facts["cells"] if entry["name"] == cell)["stages"][-1]
    kinds = {part["name"]: part["kind"] for part in study.parts}
    n = {
        kind: float(sum(n for part, n in found["words"].items() if kinds[part] == kind))
        for kind in ("real", "synthetic")
    }
    total, train = sum(n.values()), study.recipe["train"]
    samples = float(
        found["changes"].get("steps", train["steps"]) * found["changes"].get("batch", train["batch"])
    )
    return {
        "n_real": n["real"],
        "n_synthetic": n["synthetic"],
        "n_total": total,
        "seen_real": samples * n["real"] / total,
        "seen_synthetic": samples * n["synthetic"] / total,
        "samples": samples,
        "parameters": _parameters(study, points, design, cell, found["changes"]),
    }


def _parameters(
    study: Study, points: Points, design: Mapping[str, Any] | None, cell: str, changes: Mapping[str, Any]
) -> float:
    """Those of cells with the same model, or where the design of sizes has the cell."""
    if design is not None and design["kind"] == "model_size":
        return float(next(place["x"] for place in design["places"] if place["cell"] == cell))
    model = {key: value for key, value in changes.items() if key.startswith("model")}
    for entry in study.facts["cells"]:
        theirs = {k: v for k, v in entry["stages"][-1]["changes"].items() if k.startswith("model")}
        if theirs == model and (alike := points.cell == entry["name"]).any():
            return float(points.columns["parameters"][alike][0])
    sizes = [place for d in study.designs if d["kind"] == "model_size" for place in d["places"]]
    return float(next(place["x"] for place in sizes if place["cell"] == cell))
