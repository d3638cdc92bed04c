"""The sentences of a study: what came out, how sure that is, and what the answer rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from curation.core.recipe import build
from train.recipe import TrainRecipe
from train.study.answers import design_words
from train.study.answers.design_words import (
    choice_sentence,
    effect_clause,
    listed,
    points,
    published_sentence,
)
from train.study.answers.draws import ALL_TESTS
from train.study.answers.money_words import (
    forecast_sentences,
    law_caveats,
    law_remarks,
    rate_clause,
    unchecked,
)
from train.study.cells import Cell
from train.study.rows import Study
from train.study.warnings import warnings

Place = int | Literal["study", "law", "forecast"]

ALIKE = {  # of a row: what must be equal for runs to differ in mixture and seed alone
    "git_commit": "the commit of glyphmix",
    "device": "device",
    "threads": "threads",
    "versions": "versions of packages",
}


def conclusions(study: Study, laws: Mapping[str, Any]) -> dict[str, Any]:
    """All that is said of a study wherever its figures stand: answer, remarks and notes."""
    return {
        "answer": answer(study, laws),
        "remarks": remarks(study, laws),
        "notes": notes(study.recipe),
    }


def answer(study: Study, laws: Mapping[str, Any]) -> str:
    """Answer the study's question in one sentence, with 95 % intervals: which data next, and what it buys."""
    found = laws["tests"][0]["designs"][0]
    clauses = [rate_clause(laws["tests"][-1])]
    if study.designs[0]["base"] is not None:
        if found["base"] is None:
            first = study.designs[0]["base"]
            return (
                f"Not answered yet: the cell {first}, which the others are compared with, has not finished."
            )
        clauses.append(effect_clause(study, laws, 0, _spoken_of(laws)))
    told = [clause for clause in clauses if clause]
    if not told:
        if study.designs[0]["base"] is None and len(study.cells) > 1:
            last = laws["tests"][-1]
            return f"Not answered: {unchecked(last) or last['exchange']['refused']}."
        what = "ratio" if study.designs[0]["scale"] == "ratio" else "cell"
        return f"Not answered yet: only one {what} has finished, so there is nothing to compare."
    return (
        "; ".join([told[0], *(clause[0].lower() + clause[1:] for clause in told[1:])]) + " (95 % intervals)."
    )


def remarks(study: Study, laws: Mapping[str, Any]) -> list[str]:
    """Say what the answer rests on, what the other designs and the laws show, and what weakens it."""
    return [sentence for _, sentence in placed_remarks(study, laws)]


