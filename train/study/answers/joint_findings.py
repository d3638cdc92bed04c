"""What the joint law of a study says: the exchange rate, what doubling buys, how to spend a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from curation.core.errors import UserError
from train.laws import Points
from train.laws.blending import Blend, blend, together
from train.laws.choosing import choose, leave_one_budget_out
from train.laws.exchange import Predicts, Surface, doubling, rate, rate_map
from train.laws.fitting import Fitted
from train.laws.joint import joint_forms
from train.laws.purse import Purse, best_split
from train.laws.size_and_words import SizeAndWords
from train.laws.transfer import Additive, Transfer
from train.study.answers.design_findings import best_on_validation, told
from train.study.answers.design_words import names
from train.study.rows import Study

MAP = 9  # counts of either kind on the map of exchange rates
SIZES = 3  # model sizes that a term for them needs; cells of fewer are left out
BUDGET = "volume"  # what is left out together to choose a law: cells of equal volume and model size
SIZE_KEYS = ("model", "lr")  # changes of training that go with a model's size


def joint_findings(study: Study, points: Points, purse: Purse | None) -> dict[str, Any]:
    """Joint law, exchange rate, doubling and, for a purse, the best split; each may be a refusal."""
    try:
        fitted, table, left_out, blended = fit_joint(study, points)
    except UserError as refusal:
        refused = {"refused": str(refusal)}
        return {
            "joint": refused,
            "exchange": refused,
            "doubling": refused,
            "best": refused if purse else None,
        }
    real, synthetic = names(study, [cell["cell"] for cell in fitted.cells])
    joint = {
        "law": fitted.law.title,
        "blended": [one.law.title for one in blended.fits],
        "names": {"real": real, "synthetic": synthetic},
        "parameters": fitted.json()["estimate"],
        "deviance": fitted.deviance,
        "freedom": fitted.freedom,
        "misses": fitted.misses,
        "table": table,
        "left_out": left_out,
        "fitted": [
            {"cell": cell["cell"], "observed": 1 - cell["observed"], "predicted": 1 - cell["predicted"]}
            for cell in fitted.cells
        ],
    }
    used = points.where(np.isin(points.cell, [cell["cell"] for cell in fitted.cells]))
    surface = surface_of(blended, used)
    at = exchange_point(study, used)
    return {
        "joint": joint,
        "exchange": {
            **_or_refused(lambda: _exchange(surface, used, at)),
            "equal_passes": _or_refused(lambda: rate(surface, *at, equal_passes=True)),
        },
        "doubling": _or_refused(lambda: doubling(surface, *at)),
        "best": _or_refused(lambda: best_split(surface, purse)) if purse else None,
    }


def fit_joint(study: Study, points: Points) -> tuple[Fitted, list[dict[str, Any]], dict[str, int], Blend]:
    """The form of the joint law that predicts volumes left out best.

    Returns:
        The fit, all forms tried, how many cells took no part, by reason, and all forms that are as good: what
        they say of the worth of a word differs more than any one of them admits.

    Raises:
        UserError: no form can be fitted to the cells.
    """
    some, left_out = _joint_points(study, points)
    forms = joint_forms(some.columns)
    fitted, table = choose(forms, some, BUDGET)
    if fitted is None:
        refused = [row for row in table if row["refused"]]
        raise UserError(max(refused, key=lambda row: row["tied"])["refused"])
    alike = [form for form, row in zip(forms, table, strict=True) if row["tied"]] or [fitted.law]
    return fitted, [*map(told, table), *_others(some)], left_out, together(alike, some)


def blend_joint(study: Study, points: Points) -> Blend:
    """All forms that are as good at volumes left out, to predict a cell on the same test words.

    Raises:
        UserError: no form can be fitted to the cells.
    """
    some, _ = _joint_points(study, points)
    return blend(joint_forms(some.columns), some, BUDGET, same_words=True)


def _joint_points(study: Study, points: Points) -> tuple[Points, dict[str, int]]:
    """The runs that the joint law is fitted to, and how many cells took no part, by reason."""
    kept, left_out = joint_cells(study, set(points.cell.tolist()))
    if not kept:
        raise UserError("a joint law needs cells of one stage, and the study has none")
    some = points.where(np.isin(points.cell, kept))
    budget = some.columns["n_total"] * _of_usual_size(some)
    return replace(some, columns={**some.columns, BUDGET: budget}), left_out


def _others(points: Points) -> list[dict[str, Any]]:
    """Laws of another form, how far off each is at budgets left out; to compare with, never chosen."""
    found = []
    for law in (Additive(), Transfer(), SizeAndWords()):
        try:
            off = leave_one_budget_out(law, points, BUDGET)
        except UserError as refusal:
            found.append({"law": law.title, "refused": str(refusal)})
        else:
            found.append({"law": law.title, "parameters": None, "held_out_error": off, "chosen": False})
    return found


def joint_cells(study: Study, known: set[str]) -> tuple[list[str], dict[str, int]]:
    """The cells that differ in words, and perhaps model size, alone, and the reasons of the others, counted.

    Of several synthetic parts, those count that most cells have; one law cannot price two engines.
    """
    cells = {cell["name"]: cell for cell in study.facts["cells"] if cell["name"] in known}
    synthetic = {part["name"] for part in study.parts if part["kind"] == "synthetic"}
    reasons = {name: _reason(cell) for name, cell in cells.items()}
    plain = [name for name, reason in reasons.items() if reason is None]
    used = {name: _parts(cells[name], synthetic) for name in plain}
    counts = Counter(parts for parts in used.values() if parts)
    usual = max(counts, key=lambda parts: counts[parts]) if counts else frozenset()
    for name in plain:
        if used[name] and used[name] != usual:
            reasons[name] = "other synthetic words"
    plain = [name for name in plain if reasons[name] is None]
    sizes = {name: str(_training(cells[name])) for name in plain}
    if 1 < len(set(sizes.values())) < SIZES:
        most = Counter(sizes.values()).most_common(1)[0][0]
        for name in plain:
            if sizes[name] != most:
                reasons[name] = "other model size"
    kept = [name for name, reason in reasons.items() if reason is None]
    return kept, dict(sorted(Counter(reason for reason in reasons.values() if reason is not None).items()))


def _reason(cell: Mapping[str, Any]) -> str | None:
    if len(cell["stages"]) > 1:
        return "several stages"
    if any(key.split(".")[0] not in SIZE_KEYS for key in _training(cell)):
        return "other training"
    return None


def _training(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cell["stages"][-1]["changes"]
    return found


def _parts(cell: Mapping[str, Any], synthetic: set[str]) -> frozenset[str]:
    return frozenset(part for part, n in cell["stages"][0]["words"].items() if n and part in synthetic)


def surface_of(law: Predicts, points: Points) -> Surface:
    """The joint law for runs trained as most are."""
    return Surface(
        law=law,
        samples=_usual(points.columns["samples"]),
        most_real=float(points.columns["n_real"].max()),
        most_synthetic=float(points.columns["n_synthetic"].max()),
        fixed={"parameters": _usual(points.columns["parameters"])},
    )


def _of_usual_size(points: Points) -> np.ndarray:
    parameters = points.column("parameters")
    return parameters / _usual(parameters)


def _usual(values: np.ndarray) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


def exchange_point(study: Study, points: Points) -> tuple[float, float]:
    """Where the exchange rate is given: at the most real words, and the ratio above 0 best on held-out words.

    Not beyond the most synthetic words that a run had. Without a design of ratios it is the median ratio of
    the cells with both kinds of words.
    """
    n_real = float(points.columns["n_real"].max())
    for design in study.designs:
        ratios = {place["cell"]: place["x"] for place in design["places"] if place["x"]}
        if design["scale"] == "ratio" and ratios:
            best = best_on_validation(study, design)
            ratio = ratios.get(best[0] if best else "", min(ratios.values()))
            return n_real, min(n_real * ratio, float(points.columns["n_synthetic"].max()))
    real, synthetic = points.columns["n_real"], points.columns["n_synthetic"]
    both = (real > 0) & (synthetic > 0)
    ratio = float(np.median(synthetic[both] / real[both]))
    return n_real, min(n_real * ratio, float(synthetic.max()))


def _exchange(surface: Surface, points: Points, at: tuple[float, float]) -> dict[str, Any]:
    counts = [_spread(points.columns[name]) for name in ("n_real", "n_synthetic")]
    return {**rate(surface, *at), "map": rate_map(surface, *counts)}


def _spread(values: np.ndarray) -> Sequence[float]:
    some = values[values > 0]
    found: list[float] = np.round(np.geomspace(some.min(), some.max(), MAP)).tolist()
    return found


def _or_refused(find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return find()
    except UserError as refusal:
        return {"refused": str(refusal)}
