"""The folder of a study: one row of ``runs.jsonl`` for each finished run, and what stands beside it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.errors import UserError
from curation.core.files import read_json
from curation.core.fingerprint import sha256_json

FORMAT = 1
Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """Read the rows of ``runs.jsonl``; a last line cut short by a kill does not count.

    Raises:
        UserError: another line is damaged.
    """
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            break
        try:
            rows.append(json.loads(line))
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise UserError(
                f"{path} is damaged in line {number}. Delete that line and run ablate again."
            ) from None
    return rows


def refuse_strange(rows: list[Row], runs: Sequence[str], out: Path) -> None:
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


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Add one row and flush it to disk, after cutting off what a kill left half written."""
    with path.open("a+b") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(row, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True)
class Study:
    """A study with at least one finished run.

    Attributes:
        path: Its folder.
        facts: The content of ``study.json``: recipe, cells, datasets and their fingerprints.
        rows: Finished runs in the order of cells and seeds.
    """

    path: Path
    facts: dict[str, Any]
    rows: list[Row]

    @classmethod
    def open(cls, path: Path) -> Study:
        """Read the study in the folder ``path``.

        Raises:
            UserError: no such folder, no study in it, of a newer format, a row too many, or no run has
                finished.
        """
        if not (path / "study.json").is_file():
            raise UserError(f"{path} holds no study: it has no study.json. Make one with 'ablate'.")
        facts = read_json(path / "study.json")
        if facts["format"] > FORMAT:
            raise UserError(
                f"{path} has format {facts['format']}; this glyphmix reads up to {FORMAT}. Update it."
            )
        order = {name: i for i, name in enumerate(facts["runs"])}
        rows = read_rows(path / "runs.jsonl")
        refuse_strange(rows, facts["runs"], path)
        rows.sort(key=lambda row: order[row["run"]])
        if not rows:
            raise UserError(
                f"no run of the study {path} has finished. Run ablate again: it goes on where it stopped."
            )
        return cls(path, facts, rows)

    @property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe."""
        found: dict[str, Any] = self.facts["recipe"]
        return found

    @property
    def missing(self) -> list[str]:
        """Names of the runs that have not finished."""
        done = {row["run"] for row in self.rows}
        return [name for name in self.facts["runs"] if name not in done]

    @property
    def cells(self) -> list[str]:
        """Cells with a finished run, in the order of the recipe: ratios upwards, then synthetic only."""
        return list(dict.fromkeys(row["cell"] for row in self.rows))

    @property
    def base(self) -> str | None:
        """The cell that others are compared with: the least ratio. None while it has not finished."""
        least = self.facts["cells"][0]["name"]
        return least if least in self.cells else None

    @property
    def tests(self) -> list[str]:
        """Names of the test sets, in the order of the recipe."""
        return [test["name"] for test in self.rows[0]["tests"]]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over recipe and rows, without timings: equal results, equal fingerprint."""
        rows = [{k: v for k, v in row.items() if k != "timing"} for row in self.rows]
        return sha256_json([self.facts, rows])

    def runs(self, cell: str) -> list[Row]:
        """The rows of one cell, one for each seed."""
        return [row for row in self.rows if row["cell"] == cell]

    def predictions(self, run: str, test: str, columns: tuple[str, ...]) -> dict[str, list[Any]]:
        """Columns of the per-image predictions of one run, as lists in the order of the test set."""
        file = self.path / "runs" / run / "predictions" / f"{test}.parquet"
        if not file.is_file():
            raise UserError(f"{file} is missing. {_anew(run)}")
        try:
            found: dict[str, list[Any]] = pq.read_table(file, columns=list(columns)).to_pydict()
        except (pa.ArrowException, OSError):
            raise UserError(f"{file} is damaged. {_anew(run)}") from None
        return found

    def correct(self, test: str) -> dict[str, np.ndarray]:
        """Whether each word of ``test`` was read: cell -> (seeds, words) bool, words in one order.

        Raises:
            UserError: two runs were evaluated on different words, or predictions are not those of the row.
        """
        by_cell: dict[str, list[list[bool]]] = {}
        words: list[str] | None = None
        for row in self.rows:
            table = self.predictions(row["run"], test, ("uid", "correct"))
            if words is not None and table["uid"] != words:
                raise UserError(
                    f"the predictions of {row['run']} on {test} are for other words than those of "
                    f"{self.rows[0]['run']}. {_anew(row['run'], 'Restore them')}"
                )
            n_correct = {score["name"]: score["n_correct"] for score in row["tests"]}[test]
            if sum(table["correct"]) != n_correct:
                raise UserError(
                    f"the predictions of {row['run']} on {test} have {sum(table['correct']):,} words right "
                    f"and its row {n_correct:,}: they have changed since. {_anew(row['run'], 'Restore them')}"
                )
            words = table["uid"]
            by_cell.setdefault(row["cell"], []).append(table["correct"])
        return {cell: np.array(runs, bool) for cell, runs in by_cell.items()}


def _anew(run: str, first: str = "Restore it") -> str:
    """What to do about predictions that cannot be used; the trained weights stay."""
    return (
        f"{first}, or remove runs/{run}/predictions and the row of {run} in runs.jsonl, and run ablate "
        "again: it only evaluates anew."
    )