def placed_remarks(study: Study, laws: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """The remarks, each with what it speaks of: the number of a design, a part of the page, or the whole."""
    found: list[tuple[Place, str]] = []
    last = laws["tests"][-1]
    if _chosen_among_several(study, laws):  # with the answer, if that speaks of this choice alone
        found.append((0 if rate_clause(last) else "study", choice_sentence(study, laws, 0, _held_out(study))))
    for at in range(len(study.designs)):
        found += [(at, sentence) for sentence in _of_design(study, laws, at)]
    caveats = law_caveats(last) if rate_clause(last) else []
    found += [("law" if told in caveats else "study", told) for told in law_remarks(last)]
    found += [("forecast", sentence) for sentence in forecast_sentences(laws)]
    return found + [("study", sentence) for sentence in [_sureness(laws), *_weakened(study)]]


def _weakened(study: Study) -> list[str]:
    """What weakens the answer of the runs as they are."""
    shared = {test: _shared(study, test) or 0 for test in study.tests}
    cells = [Cell.read(entry) for entry in study.facts["cells"]]
    copies = {(pair["first"], pair["second"]): pair["n"] for pair in study.facts.get("copies", [])}
    found = warnings(cells, shared, build(TrainRecipe, study.recipe["train"], where="study.json"), copies)
    if study.missing:
        found.append(f"Not finished: {', '.join(study.missing)}. Run ablate again to go on.")
    return found + _unlike(study)


def _spoken_of(laws: Mapping[str, Any]) -> list[str] | None:
    """The tests that the answer speaks of: with an exchange rate there is room for all together alone."""
    last = laws["tests"][-1]
    return [last["name"]] if rate_clause(last) else None


def _of_design(study: Study, laws: Mapping[str, Any], at: int) -> list[str]:
    """What the answer leaves unsaid of one design."""
    found = []
    design, first = study.designs[at], laws["tests"][0]["designs"][at]
    unsaid = at > 0 or (_spoken_of(laws) is not None and len(laws["tests"]) > 1)
    if unsaid and design["kind"] != "grid" and (clause := effect_clause(study, laws, at)):
        tail = ""
        if first["best_on_validation"] == first["base"] and design["scale"] != "log":
            best = design_words.place_label(design, first["base"])
            what = "the ratio " if design["scale"] == "ratio" else ""
            tail = f"; {what}{best} read most of the held-out words"
        found.append(f"{clause} (95 % intervals){tail}.")
    if design["scale"] == "ratio":
        off_axis = [place["cell"] for place in design["places"] if place["x"] is None]
        if alone := [cell for cell in off_axis if cell in study.cells]:
            found.append(_synthetic_alone(study, laws, at, alone[0]))
        if (published := published_sentence(study, laws, at)) is not None:
            found.append(published)
    return found


def _chosen_among_several(study: Study, laws: Mapping[str, Any]) -> bool:
    """Whether held-out words chose the cell that the answer speaks of, from three or more."""
    found, scale = laws["tests"][0]["designs"][0], study.designs[0]["scale"]
    if found["best_on_validation"] is None or found["base"] is None or scale == "log":
        return False
    places = [place for place in study.designs[0]["places"] if place["cell"] in study.cells]
    return sum(scale == "category" or place["x"] is not None for place in places) > 2


def _held_out(study: Study) -> str:
    n_words = next(row["validation"]["n_used"] for row in study.rows if row["validation"])
    told = f"{n_words:,} held-out {study.name_of('real')} words"
    if all(_shared(study, test) == 0 for test in study.tests):
        told += ", none of them the picture of a test word"
    return told


def _shared(study: Study, test: str) -> int | None:
    """Words of ``test`` that are also trained on; None if nobody counted, as in studies once begun."""
    at = study.tests.index(test)
    trained_on = max(row["tests"][at]["n_trained_on"] for row in study.rows)
    counted = {entry["name"]: entry.get("n_shared") for entry in study.facts["datasets"]}.get(test)
    return max(counted, trained_on) if counted is not None else trained_on or None


def _unlike(study: Study) -> list[str]:
    """In what else than mixture and seed the runs differ, and whether their code is kept anywhere."""
    found = []
    unlike = [
        name
        for key, name in ALIKE.items()
        if len({json.dumps(row.get(key), sort_keys=True) for row in study.rows}) > 1
    ]
    if unlike:
        found.append(f"Not all runs were made alike: they differ in {listed(unlike)}. See runs.jsonl.")
    if n := sum((row["git_commit"] or "").endswith("+") for row in study.rows):
        found.append(
            f"{n:,} of {len(study.rows):,} runs were made with changes to glyphmix that no commit holds "
            "(+ after the commit), so nobody else can repeat them exactly."
        )
    return found


def chosen_cell(study: Study, laws: Mapping[str, Any]) -> str | None:
    """The cell of the first design that the answer speaks of."""
    return design_words.chosen_cell(study, study.designs[0], laws["tests"][0]["designs"][0])


def base_words(study: Study, laws: Mapping[str, Any]) -> str:
    """What the other cells of the first design are compared with; empty while it has not finished."""
    if laws["tests"][0]["designs"][0]["base"] is None:
        return ""
    return design_words.base_words(study, study.designs[0])


def notes(recipe: Mapping[str, Any]) -> list[str]:
    """What the recipe says of its parts, such as that a stand-in is no photo."""
    return [f"{part['name']}: {part['note']}" for part in recipe["parts"] if part["note"]]


def _synthetic_alone(study: Study, laws: Mapping[str, Any], at: int, alone: str) -> str:
    base = laws["tests"][0]["designs"][at]["base"]
    scores = []
    for test in (test for test in laws["tests"] if test["name"] != ALL_TESTS):
        text = f"{100 * test['cells'][alone]['estimate']:.1f} % of {test['name']}"
        if base is not None:
            text += f" ({points(test['designs'][at]['differences'][alone]['estimate'])} points)"
        scores.append(text)
    _, synthetic = design_words.names(study, [alone])
    against = (
        f", compared with {design_words.base_words(study, study.designs[at])}" if base is not None else ""
    )
    return f"{synthetic.capitalize()} words alone read {listed(scores)}{against}."


def _sureness(laws: Mapping[str, Any]) -> str:
    spread = [(test["name"], test["seed_sd"]) for test in laws["tests"] if test["seed_sd"] is not None]
    if not spread:
        return (
            "One seed a cell: the intervals cover which words are in the test sets, "
            "not how much another seed would move a run."
        )
    each = listed([f"{100 * sd:.1f} points on {name}" for name, sd in spread])
    return (
        f"The intervals cover test words and seeds; between seeds accuracy varies by {each} "
        "(standard deviation)."
    )
