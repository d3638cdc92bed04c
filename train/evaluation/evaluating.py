"""One call of ``evaluate``: a run on datasets or a suite, in groups of words, against another run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from train.evaluation.comparing import compare, stored_predictions
from train.evaluation.evaluate import measure, refuse_clashes
from train.evaluation.findings import SPECIAL, Findings, find
from train.evaluation.slices import refuse_unknown
from train.evaluation.suites import check_members, find_members
from train.evaluation.suites import suite as find_suite
from train.run_folder import read_record


def investigate(
    run: Path,
    datasets: Sequence[Path],
    *,
    protocol: str = "parseq36",
    out: Path | None = None,
    by: Sequence[str] = (),
    against: Path | None = None,
    allow_unreadable: bool = False,
) -> Findings:
    """Measure the run in the folder ``run`` on ``datasets``, and find out where it fails.

    Args:
        run: A finished run.
        datasets: Folders of datasets.
        protocol: How labels and predictions are normalised before they are compared.
        out: Folder for the predictions; None for ``predictions`` in the run.
        by: Columns to group words by, as ``glyphmix evaluate --by`` takes them.
        against: Another run, or a folder with predictions that one made earlier.
        allow_unreadable: As ``evaluate`` takes it.

    Raises:
        UserError: as ``evaluate``; or a column that no dataset has, or nothing to compare with.
    """
    opened = [Dataset.open(path) for path in datasets]
    refuse_unknown([name for name in by if name not in SPECIAL], opened)
    stored = None if against is None else _stored(run, against, opened, protocol)
    how = {"protocol": protocol, "allow_unreadable": allow_unreadable}
    other_out = out and out / "against"
    if against is not None and stored is None:  # before the first run is measured, which may take hours
        refuse_clashes(opened, protocol, other_out or against / "predictions")
    measured = measure(run, datasets, out=out, **how)
    found = find(run, measured, by)
    if against is None:
        return found
    if stored is None:
        others = measure(against, datasets, out=other_out, **how)
        stored = [other.table for other in others]
    compared = tuple(compare(measured, stored))
    return replace(found, against=against, others=tuple(stored), comparisons=compared)


def investigate_suite(run: Path, suite: str, data: Path, **options: Any) -> Findings:
    """As ``investigate``, on the sets of a suite that are among the datasets in the folder ``data``.

    Args:
        run: A finished run.
        suite: Its name.
        data: Where its datasets are looked for.
        options: As ``investigate`` takes them.

    Raises:
        UserError: also for an unknown suite, or a folder without any of its sets.
    """
    chosen = find_suite(suite)
    found = find_members(chosen, data)
    told = investigate(run, list(found.values()), **options)
    members = check_members(chosen, found, [one.score for one in told.measured])
    return replace(told, suite=chosen, members=members)


def _stored(run: Path, against: Path, datasets: Sequence[Dataset], protocol: str) -> list[pa.Table] | None:
    """Predictions to compare with, where ``against`` is a folder of them; None where it is a run."""
    if run.resolve() == against.resolve():
        raise UserError(f"run {run} cannot be compared with itself. Give --against another run.")
    if any(against.glob("*.parquet")) and not any(against.glob("*.json")):
        return stored_predictions(against, datasets, protocol)
    read_record(against)
    return None
