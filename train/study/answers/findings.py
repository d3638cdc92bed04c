"""What a finished study says: differences, laws, the exchange rate, forecast against outcome."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from curation.core.files import read_json, write_text
from train.laws import Points
from train.laws.purse import Purse
from train.study.answers.design_findings import base_of, best_on_validation, design_findings
from train.study.answers.draws import ALL_TESTS as ALL_TESTS
from train.study.answers.draws import Outcome, draw_outcome
from train.study.answers.joint_findings import joint_findings
from train.study.rows import FORMAT, Study

LAWS = Path(__file__).parents[2] / "laws"


def study_laws(study: Study, purse: Purse | None = None) -> dict[str, Any]:
    """Compare the cells of a study and fit what its sizes allow.

    Args:
        study: With one finished run or more.
        purse: What there is to spend, for the best split of it.

    Returns:
        JSON values, as ``laws.json`` holds them: for each test set, and last for all of them together, the
        accuracy of every cell, what each design shows, the joint law with exchange rate, doubling and best
        split, and the forecast against the outcome. What cannot be said is ``{"refused": reason}``.
    """
    from train.study.answers.words import conclusions

    correct = {test: study.correct(test) for test in study.tests}
    points = {test: study.points(test) for test in study.tests}
    if len(correct) > 1:
        cells = study.cells
        correct[ALL_TESTS] = {
            cell: np.concatenate([runs[cell] for runs in correct.values()], axis=1) for cell in cells
        }
        points[ALL_TESTS] = study.points(None)
    tests = [
        {"name": test, **_one_test(study, draw_outcome(correct[test], key=test), points[test], purse)}
        for test in correct
    ]
    tied = best_on_validation(study, study.designs[0])
    found: dict[str, Any] = {
        "format": FORMAT,
        "kind": "laws",
        "study": study.fingerprint,
        "missing_runs": study.missing,
        "base": base_of(study, study.designs[0]),
        "best_on_validation": tied[0] if tied else None,
        "tied_on_validation": tied,
        "purse": asdict(purse) if purse else None,
        "tests": tests,
    }
    refuse_not_finite(found)
    return {**found, **conclusions(study, found)}


def write_laws(study: Study, purse: Purse | None = None) -> dict[str, Any]:
    """Fit the laws of a study and keep them in its folder as ``laws.json``; equal ones are not fitted again.

    Without a purse, the one that laws were last fitted with is taken again, so that a report has it too.

    Raises:
        UserError: predictions are missing or damaged, or are not those of the rows.
    """
    path = study.path / "laws.json"
    kept = _kept(path)
    if purse is None and kept.get("purse"):
        purse = Purse(**kept["purse"])
    for test in study.tests:
        study.correct(test)
    made = {"study": study.fingerprint, "forecast": _sha256(study.path / "forecast.json"), "code": _code()}
    if kept.get("made") == made and kept["purse"] == (asdict(purse) if purse else None):
        return kept
    text = json.dumps({**study_laws(study, purse), "made": made}, indent=2, ensure_ascii=False) + "\n"
    write_text(path, text)
    found: dict[str, Any] = json.loads(text)
    return found


def _kept(path: Path) -> dict[str, Any]:
    """What ``laws.json`` holds; nothing if it is not there, or not whole."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _code() -> str:
    """Over the code that fits and words: another state of it may say something else of the same rows."""
    files = sorted([*LAWS.glob("*.py"), *Path(__file__).parent.glob("*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _one_test(study: Study, outcome: Outcome, points: Points, purse: Purse | None) -> dict[str, Any]:
    return {
        "words": int(points.words[0]),
        "seed_sd": outcome.seed_sd,
        "cells": {cell: outcome.interval(cell).json() for cell in outcome.correct},
        "designs": [design_findings(study, design, outcome, points) for design in study.designs],
        **joint_findings(study, points, purse),
        "forecast": _forecast(study, outcome, points),
    }


def _forecast(study: Study, outcome: Outcome, points: Points) -> list[dict[str, Any]]:
    """What was predicted before these test words were read, beside what came out."""
    path = study.path / "forecast.json"
    if not path.is_file():
        return []
    found = []
    for entry in read_json(path)["forecasts"]:
        cell = entry["cell"]
        if entry["test"] != outcome.key or cell not in outcome.correct:
            continue
        if "refused" in entry:
            found.append(entry)
            continue
        predicted, observed = entry["predicted"], outcome.accuracy[cell]
        found.append(
            {
                **entry,
                "observed": observed,
                "n_words": int(points.words[0]),
                "inside80": predicted["low80"] <= observed <= predicted["high80"],
                "inside95": predicted["low95"] <= observed <= predicted["high95"],
            }
        )
    return found


def refuse_not_finite(value: Any, where: str = "laws") -> None:
    """Raise an AssertionError for a NaN or infinity in JSON values: a fault of ours, never a figure."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            refuse_not_finite(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            refuse_not_finite(item, f"{where}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise AssertionError(f"{where} is {value}")
