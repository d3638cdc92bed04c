"""What a finished study says: differences between cells, and the laws that its sizes can carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from curation.core.errors import UserError
from curation.core.files import write_json
from train.laws.interval import Interval
from train.laws.simple import (
    LINE_SIZES,
    POWER_SIZES,
    LogLine,
    PowerLaw,
    fit_log_line,
    fit_power_law,
    refit_power_law,
)
from train.study.draws import Outcome, draw_outcome, mcnemar
from train.study.rows import FORMAT, Row, Study

ALL_TESTS = "all tests"  # every test word counted once, so that larger sets weigh more
N_REFITS = 1_000  # resamples that a power law is refitted to
DELTA = 0.01  # Huber threshold for accuracies of a few thousand words: their log error is that noisy
VAGUE = 4.0  # an 80 % interval of the exponent wider than this factor pins nothing down
Fit = PowerLaw | LogLine


def study_laws(study: Study) -> dict[str, Any]:
    """Compare the cells of a study and fit what its data sizes allow.

    Returns:
        JSON values: for each test set, and for all of them together, the accuracy of every cell, its
        difference from the base cell, a line and a power law; a law that cannot be fitted is
        ``{"refused": reason}``.
    """
    correct = {test: study.correct(test) for test in study.tests}
    if len(correct) > 1:
        cells = study.cells
        correct[ALL_TESTS] = {
            cell: np.concatenate([runs[cell] for runs in correct.values()], axis=1) for cell in cells
        }
    tied = best_on_validation(study)
    return {
        "format": FORMAT,
        "kind": "laws",
        "study": study.fingerprint,
        "missing_runs": study.missing,
        "base": study.base,
        "best_on_validation": tied[0] if tied else None,
        "tied_on_validation": tied,
        "tests": [{"name": test, **_one_test(study, test, runs)} for test, runs in correct.items()],
    }


def write_laws(study: Study) -> dict[str, Any]:
    """Fit the laws of a study and keep them in its folder as ``laws.json``."""
    laws = study_laws(study)
    write_json(study.path / "laws.json", laws)
    return laws


def best_on_validation(study: Study) -> list[str]:
    """The ratios that read most of the held-out words: chosen without a look at any test set.

    Other seeds hold other words out, so only seeds that every ratio has are counted.

    Returns:
        Upwards, more than one if they read equally many; none if no seed is common to all ratios.
    """
    scores = {
        cell: {row["seed"]: row["validation"]["accuracy"] for row in study.runs(cell) if row["validation"]}
        for cell in study.cells
        if study.ratio(cell) is not None
    }
    seeds = set.intersection(*map(set, scores.values())) if scores else set()
    if not seeds:
        return []
    mean = {cell: np.mean([found[seed] for seed in sorted(seeds)]) for cell, found in scores.items()}
    return [cell for cell, value in mean.items() if np.isclose(value, max(mean.values()), rtol=0, atol=1e-9)]


def _one_test(study: Study, test: str, correct: Mapping[str, np.ndarray]) -> dict[str, Any]:
    outcome = draw_outcome(correct, key=test)
    found = {
        "words": next(iter(correct.values())).shape[1],
        "seed_sd": outcome.seed_sd,
        "cells": {cell: outcome.interval(cell).json() for cell in correct},
        "differences": _differences(study, correct, outcome),
    }
    for name, fit in (("line", _line), ("power_law", _power_law)):
        try:
            found[name] = fit(study, outcome)
        except UserError as refusal:
            found[name] = {"refused": str(refusal)}
    return found


def _differences(
    study: Study, correct: Mapping[str, np.ndarray], outcome: Outcome
) -> dict[str, dict[str, Any]]:
    """Every cell against the base cell: interval, and word counts of each pair of equal seeds."""
    if (base := study.base) is None:
        return {}
    found = {}
    for cell in (cell for cell in correct if cell != base):
        interval = outcome.difference(cell, base)
        pairs = _pairs(study.runs(cell), study.runs(base))
        by_seed = {str(seed): mcnemar(correct[cell][i], correct[base][j]) for seed, i, j in pairs}
        found[cell] = {**interval.json(), "settled": interval.settled, "by_seed": by_seed}
    return found


def _pairs(cell: list[Row], base: list[Row]) -> list[tuple[int, int, int]]:
    """Seeds that both cells have, with the place of each run in its cell."""
    at = {row["seed"]: j for j, row in enumerate(base)}
    return [(row["seed"], i, at[row["seed"]]) for i, row in enumerate(cell) if row["seed"] in at]


def _sizes(study: Study, law: str, least: int) -> dict[str, int]:
    """Different words of each cell with real words in it.

    Raises:
        UserError: the volume does not move, at too few sizes, or with words that no run has seen.
    """
    if study.designs[0]["kind"] == "fixed_total":
        raise UserError(
            f"{law} needs a volume that moves, and the design fixed_total holds it fixed; "
            "use the design fixed_real"
        )
    sizes = {
        cell: int(study.runs(cell)[0]["n_total"]) for cell in study.cells if study.ratio(cell) is not None
    }
    seen = min(row["samples_seen"] for row in study.rows)
    if seen < max(sizes.values()):
        raise UserError(
            f"{law} needs runs that see each of their words, and these see {seen:,} samples of up to "
            f"{max(sizes.values()):,} different words; raise steps"
        )
    if (n := len(set(sizes.values()))) < least:
        raise UserError(f"{law} needs runs at {least} or more data sizes, got {n}; train more sizes")
    return sizes


def _errors(values: Mapping[str, Any], sizes: Mapping[str, int]) -> np.ndarray:
    """1 - accuracy of the cells in ``sizes``, kept off 0, where a logarithm has no value."""
    errors: np.ndarray = np.clip(1 - np.array([values[cell] for cell in sizes]), 1e-4, 1.0)
    return errors


def _line(study: Study, outcome: Outcome) -> dict[str, Any]:
    sizes = _sizes(study, "a line", LINE_SIZES)
    n = np.array(list(sizes.values()))
    law = fit_log_line(n, _errors(outcome.accuracy, sizes))
    refits = [fit_log_line(n, err) for err in _errors(outcome.draws, sizes).T]
    return {
        **_described(sizes, law, outcome),
        "per_doubling": Interval.of(law.per_doubling, np.array([r.per_doubling for r in refits])).json(),
        "held_out": _held_out(sizes, outcome, fit_log_line, LINE_SIZES),
    }


def _power_law(study: Study, outcome: Outcome) -> dict[str, Any]:
    sizes = _sizes(study, "a power law", POWER_SIZES)
    n = np.array(list(sizes.values()))
    law = fit_power_law(n, _errors(outcome.accuracy, sizes), delta=DELTA)
    some = _errors(outcome.draws, sizes).T[:N_REFITS]
    refits = refit_power_law(law, n, some, delta=DELTA)
    intervals = {
        name: Interval.of(getattr(law, name), np.array([getattr(r, name) for r in refits]))
        for name in ("floor", "exponent")
    }
    slope = intervals["exponent"]
    if slope.low80 <= 0.01 or slope.high80 > VAGUE * slope.low80:
        raise UserError(
            f"the {len(sizes)} sizes do not pin a power law down: its exponent may be anything from "
            f"{slope.low80:.2f} to {slope.high80:.2f} (80 % interval); "
            "add sizes further apart, seeds or test words"
        )
    return {
        **_described(sizes, law, outcome),
        **{name: interval.json() for name, interval in intervals.items()},
        "held_out": _held_out(sizes, outcome, lambda n, err: fit_power_law(n, err, delta=DELTA), POWER_SIZES),
    }


def _described(sizes: Mapping[str, int], law: Fit, outcome: Outcome) -> dict[str, Any]:
    points = [
        {"cell": cell, "n_total": n, "error": 1 - outcome.accuracy[cell], "on_the_law": float(law(n))}
        for cell, n in sizes.items()
    ]
    return {"law": asdict(law), "points": points}


def _held_out(
    sizes: Mapping[str, int], outcome: Outcome, fit: Callable[..., Fit], least: int
) -> dict[str, Any] | None:
    """How well the other sizes predict the largest; None where they are too few to fit."""
    largest = max(sizes, key=lambda cell: sizes[cell])
    rest = {cell: n for cell, n in sizes.items() if cell != largest}
    if len(set(rest.values())) < least:
        return None
    law = fit(np.array(list(rest.values())), _errors(outcome.accuracy, rest))
    return {
        "cell": largest,
        "n_total": sizes[largest],
        "predicted_error": float(law(sizes[largest])),
        "error": 1 - outcome.accuracy[largest],
    }
