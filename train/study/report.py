"""The page of a study: one self-contained HTML file, the same bytes for the same results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core.page import write_page
from train.study import words as study_words
from train.study.findings import ALL_TESTS
from train.study.laws_text import differences, law_sentences
from train.study.report_images import sheets
from train.study.report_plot import plot
from train.study.report_table import Line, lines
from train.study.rows import Study

TEMPLATE = Path(__file__).parents[1] / "templates" / "report.html"


def write_report(study: Study, laws: Mapping[str, Any]) -> Path:
    """Write ``report.html`` into the study's folder and return its path."""
    path = study.path / "report.html"
    write_page(TEMPLATE, _content(study, laws), path)
    return path


def _content(study: Study, laws: Mapping[str, Any]) -> dict[str, Any]:
    recipe, table = study.recipe, lines(study, laws)
    return {
        **study_words.conclusions(study, laws),
        **_figures(study, laws, table),
        "recipe": recipe,
        "question": recipe["question"],
        "real": study.name_of("real"),
        "synthetic": study.name_of("synthetic"),
        "design": " ".join(f"Design {design['name']}: {design['sentence']}" for design in study.designs),
        "parts": [part["name"] for part in study.parts],
        "drops": _drops(study),
        "commands": _commands(study),
        "recipe_toml": study.facts["recipe_toml"],
        "runs": study.rows,
        "datasets": study.facts["datasets"],
        "versions": study.rows[-1]["versions"],
        "percent": lambda fraction: f"{100 * fraction:.1f}",
        "points": study_words.points,
    }


def _figures(study: Study, laws: Mapping[str, Any], table: Sequence[Line]) -> dict[str, Any]:
    """Plots, tables and pictures, and what their captions depend on."""
    real, synthetic = study.name_of("real"), study.name_of("synthetic")
    chosen = study_words.chosen_cell(study, laws)
    return {
        "plots": [
            {
                "test": test["name"],
                "words": test["words"],
                "svg": plot(table, test["name"], real=real, synthetic=synthetic),
            }
            for test in laws["tests"]
            if test["name"] != ALL_TESTS
        ],
        "tests": study.tests,
        "table": table,
        "chosen": chosen,
        "synthetic_only": any(line.ratio is None for line in table),
        "several_seeds": any(len(line.seeds) > 1 for line in table),
        "base_words": study_words.base_words(study, laws),
        "differences": differences(study, laws, 0),
        "laws": [
            (f"Design {design['name']}", told)
            for at, design in enumerate(study.designs)
            if (told := law_sentences(laws, at))
        ],
        "sheets": sheets(study, chosen or study.cells[0], study.base),
    }


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
        which = "all runs" if len(runs) == len(study.rows) else ", ".join(runs)
        found.append({"dataset": what, "stage": f"training, {which}", "reason": reason, "n": n})
    for score in study.rows[0]["tests"]:
        found += [
            {"dataset": score["name"], "stage": "testing", "reason": reason, "n": n}
            for reason, n in sorted(score["dropped"].items())
        ]
    return found


def _commands(study: Study) -> str:
    if study.facts["command"]:
        return str(study.facts["command"])
    made = [dataset["command"] for dataset in study.facts["datasets"] if dataset["command"]]
    own = ["glyphmix ablate study.toml -o OUT   # the recipe below", "glyphmix report OUT"]
    return "\n".join([*made, *own])
