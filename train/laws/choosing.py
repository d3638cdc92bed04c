"""Which law: the one that predicts cells of a budget it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curation.core.errors import UserError
from curation.core.rng import stream
from train.laws.base import Floats, Law
from train.laws.descend import best_of, starts
from train.laws.fitting import Cells, Fitted, fit, resolve
from train.laws.fitting import predict as predict_errors
from train.laws.noise import Noise
from train.laws.points import Points
from train.laws.refusals import refuse_flat

ALIKE = 1e-3  # mean squares nearer than this share are equal: nested forms that end at the same fit
FOLD_STARTS = 6  # of each fit to what is left without a budget


def leave_one_budget_out(law: Law | str, points: Points, budget_column: str, *, seed: int = 0) -> float:
    """How far off a law is at a budget that it was not fitted to.

    For each value of the budget, all cells of that value are left out, the law is fitted to the others and
    predicts them. The least and the greatest budget are extrapolated to.

    Args:
        law: A law, or the name of one with its usual options.
        points: The runs of one test set.
        budget_column: The column that says what a cell costs, such as ``n_total``.
        seed: Of the starts.

    Returns:
        Root mean square of predicted less observed error over the cells, a fraction.

    Raises:
        UserError: the law cannot be fitted to what is left without some budget.
    """
    return float(np.sqrt(_squares(resolve(law), points, budget_column, seed).mean()))


def choose(
    candidates: Sequence[Law | str],
    points: Points,
    budget_column: str,
    *,
    seed: int = 0,
    n_boot: int = 1000,
    same_words: bool = False,
) -> tuple[Fitted | None, list[dict[str, Any]]]:
    """Fit the law that predicts best what it has not seen.

    Of laws that are as good as the best one within one standard error, paired over the cells, the one with
    the fewest parameters is chosen. A law that the cells do not pin down is passed over, for one as good: if
    they pin none of those down, there is none, and no worse law speaks in their place. Where none can be
    judged so (too few budgets), the first that can be fitted is chosen, and its held-out error is None.

    Args:
        candidates: Laws, the preferred ones first.
        points: As in ``leave_one_budget_out``.
        budget_column: As there.
        seed: Of starts and resamples.
        n_boot: Resamples of the chosen law.
        same_words: As in ``fit``.

    Returns:
        The chosen law fitted, None if there is none, and one row a candidate: ``law``, ``title``,
        ``parameters`` (how many), ``held_out_error`` (a fraction or None), ``refused`` (why, or None),
        ``tied`` (as good as the best within one standard error) and ``chosen``.
    """
    found = [resolve(law) for law in candidates]
    rows, order = judge(found, points, budget_column, seed=seed)
    judged = any(row["tied"] for row in rows)
    for i in order:
        if judged and not rows[i]["tied"]:
            continue
        try:
            best = fit(found[i], points, seed=seed, n_boot=n_boot, same_words=same_words)
        except UserError as refusal:
            rows[i]["refused"] = str(refusal)
            continue
        rows[i] |= {"chosen": True, "refused": None}
        return best, rows
    return None, rows


def judge(
    found: Sequence[Law], points: Points, budget_column: str, *, seed: int = 0
) -> tuple[list[dict[str, Any]], list[int]]:
    """How far off each law is at budgets left out: the rows of ``choose``, and in which order to try them."""
    rows: list[dict[str, Any]] = []
    squares: dict[int, Floats] = {}
    for i, law in enumerate(found):
        unknown = dict.fromkeys(("parameters", "held_out_error", "refused"))
        rows.append({"law": law.kind, "title": law.title, **unknown, "tied": False, "chosen": False})
        try:
            rows[i]["parameters"] = len(fit(law, points, seed=seed, n_boot=0).theta)
            squares[i] = _squares(law, points, budget_column, seed)
            rows[i]["held_out_error"] = float(np.sqrt(squares[i].mean()))
        except UserError as refusal:
            rows[i]["refused"] = str(refusal)
    return rows, _order(rows, squares)


def _order(rows: Sequence[dict[str, Any]], squares: dict[int, Floats]) -> list[int]:
    """The candidates as they are to be tried: judged ones by what they are off, then the others."""
    judged = sorted(squares, key=lambda i: (float(squares[i].mean()), i))
    rest = [i for i, row in enumerate(rows) if row["parameters"] is not None and i not in squares]
    for i in judged:
        more = squares[i] - squares[judged[0]]
        slack = more.std(ddof=1) / np.sqrt(len(more)) + ALIKE * squares[judged[0]].mean()
        rows[i]["tied"] = bool(more.mean() <= slack)
    tied = [i for i in judged if rows[i]["tied"]]
    simplest = sorted(tied, key=lambda i: (rows[i]["parameters"], judged.index(i)))
    return [*simplest, *(i for i in judged if i not in tied), *rest]


def _squares(law: Law, points: Points, budget_column: str, seed: int) -> Floats:
    """Squared prediction errors of all cells, (C,), budget by budget, by fits to cells of other budgets."""
    for name in (*law.columns, budget_column):
        points.column(name)
    noise = Noise.of(points)
    cells = Cells.of(points, noise)
    refuse_flat(points, cells.error, cells.worth, noise)
    budget = cells.columns[budget_column]
    values = np.unique(budget)
    kept = budget != values[:, None]
    for value, some in zip(values, kept, strict=True):
        try:
            law.prepare({name: column[some] for name, column in cells.columns.items()})
        except UserError as refusal:
            raise UserError(f"without the cells of {budget_column} {value:,.0f}: {refusal}") from refusal
    form = law.prepare(cells.columns)
    rng = stream(seed, "budget", law.title)
    error, worth = cells.error[None], cells.worth * kept
    some_starts = [starts(form, cells.columns, error, words, rng, n=FOLD_STARTS)[0] for words in worth]
    errors = np.repeat(error, len(values), axis=0)
    theta, _, _ = best_of(form, cells.columns, errors, worth, np.stack(some_starts))
    predicted = predict_errors(form, theta, cells.columns).clip(0, 1)
    return ((predicted - errors)[~kept]) ** 2
