"""What one design of a study shows: differences from its base, the place best on held-out words, laws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curation.core.errors import UserError
from train.laws import Points
from train.laws.base import Law
from train.laws.blending import Blend, blend
from train.laws.choosing import choose
from train.laws.fitting import Fitted
from train.laws.interval import Interval
from train.laws.mixing import Mixing
from train.laws.power import Power, PowerNoFloor
from train.study.answers.draws import Outcome, mcnemar
from train.study.rows import Row, Study

MOVES = {  # kind of design -> what moves in it, as a column of the points; other kinds carry no law
    "fixed_real": "n_total",
    "fixed_total": "n_synthetic",
    "volume": "n_total",
    "model_size": "parameters",
    "compute": "samples",
}
PUBLISHED = 3.0  # synthetic words per real word: the optimum of arXiv 2401.00028
JUDGED = 4  # sizes from which repeats can be told from what words are worth
CURVE = 40  # points of a curve
Design = Mapping[str, Any]


def design_findings(study: Study, design: Design, outcome: Outcome, points: Points) -> dict[str, Any]:
    """What a design shows on one test set, as JSON values; a law that cannot be fitted says why."""
    tied = best_on_validation(study, design)
    return {
        "name": design["name"],
        "kind": design["kind"],
        "base": base_of(study, design),
        "differences": _differences(study, design, outcome),
        "best_on_validation": tied[0] if tied else None,
        "tied_on_validation": tied,
        "published": published_findings(study, design, outcome),
        "laws": _laws(study, design, points),
    }


def base_of(study: Study, design: Design) -> str | None:
    """The cell that the others of a design are compared with; None while it has not finished."""
    return design["base"] if design["base"] in study.cells else None


def places(study: Study, design: Design) -> list[Mapping[str, Any]]:
    """The places of a design whose cells have a finished run."""
    done = set(study.cells)
    return [place for place in design["places"] if place["cell"] in done]


def best_on_validation(study: Study, design: Design) -> list[str]:
    """The cells of a design that read most of the held-out words: chosen without a look at any test set.

    Places off the axis, such as synthetic words alone among ratios, do not take part. Other seeds hold other
    words out, so only seeds that every cell has are counted.

    Returns:
        In the order of the design, more than one if they read equally many; none if no seed is common to all.
    """
    found = places(study, design)
    cells = [place["cell"] for place in found if design["scale"] == "category" or place["x"] is not None]
    scores = {cell: _validated(study.runs(cell)) for cell in dict.fromkeys(cells)}
    seeds = set.intersection(*map(set, scores.values())) if scores else set()
    if not seeds:
        return []
    mean = {cell: np.mean([read[seed] for seed in sorted(seeds)]) for cell, read in scores.items()}
    return [cell for cell, value in mean.items() if np.isclose(value, max(mean.values()), rtol=0, atol=1e-9)]


def _validated(rows: Sequence[Row]) -> dict[int, float]:
    """Accuracy on held-out words of each seed that has one."""
    found = {row["seed"]: (row["validation"] or {}).get("accuracy") for row in rows}
    return {seed: value for seed, value in found.items() if value is not None and math.isfinite(value)}


def _differences(study: Study, design: Design, outcome: Outcome) -> dict[str, dict[str, Any]]:
    """Every cell against the base cell: interval, and word counts of each pair of equal seeds."""
    if (base := base_of(study, design)) is None:
        return {}
    found = {}
    for cell in (place["cell"] for place in places(study, design)):
        if cell == base or cell in found:
            continue
        interval = outcome.difference(cell, base)
        by_seed = {
            str(seed): mcnemar(outcome.correct[cell][i], outcome.correct[base][j])
            for seed, i, j in _pairs(study.runs(cell), study.runs(base))
        }
        found[cell] = {**interval.json(), "settled": interval.settled, "by_seed": by_seed}
    return found


def _pairs(cell: list[Row], base: list[Row]) -> list[tuple[int, int, int]]:
    """Seeds that both cells have, with the place of each run in its cell."""
    at = {row["seed"]: j for j, row in enumerate(base)}
    return [(row["seed"], i, at[row["seed"]]) for i, row in enumerate(cell) if row["seed"] in at]


def published_findings(study: Study, design: Design, outcome: Outcome) -> dict[str, Any] | None:
    """Every other ratio against the published optimum; None where lesser and greater ones were not tried."""
    if design["scale"] != "ratio":
        return None
    ratios = {place["cell"]: place["x"] for place in places(study, design) if place["x"] is not None}
    cell = next((cell for cell, ratio in ratios.items() if ratio == PUBLISHED), None)
    if cell is None or not min(ratios.values()) < PUBLISHED < max(ratios.values()):
        return None
    others = {other: outcome.difference(other, cell) for other in ratios if other != cell}
    return {
        "ratio": PUBLISHED,
        "cell": cell,
        "others": {other: {**found.json(), "settled": found.settled} for other, found in others.items()},
    }


def _laws(study: Study, design: Design, points: Points) -> list[dict[str, Any]]:
    """The laws tried on a design, the chosen one with its curve, those refused with the reason."""
    if design["kind"] not in MOVES:
        return []
    try:
        best, table = fit_design(study, design, points)
    except UserError as refusal:
        return [{"law": "power", "refused": str(refusal)}]
    found = []
    for row in table:
        if row["chosen"] and best is not None:
            more = {"estimate": best.json()["estimate"], "misses": best.misses}
            found.append(told(row) | more | {"curve": curve(study, design, points, best)})
        else:
            found.append(told(row))
    return found


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the laws tried: with its held-out error, or with the reason why it was not fitted."""
    if row["refused"]:
        return {"law": row["title"], "refused": row["refused"]}
    keys = ("parameters", "held_out_error", "chosen")
    return {"law": row["title"], **{key: row[key] for key in keys}}


