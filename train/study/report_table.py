"""The table of a study: one line a cell, the same figures in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.study import words as study_words
from train.study.rows import Study


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Accuracy and 1-NED of one cell on one test set, means over its seeds; fractions."""

    test: str
    accuracy: float
    low95: float
    high95: float
    one_minus_ned: float
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
                accuracy=float(np.mean([score["accuracy"] for score in found])),
                low95=low,
                high95=high,
                one_minus_ned=float(np.mean([score["one_minus_ned"] for score in found])),
                per_seed=tuple(score["accuracy"] for score in found),
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
            cells += [percent_interval(score), f"{100 * score.one_minus_ned:.1f}"]
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


def differences(laws: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every cell against the base cell on every test set: figures, and word counts seed by seed as text."""
    found = []
    for cell in laws["tests"][0]["differences"]:
        for test in laws["tests"]:
            seeds = list(test["differences"][cell]["by_seed"].values())
            words = {key: ", ".join(f"{seed[key]:,}" for seed in seeds) for key in ("gained", "lost")}
            p = ", ".join("< 0.001" if seed["p"] < 0.001 else f"{seed['p']:.3f}" for seed in seeds)
            found.append({**test["differences"][cell], "cell": cell, "test": test["name"], **words, "p": p})
    return found


def report_text(study: Study, laws: Mapping[str, Any], page: Path) -> str:
    """What ``glyphmix report`` and ``glyphmix demo`` print: all that must not be missed beside the table."""
    said = study_words.conclusions(study, laws)
    table = text_table(study, lines(study, laws))
    return "\n\n".join([table, said["answer"], *said["remarks"], *said["notes"], str(page)])


def laws_text(study: Study, laws: Mapping[str, Any]) -> str:
    """What ``glyphmix laws`` prints."""
    said = study_words.conclusions(study, laws)
    design = [f"Design {design['name']}: {design['sentence']}" for design in study.designs]
    parts = [said["answer"], *said["remarks"], *design, *said["notes"]]
    if rows := differences(laws):
        head = ["cell", "test set", "points", "95 %", "words gained", "lost", "McNemar p"]
        points = study_words.points
        body = [
            [
                row["cell"],
                row["test"],
                points(row["estimate"]),
                f"{points(row['low95'])} to {points(row['high95'])}",
                row["gained"],
                row["lost"],
                row["p"],
            ]
            for row in rows
        ]
        parts += [f"Against {study_words.base_words(study, laws)}:\n\n{markdown(head, body)}"]
    for title, told in law_sentences(study, laws):
        parts.append("\n".join([f"{title}:", *(f"  {tests}: {sentence}" for tests, sentence in told)]))
    return "\n\n".join(parts)


def law_sentences(study: Study, laws: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each kind of law its heading, and what came of it for which test sets; equal refusals once."""
    synthetic = study.name_of("synthetic")
    found = []
    for name, title in (("line", "Line"), ("power_law", "Power law")):
        tests_of: dict[str, list[str]] = {}
        for test in laws["tests"]:
            sentence = study_words.law_sentence(name, test[name], synthetic)
            tests_of.setdefault(sentence, []).append(test["name"])
        told = [(", ".join(tests), sentence) for sentence, tests in tests_of.items()]
        found.append((f"{title}, of error against different words in training", told))
    return found
