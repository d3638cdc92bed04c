"""Rows that cannot be counted: two of one run, one of none, or one without a result that others have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError


def refuse_strange(rows: Sequence[Mapping[str, Any]], runs: Sequence[str], out: Path) -> None:
    """Raise a UserError for a run with two rows, or one that is none of ``runs``: neither can be counted."""
    counts = Counter(row["run"] for row in rows)
    for name, n in counts.items():
        if name not in runs:
            raise UserError(f"{out}/runs.jsonl has a row of {name}, no run of this study. Delete that row.")
        if n > 1:
            raise UserError(
                f"{out}/runs.jsonl has {n} rows of {name}. Delete all but the one that its folder in runs/ "
                "belongs to, or all of them and run ablate again."
            )


def refuse_missing_tests(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise a UserError for a run that lacks a test set which others have, or its count of words right."""
    names = list(dict.fromkeys(score["name"] for row in rows for score in row["tests"]))
    for row in rows:
        counted = [score["name"] for score in row["tests"] if score["n_correct"] is not None]
        if missing := [name for name in names if name not in counted]:
            raise UserError(
                f"the row of {row['run']} does not say how many words of {', '.join(missing)} were read. "
                + anew(row["run"])
            )


def anew(run: str, first: str = "Restore it") -> str:
    """What to do about predictions that cannot be used; the trained weights stay."""
    return (
        f"{first}, or remove runs/{run}/predictions and runs/{run}/row.json, and run ablate again: "
        "it only evaluates anew."
    )