def fit_design(study: Study, design: Design, points: Points) -> tuple[Fitted | None, list[dict[str, Any]]]:
    """The law of a design that predicts sizes left out best, None if none holds, and all that were tried.

    Raises:
        UserError: runs end before they have seen their words, or none has finished.
    """
    return choose(*_candidates(study, design, points))


def blend_design(study: Study, design: Design, points: Points) -> Blend:
    """All laws of a design that are as good at sizes left out, to predict a cell on the same test words.

    Raises:
        UserError: as ``fit_design``, or no law can be fitted.
    """
    return blend(*_candidates(study, design, points), same_words=True)


def _candidates(study: Study, design: Design, points: Points) -> tuple[list[Law | str], Points, str]:
    """The laws to try, the runs, and the column that says which of them to leave out together."""
    column = MOVES[design["kind"]]
    cells = [place["cell"] for place in places(study, design) if place["x"] is not None]
    if not cells:
        raise UserError("no run of this design has finished")
    some = points.where(np.isin(points.cell, cells))
    seen, most = some.columns["samples"].min(), some.columns["n_total"].max()
    if column == "n_total" and seen < most:
        raise UserError(
            f"a power law needs runs that see each of their words, and these see {seen:,.0f} samples of up "
            f"to {most:,.0f} different words; raise steps"
        )
    if design["kind"] == "fixed_total":
        return [Mixing()], some, column
    found: list[Law | str] = [PowerNoFloor(column=column), Power(column=column)]
    sizes = len(np.unique(some.columns[column]))
    if column == "n_total" and sizes >= JUDGED:  # of equal samples, more words are read less often each
        found += [PowerNoFloor(discounted=True), Power(discounted=True)]
    return found, some, column


def curve(study: Study, design: Design, points: Points, fitted: Fitted) -> dict[str, list[float]]:
    """Accuracy along the axis of a design as its law has it, with intervals."""
    at = {place["cell"]: float(place["x"]) for place in places(study, design) if place["x"] is not None}
    cells = sorted(at, key=lambda cell: at[cell])
    x = np.array([at[cell] for cell in cells])
    logs = design["scale"] == "log"
    grid = np.geomspace(x[0], x[-1], CURVE) if logs else np.linspace(x[0], x[-1], CURVE)
    columns = {}
    for name in fitted.law.columns:
        values = np.array([points.columns[name][points.cell == cell].mean() for cell in cells])
        if logs:
            columns[name] = np.exp(np.interp(np.log(grid), np.log(x), np.log(values)))
        elif design["kind"] == "fixed_total":  # words rise with the share, not with the ratio
            columns[name] = np.interp(grid / (1 + grid), x / (1 + x), values)
        else:
            columns[name] = np.interp(grid, x, values)
    estimate, draws = fitted.predict(columns)
    return {"x": grid.tolist(), **accuracy_band(estimate, draws)}


def accuracy_band(error: np.ndarray, draws: np.ndarray) -> dict[str, list[float]]:
    """Accuracy and its intervals of errors (K,) with draws (n, K)."""
    found = [Interval.of(1 - value, 1 - drawn) for value, drawn in zip(error.tolist(), draws.T, strict=True)]
    keys = ("estimate", "low95", "low80", "high80", "high95")
    return {key: [getattr(interval, key) for interval in found] for key in keys}
