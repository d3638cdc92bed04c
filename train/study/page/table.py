"""The table of a study: one line a cell, the same figures in the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.study.answers import words as study_words
from train.study.rows import Study


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Accuracy and 1-NED of one cell on one test set, means over its seeds; fractions.

    1-NED is None where that of a run is missing: a mean over the others would be of another cell.
    """

    test: str
    accuracy: float
    low95: float
    high95: float
    one_minus_ned: float | None
    per_seed: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One cell: what it was trained on and what it read."""

    cell: str
    ratio: float | None
    n_real: int
    n_synthetic: int
    samples_seen: int
    seeds: tuple[int, ...]
    scores: tuple[Score, ...]


def lines(study: Study, laws: Mapping[str, Any]) -> list[Line]:
    """The cells that have a finished run, in order.

    Where every cell has one seed, intervals are the runs' own, as in ``runs.jsonl``. As soon as one has
    several, all are those of the study's draws, which cover seeds as well.
    """
    return [_line(study, laws, cell) for cell in study.cells]


def _line(study: Study, laws: Mapping[str, Any], cell: str) -> Line:
    rows = study.runs(cell)
    first = rows[0]
    scores = []
    for at, test in enumerate(study.tests):
        found = [row["tests"][at] for row in rows]
        drawn = laws["tests"][at]["cells"][cell]
        low, high = drawn["low95"], drawn["high95"]
        if laws["tests"][at]["seed_sd"] is None:
            low, high = found[0]["accuracy_low"], found[0]["accuracy_high"]
        scores.append(
            Score(
                test=test,
                accuracy=drawn["estimate"],
                low95=low,
                high95=high,
                one_minus_ned=_mean([score["one_minus_ned"] for score in found]),
                per_seed=tuple(score["n_correct"] / score["n_used"] for score in found),
            )
        )
    return Line(
        cell=cell,
        ratio=study.ratio(cell),
        n_real=first["n_real"],
        n_synthetic=first["n_synthetic"],
        samples_seen=first["samples_seen"],
        seeds=tuple(row["seed"] for row in rows),
        scores=tuple(scores),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if len(known) == len(values) else None


def text_table(study: Study, table: Sequence[Line]) -> str:
    """The table as aligned Markdown."""
    real, synthetic = study.name_of("real"), study.name_of("synthetic")
    head = ["cell", real, synthetic]
    for test in study.tests:
        head += [f"{test}, accuracy % [95 %]", f"{test}, 1-NED %"]
    head += ["samples seen", "seeds"]
    body = []
    for line in table:
        cells = [line.cell, f"{line.n_real:,}", f"{line.n_synthetic:,}"]
        for score in line.scores:
            ned = "-" if score.one_minus_ned is None else f"{100 * score.one_minus_ned:.1f}"
            cells += [percent_interval(score), ned]
        body.append([*cells, f"{line.samples_seen:,}", str(len(line.seeds))])
    return markdown(head, body)


def percent_interval(score: Score) -> str:
    """Accuracy in percent with its 95 % interval."""
    return f"{100 * score.accuracy:.1f} [{100 * score.low95:.1f}, {100 * score.high95:.1f}]"


def markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Lay a Markdown table out in aligned columns: the first to the left, all others to the right."""
    widths = [max(len(row[i]) for row in (head, *body)) for i in range(len(head))]

    def laid_out(row: Sequence[str]) -> str:
        padded = [
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join([laid_out(head), laid_out(rule), *(laid_out(row) for row in body)])


def report_text(study: Study, laws: Mapping[str, Any], page: Path) -> str:
    """What ``glyphmix report`` and ``glyphmix demo`` print: all that must not be missed beside the table."""
    said = study_words.conclusions(study, laws)
    table = text_table(study, lines(study, laws))
    return "\n\n".join([table, said["answer"], *said["remarks"], *said["notes"], str(page)])
