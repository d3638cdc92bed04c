"""What ``laws.json`` holds for a made-up study: cells as its runs read, laws invented, without a fit.

A test holds its keys to those of ``train.study.findings``, so that pages can be tested in no time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from train.study.answers.draws import mcnemar
from train.study.rows import Study

Z = {"low95": -1.96, "low80": -1.28, "high80": 1.28, "high95": 1.96}
LEFT_OUT = 0.00421


def interval(estimate: float, sd: float) -> dict[str, float]:
    """An interval as ``laws.json`` has it."""
    return {"estimate": float(estimate), **{end: float(estimate + z * sd) for end, z in Z.items()}}


def made_laws(study: Study, *, refused: str | None = None, budget: bool = True) -> dict[str, Any]:
    """Laws of ``study``; with ``refused``, none could be fitted and that is why."""
    correct = {test: study.correct(test) for test in study.tests}
    if len(correct) > 1:
        together = list(correct.values())
        correct["all tests"] = {
            cell: np.concatenate([runs[cell] for runs in together], axis=1) for cell in study.cells
        }
    tests = [_one_test(study, name, runs, refused, budget) for name, runs in correct.items()]
    first = tests[0]["designs"][0]
    return {
        "format": 2,
        "kind": "laws",
        "study": study.fingerprint,
        "missing_runs": study.missing,
        "base": first["base"],
        "best_on_validation": first["best_on_validation"],
        "tied_on_validation": first["tied_on_validation"],
        "purse": None,
        "tests": tests,
        "answer": "One more real word is worth 8.3 rendered ones [7.2, 9.5] (95 % interval).",
        "remarks": ["Of the ratios tried, 3 read most.", "The intervals cover test words and seeds."],
        "notes": [f"{part['name']}: {part['note']}" for part in study.parts if part["note"]],
    }


def _one_test(
    study: Study, name: str, correct: dict[str, np.ndarray], refused: str | None, budget: bool
) -> dict[str, Any]:
    words = next(iter(correct.values())).shape[1]
    sd = (0.25 / words) ** 0.5
    cells = {cell: interval(runs.mean(), sd) for cell, runs in correct.items()}
    several = any(len(runs) > 1 for runs in correct.values())
    no = {"refused": refused}
    return {
        "name": name,
        "words": words,
        "seed_sd": 0.004 if several else None,
        "cells": cells,
        "designs": [_design(study, design, correct, cells, refused) for design in study.designs],
        "joint": no if refused else _joint(study, cells),
        "exchange": no if refused else _exchange(study),
        "doubling": no if refused else _doubling(),
        "best": None if not budget else no if refused else _best(),
        "forecast": [
            {"cell": cell, "test": name, "by": "joint", "refused": refused}
            if refused
            else _forecast(cell, name, cells[cell]["estimate"], words)
            for cell in study.facts["held_out"]
            if cell in cells
        ],
    }


def _design(
    study: Study,
    design: dict[str, Any],
    correct: dict[str, np.ndarray],
    cells: dict[str, Any],
    refused: str | None,
) -> dict[str, Any]:
    places = [place for place in design["places"] if place["cell"] in cells]
    base = design["base"] if design["base"] in cells else None
    gains = {
        place["cell"]: {
            **interval(cells[place["cell"]]["estimate"] - cells[base]["estimate"], 0.01),
            "settled": False,
            "by_seed": {
                str(row["seed"]): mcnemar(correct[place["cell"]][i], correct[base][0])
                for i, row in enumerate(study.runs(place["cell"]))
            },
        }
        for place in places
        if base is not None and place["cell"] != base
    }
    best = [place["cell"] for place in places if place["x"] is not None][-1:]
    three = next((p["cell"] for p in places if p["x"] == 3 and design["scale"] == "ratio"), None)
    return {
        "name": design["name"],
        "kind": design["kind"],
        "base": base,
        "differences": gains,
        "best_on_validation": best[0] if best else None,
        "tied_on_validation": best,
        "published": _published(three, places) if three else None,
        "laws": _laws(design, places, cells, refused),
    }


def _published(cell: str, places: list[dict[str, Any]]) -> dict[str, Any]:
    others = [place["cell"] for place in places if place["x"] is not None and place["cell"] != cell]
    against = {**interval(0.013, 0.01), "settled": False}
    return {"ratio": 3.0, "cell": cell, "others": dict.fromkeys(others, against)}


def _laws(
    design: dict[str, Any], places: list[dict[str, Any]], cells: dict[str, Any], refused: str | None
) -> list[dict[str, Any]]:
    if refused:
        return [{"law": "power", "refused": refused}]
    numbers = sorted({(p["x"], cells[p["cell"]]["estimate"]) for p in places if p["x"] is not None})
    if design["scale"] == "category" or design["kind"] == "grid" or not numbers:
        return []
    curve: dict[str, list[float]] = {"x": [float(x) for x, _ in numbers]}
    for end in ("estimate", *Z):
        curve[end] = [interval(y, 0.008)[end] for _, y in numbers]
    parameters = {"E": interval(0.04, 0.02), "A": interval(4.5, 0.4), "a": interval(0.31, 0.02)}
    fitted = {"parameters": 3, "held_out_error": LEFT_OUT, "chosen": True, "misses": 1.4}
    return [
        {"law": "power of n_total", **fitted, "estimate": parameters, "curve": curve},
        {"law": "power_no_floor of n_total", "parameters": 2, "held_out_error": None, "chosen": False},
    ]


def _joint(study: Study, cells: dict[str, Any]) -> dict[str, Any]:
    names = [c["name"] for c in study.facts["cells"] if len(c["stages"]) == 1 and c["name"] in cells]
    return {
        "law": "joint, no floor",
        "names": {"real": "photos", "synthetic": "rendered"},
        "parameters": {"B": interval(4.5, 0.4), "b": interval(0.32, 0.012), "k": interval(0.12, 0.006)},
        "deviance": 31.2,
        "freedom": 27,
        "misses": 1.21,
        "table": [
            {"law": "joint, no floor", "parameters": 3, "held_out_error": LEFT_OUT, "chosen": True},
            {"law": "joint, fitted repeats", "refused": "no cell repeats its words more than twice"},
        ],
        "left_out": {"several stages": 2},
        "fitted": [
            {"cell": name, "observed": cells[name]["estimate"], "predicted": cells[name]["estimate"] + 0.004}
            for name in names
        ],
    }


def _exchange(study: Study) -> dict[str, Any]:
    real, synthetic = (
        sorted({float(row[f"n_{kind}"]) for row in study.rows if row[f"n_{kind}"]})
        for kind in ("real", "synthetic")
    )
    rates: list[list[float | None]] = [
        [5.0 * (r / real[0]) ** 0.1 * (s / synthetic[0]) ** 0.3 for s in synthetic] for r in real
    ]
    rates[0][-1] = None
    scaled = [[[None if v is None else v * by for v in row] for row in rates] for by in (0.85, 1.17)]
    rate = {
        "at": {"n_real": real[-1], "n_synthetic": synthetic[-1]},
        "rate": interval(8.33, 0.6),
        "worth": interval(0.12, 0.009),
        "passes": 6.4,
        "beyond": True,
    }
    return {
        **rate,
        "equal_passes": rate,
        "map": {"real": real, "synthetic": synthetic, "rate": rates, "low80": scaled[0], "high80": scaled[1]},
    }


def _doubling() -> dict[str, Any]:
    gains = {"real": 0.041, "synthetic": 0.013, "both": 0.05}
    found = {kind: interval(gain, 0.003) for kind, gain in gains.items()}
    return {"at": {"n_real": 8000.0, "n_synthetic": 24000.0}, "beyond": True, **found}


def _best() -> dict[str, Any]:
    return {
        "budget": 500.0,
        "price_real": 0.05,
        "price_synthetic": 0.00001,
        "have_real": 0.0,
        "have_synthetic": 100.0,
        "real": 8900.4,
        "synthetic": 5_500_000.2,
        "buy_real": 8900.4,
        "buy_synthetic": 5_499_900.2,
        "left_over": 0.0,
        "share": interval(0.998, 0.0005),
        "as_good_share": [0.97, 0.999],
        "error": interval(0.19, 0.02),
        "over_real_only": interval(0.021, 0.004),
        "over_synthetic_only": interval(0.11, 0.02),
        "beyond": True,
        "ratio": interval(617.0, 120.0),
    }


def _forecast(cell: str, test: str, observed: float, words: int) -> dict[str, Any]:
    predicted = interval(observed + 0.008, 0.007)
    return {
        "cell": cell,
        "test": test,
        "by": "joint",
        "law": "joint, no floor",
        "n_seeds": 3,
        "predicted": predicted,
        "observed": observed,
        "n_words": words,
        "inside80": predicted["low80"] <= observed <= predicted["high80"],
        "inside95": predicted["low95"] <= observed <= predicted["high95"],
    }
