"""The page of a study: one self-contained HTML file, the same bytes for the same results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.core.page import write_page
from train.study.answers.money_words import price
from train.study.answers.words import Place, placed_remarks
from train.study.page import sections
from train.study.page.csv_tables import write_tables
from train.study.page.figures import Figures, breakable
from train.study.page.images import sheets
from train.study.page.table import lines
from train.study.rows import Study

MOST_REMARKS = 5  # above the first plot; more are not read
TEMPLATE = Path(__file__).parents[2] / "templates" / "report.html"


def write_report(study: Study, laws: Mapping[str, Any], *, pictures: bool = True) -> Path:
    """Write ``report.html`` and the tables it speaks of into the study's folder; return the page's path.

    Without ``pictures`` it shows no picture and no label of any dataset, so that it may be passed on where
    these may not.
    """
    write_tables(study, laws)
    path = study.path / "report.html"
    write_page(TEMPLATE, {**_content(study, laws), "sheets": sheets(study, laws) if pictures else None}, path)
    return path


def _content(study: Study, laws: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "answer": _kept_together(laws["answer"]),
        **_remarks(study, laws),
        "notes": laws["notes"],
        "recipe": study.recipe,
        "question": study.recipe["question"],
        "laws": laws,
        "from_laws": Figures("laws.json", laws),
        "from_runs": Figures("runs.jsonl", {row["run"]: row for row in study.rows}),
        "breakable": breakable,
        "real": study.name_of("real"),
        "synthetic": study.name_of("synthetic"),
        "law_names": sections.law_names(study, laws),
        "designs": sections.design_sections(study, laws),
        "joint": sections.joint_section(study, laws),
        "exchange": sections.exchange_sections(study, laws),
        "forecast": sections.forecast_section(laws),
        "not_foretold": sections.not_foretold(laws),
        "cells": _cells(study, laws),
        "held_out": study.facts["held_out"],
        "parts": _parts(study),
        "several_seeds": any(len(study.runs(cell)) > 1 for cell in study.cells),
        "drops": _drops(study),
        "commands": _commands(study, laws),
        "recipe_toml": study.facts["recipe_toml"],
        "runs": study.rows,
        "tests": study.tests,
        "datasets": study.facts["datasets"],
        "moving": [
            key for key in ("parameters", "samples_seen") if len({row[key] for row in study.rows}) > 1
        ],
        "made_with": _made_with(study),
    }


def _remarks(study: Study, laws: Mapping[str, Any]) -> dict[str, Any]:
    """The remarks by where the page has them: above all plots, folded below those, or in a section."""
    at: dict[Place, list[str]] = {}
    for place, sentence in placed_remarks(study, laws):
        at.setdefault(place, []).append(_kept_together(sentence))
    general = at.pop("study", [])
    return {"remarks": general[:MOST_REMARKS], "more_remarks": general[MOST_REMARKS:], "remarks_on": at}


def _kept_together(sentence: str) -> str:
    """The sentence with no line break before a percent sign."""
    return sentence.replace(" %", "\N{NO-BREAK SPACE}%")


def _cells(study: Study, laws: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One line a cell: its runs, what is special about it, and the designs it stands in."""
    stands_in = sections.taking_part(study)
    return [
        {
            "name": line.cell,
            "runs": [row["run"] for row in study.runs(line.cell)],
            "changes": sections.changes(study, line.cell),
            "held_out": line.cell in study.facts["held_out"],
            "stands_in": "; ".join(stands_in.get(line.cell, [])),
            "one_minus_ned": [score.one_minus_ned for score in line.scores],
        }
        for line in lines(study, laws)
    ]


def _parts(study: Study) -> list[str]:
    """Names of the parts that any run was trained on."""
    return [
        part["name"]
        for part in study.facts["parts"]
        if any(row["words"].get(part["name"]) for row in study.rows)
    ]


def _drops(study: Study) -> list[dict[str, Any]]:
    """Words that took no part, by dataset, stage and reason."""
    found = [
        {"dataset": dataset["path"], "stage": "making the dataset", "reason": reason, "n": n}
        for dataset in study.facts["datasets"]
        for reason, n in sorted(dataset["rejected_by_reason"].items())
    ]
    runs_of: dict[tuple[str, str, int], list[str]] = {}
    for row in study.rows:
        left = [(f"{part} words", counts) for part, counts in row["left_out"].items()]
        for what, counts in [*left, ("all words", row["unlearnable"])]:
            for reason, n in sorted(counts.items()):
                runs_of.setdefault((what, reason, n), []).append(row["run"])
    for (what, reason, n), runs in runs_of.items():
        which = "all runs" if len(runs) == len(study.rows) else _some(runs)
        found.append({"dataset": what, "stage": f"training, {which}", "reason": reason, "n": n})
    for score in study.rows[0]["tests"]:
        found += [
            {"dataset": score["name"], "stage": "testing", "reason": reason, "n": n}
            for reason, n in sorted(score["dropped"].items())
        ]
    return found


def _some(runs: list[str]) -> str:
    return ", ".join(runs) if len(runs) <= 3 else f"{len(runs):,} runs, {runs[0]} the first"


def _commands(study: Study, laws: Mapping[str, Any]) -> str:
    if study.facts["command"]:
        return str(study.facts["command"])
    made = [
        dataset["command"]
        or f"# {dataset['path']}: no command is kept that makes its {dataset['n_rows']:,} words"
        for dataset in study.facts["datasets"]
    ]
    own = ["glyphmix ablate study.toml -o OUT   # the recipe below", f"glyphmix report OUT{_spent(laws)}"]
    return "\n".join([*made, *own])


def _spent(laws: Mapping[str, Any]) -> str:
    """The options of the command that these laws were fitted with: what there was to spend."""
    given = {name: value for name, value in (laws["purse"] or {}).items() if value or "price" in name}
    return "".join(f" --{name.replace('_', '-')} {price(value)}" for name, value in given.items())


def _made_with(study: Study) -> list[tuple[str, str]]:
    """What the runs were made with; more than one value where they differ."""
    found = {"commit": [row["git_commit"] or "outside git" for row in study.rows]}
    found["device"] = [f"{row['device']}, {row['threads']} threads" for row in study.rows]
    for row in study.rows:
        for name, version in sorted(row["versions"].items()):
            found.setdefault(name, []).append(str(version))
    return [(name, ", ".join(dict.fromkeys(values))) for name, values in found.items()]
