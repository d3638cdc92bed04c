"""The folder of a study: one row of ``runs.jsonl`` for each finished run, and what stands beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_json
from train.laws.points import Points
from train.study.row_checks import anew, refuse_missing_tests, refuse_strange

FORMAT = 2  # 1 had one design and two parts
FACTS = "recipe", "cells", "parts", "designs", "runs", "datasets"
KINDS: dict[str, type] = {
    **dict.fromkeys(("run", "cell"), str),
    **dict.fromkeys(("seed", "n_real", "n_synthetic", "n_total", "steps", "samples_seen", "parameters"), int),
    **dict.fromkeys(("words", "seen", "unique", "validation"), dict),
    "tests": list,
}
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
            row = json.loads(line)
        except ValueError:
            row = None
        if not is_row(row):
            raise UserError(f"{path} is damaged in line {number}. Delete that line and run ablate again.")
        rows.append(row)
    return rows


def is_row(value: Any) -> bool:
    """Whether a JSON value has what is read of a row."""
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key), kind) for key, kind in KINDS.items())
        and all(isinstance(score, dict) and {"name", "n_correct"} <= score.keys() for score in value["tests"])
    )


def read_facts(path: Path) -> dict[str, Any]:
    """Read the ``study.json`` of the study ``path``, of whatever format.

    Raises:
        UserError: it is damaged.
    """
    try:
        facts = json.loads((path / "study.json").read_text(encoding="utf-8"))
    except ValueError:
        facts = None
    is_whole = isinstance(facts, dict) and isinstance(facts.get("format"), int)
    if not is_whole or (facts["format"] == FORMAT and any(key not in facts for key in FACTS)):
        raise UserError(
            f"{path / 'study.json'} is damaged. Remove it and run ablate again with the recipe that the "
            "study was begun with: runs that have finished stay."
        )
    found: dict[str, Any] = facts
    return found


def refuse_format(facts: Mapping[str, Any], path: Path) -> None:
    """Refuse the ``study.json`` of the study ``path`` if another glyphmix wrote it otherwise.

    Raises:
        UserError: its format is older or newer.
    """
    if facts["format"] < FORMAT:
        raise UserError(
            f"{path} has format {facts['format']}, of a study of one design, which this glyphmix no longer "
            "reads. Run the study anew, with the recipe's parts and designs as lists."
        )
    if facts["format"] > FORMAT:
        raise UserError(
            f"{path} has format {facts['format']}; this glyphmix reads up to {FORMAT}. Update it."
        )


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
        facts = read_facts(path)
        refuse_format(facts, path)
        order = {name: i for i, name in enumerate(facts["runs"])}
        rows = read_rows(path / "runs.jsonl")
        refuse_strange(rows, facts["runs"], path)
        rows.sort(key=lambda row: order[row["run"]])
        if not rows:
            raise UserError(
                f"no run of the study {path} has finished. Run ablate again: it goes on where it stopped."
            )
        refuse_missing_tests(rows)
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
        """Cells with a finished run, in the order of the recipe."""
        return list(dict.fromkeys(row["cell"] for row in self.rows))

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The parts of the recipe: name, kind, note, price."""
        return list(self.facts["parts"])

    @property
    def designs(self) -> list[dict[str, Any]]:
        """The designs, as in ``study.json``: name, kind, sentence, axis, places, base."""
        return list(self.facts["designs"])

    @property
    def base(self) -> str | None:
        """What the first design compares others with; None if it has none, or while it has not finished."""
        base = self.designs[0]["base"]
        return base if base in self.cells else None

    def name_of(self, kind: str) -> str:
        """What sentences call all words of one kind: the part's own name if there is one alone."""
        names = [part["name"] for part in self.parts if part["kind"] == kind]
        return names[0] if len(names) == 1 else kind

    def ratio(self, cell: str) -> float | None:
        """Where ``cell`` stands on the axis of the first design; None if it has no number there."""
        places = {place["cell"]: place["x"] for place in self.designs[0]["places"]}
        return places.get(cell)

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
            raise UserError(f"{file} is missing. {anew(run)}")
        try:
            found: dict[str, list[Any]] = pq.read_table(file, columns=list(columns)).to_pydict()
        except (pa.ArrowException, OSError):
            raise UserError(f"{file} is damaged. {anew(run)}") from None
        return found

    def points(self, test: str | None = None) -> Points:
        """What laws are fitted to: one entry a run, in the order of the rows.

        Args:
            test: Name of a test set; None for all of them together, every word counted once.

        Raises:
            UserError: predictions are missing, or are not those of the rows.
        """
        tests = self.tests if test is None else [test]
        read = [np.concatenate(list(self.correct(name).values())) for name in tests]
        correct = np.concatenate(read, axis=1)
        entries = [
            {
                "right": int(reads.sum()),
                "words": len(reads),
                "cell": row["cell"],
                "seed": row["seed"],
                **self._columns(row),
            }
            for row, reads in zip(self.rows, correct, strict=True)
        ]
        return Points.of(entries, correct)

    def _columns(self, row: Row) -> dict[str, float | None]:
        """What laws reckon with: words by kind and part, different and seen; samples, parameters, flops."""
        kinds = {part["name"]: part["kind"] for part in self.parts}
        seen = {
            f"seen_{kind}": sum(n for part, n in row["seen"].items() if kinds[part] == kind)
            for kind in ("real", "synthetic")
        }
        return {
            **{key: row[key] for key in ("n_real", "n_synthetic", "n_total", "steps", "parameters", "flops")},
            **seen,
            **{
                f"n_{part}": row["words"][part]
                for part in kinds
                if part not in ("real", "synthetic", "total")
            },
            "samples": row["samples_seen"],
        }

    def correct(self, test: str) -> dict[str, np.ndarray]:
        """Whether each word of ``test`` was read: cell -> (seeds, words) bool, words in one order.

        Raises:
            UserError: two runs were evaluated on different words, or predictions are not those of the row.
        """
        by_cell: dict[str, list[list[bool]]] = {}
        words: list[str] | None = None
        for row in self.rows:
            table = self.predictions(row["run"], test, ("uid", "correct"))
            if not table["uid"]:
                raise UserError(
                    f"the predictions of {row['run']} on {test} have no word, and a share of none is no "
                    f"figure. {anew(row['run'], 'Restore them')}"
                )
            if words is not None and table["uid"] != words:
                raise UserError(
                    f"the predictions of {row['run']} on {test} are for other words than those of "
                    f"{self.rows[0]['run']}. {anew(row['run'], 'Restore them')}"
                )
            n_correct = {score["name"]: score["n_correct"] for score in row["tests"]}[test]
            if sum(table["correct"]) != n_correct:
                raise UserError(
                    f"the predictions of {row['run']} on {test} have {sum(table['correct']):,} words right "
                    f"and its row {n_correct:,}: they have changed since. {anew(row['run'], 'Restore them')}"
                )
            words = table["uid"]
            by_cell.setdefault(row["cell"], []).append(table["correct"])
        return {cell: np.array(runs, bool) for cell, runs in by_cell.items()}
