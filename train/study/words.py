"""The sentences of a study: what its design holds fixed, what came out, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from curation.core.recipe import build
from train.recipe import TrainRecipe
from train.study.cells import Cell
from train.study.findings import ALL_TESTS
from train.study.rows import Study
from train.study.warnings import warnings

ALIKE = {  # of a row: what must be equal for runs to differ in mixture and seed alone
    "git_commit": "the commit of glyphmix",
    "device": "device",
    "threads": "threads",
    "versions": "versions of packages",
}


def answer(study: Study, laws: Mapping[str, Any]) -> str:
    """Answer the study's question in one sentence, with 95 % intervals."""
    base = laws["base"]
    if base is None:
        first = study.designs[0]["base"]
        return f"Not answered yet: the cell {first}, which the others are compared with, has not finished."
    cell = chosen_cell(study, laws)
    if cell is None:
        return "Not answered yet: only one ratio has finished, so there is nothing to compare."
    what = _doing(study, cell)
    tests = [test for test in laws["tests"] if test["name"] != ALL_TESTS]
    effects, verb = [], ""
    for test in tests:
        before, (verb, effect) = verb, _effect(test["name"], test["differences"][cell])
        effects.append(effect if verb == before else f"{verb} {effect}")
    return f"{what} {_listed(effects)}, against {_alone(study, base)} (95 % intervals)."


def remarks(study: Study, laws: Mapping[str, Any]) -> list[str]:
    """Say what the answer rests on: choice of the ratio, synthetic words alone, seeds, runs not finished."""
    found = []
    if laws["best_on_validation"] is not None and len(_ratio_cells(study)) > 2:
        found.append(_choice(study, laws))
    if alone := [cell for cell in study.cells if study.ratio(cell) is None]:
        found.append(_synthetic_alone(study, laws, alone[0]))
    found.append(_sureness(study, laws))
    shared = {test: _shared(study, test) or 0 for test in study.tests}
    cells = [Cell.read(entry) for entry in study.facts["cells"]]
    found += warnings(cells, shared, build(TrainRecipe, study.recipe["train"], where="study.json"))
    if study.missing:
        found.append(f"Not finished: {', '.join(study.missing)}. Run ablate again to go on.")
    return found + _unlike(study)


def _choice(study: Study, laws: Mapping[str, Any]) -> str:
    """How the ratio that the answer speaks of was chosen."""
    chosen, best = chosen_cell(study, laws), laws["best_on_validation"]
    tied = [_ratio(study, cell) for cell in laws["tied_on_validation"]]
    n_words = study.runs(best)[0]["validation"]["n_used"]
    held_out = f"{n_words:,} held-out {study.name_of('real')} words"
    if all(_shared(study, test) == 0 for test in study.tests):
        held_out += ", none of them the picture of a test word"
    if len(tied) > 1:
        told = f"Of the ratios tried, {_listed(tied)} read equally many, and most, of {held_out}"
        same = "; the sentence above speaks of the least of them."
    else:
        told, same = f"Of the ratios tried, {tied[0]} read most of {held_out}", "."
    return told + (same if best == chosen else "; the sentence above compares the largest ratio instead.")


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
        found.append(f"Not all runs were made alike: they differ in {_listed(unlike)}. See runs.jsonl.")
    if n := sum((row["git_commit"] or "").endswith("+") for row in study.rows):
        found.append(
            f"{n:,} of {len(study.rows):,} runs were made with changes to glyphmix that no commit holds "
            "(+ after the commit), so nobody else can repeat them exactly."
        )
    return found


def conclusions(study: Study, laws: Mapping[str, Any]) -> dict[str, Any]:
    """All that is said of a study wherever its figures stand: answer, remarks and notes."""
    return {
        "answer": answer(study, laws),
        "remarks": remarks(study, laws),
        "notes": notes(study.recipe),
    }


def chosen_cell(study: Study, laws: Mapping[str, Any]) -> str | None:
    """The cell the answer speaks of: the ratio best on held-out words; the largest if none beat the base."""
    best, others = laws["best_on_validation"], [c for c in _ratio_cells(study) if c != laws["base"]]
    if best in others:
        return str(best)
    return others[-1] if others else None


def notes(recipe: Mapping[str, Any]) -> list[str]:
    """What the recipe says of its two kinds of words, such as that a stand-in is no photo."""
    return [f"{part['name']}: {part['note']}" for part in recipe["parts"] if part["note"]]


def points(fraction: float) -> str:
    """A difference of accuracies in percentage points, with its sign."""
    return f"{100 * fraction:+.1f}".replace("-", "−")


def law_sentence(name: str, law: Mapping[str, Any], synthetic: str) -> str:
    """One fitted law, or the reason why there is none."""
    if "refused" in law:
        return f"not fitted: {law['refused']}."
    tail = ""
    if held := law["held_out"]:
        tail = (
            f"; without the largest size it predicts {100 * (1 - held['predicted_error']):.1f} % there, "
            f"and {100 * (1 - held['error']):.1f} % came out"
        )
    if name == "line":
        gain = law["per_doubling"]
        return (
            f"{points(gain['estimate'])} points each time the words double, by {synthetic} words alone "
            f"[{points(gain['low95'])}, {points(gain['high95'])}]{tail}."
        )
    floor, slope = law["floor"], law["exponent"]
    return (
        f"error = {floor['estimate']:.3f} + {law['law']['scale']:.3g} n^-{slope['estimate']:.3f}, exponent "
        f"[{slope['low95']:.2f}, {slope['high95']:.2f}], floor [{floor['low95']:.3f}, {floor['high95']:.3f}]"
        f"{tail}."
    )


def _doing(study: Study, cell: str) -> str:
    real, synthetic = study.name_of("real"), study.name_of("synthetic")
    ratio = _ratio(study, cell)
    noun = "word" if ratio == "1" else "words"
    if study.designs[0]["kind"] == "fixed_real":
        return f"Adding {ratio} {synthetic} {noun} per {real} word"
    return f"Training on {ratio} {synthetic} {noun} per {real} word, at the same total,"


def _effect(test: str, found: Mapping[str, Any]) -> tuple[str, str]:
    """The verb, and by how much on which test set."""
    low, high = found["low95"], found["high95"]
    if not found["settled"]:
        interval = f"({points(found['estimate'])} points [{points(low)}, {points(high)}])"
        return "made no clear difference", f"on {test} {interval}"
    least, most = sorted([100 * abs(low), 100 * abs(high)])
    gain = f"{100 * abs(found['estimate']):.1f} points [{least:.1f}, {most:.1f}]"
    return ("gained" if found["estimate"] > 0 else "lost"), f"{gain} on {test}"


def base_words(study: Study, laws: Mapping[str, Any]) -> str:
    """What the other cells are compared with, in words; empty while it has not finished."""
    return "" if laws["base"] is None else _alone(study, laws["base"])


def _alone(study: Study, base: str) -> str:
    real, synthetic = study.name_of("real"), study.name_of("synthetic")
    ratio = _ratio(study, base)
    return f"{real} words alone" if ratio == "0" else f"{ratio} {synthetic} per {real} word"


def _synthetic_alone(study: Study, laws: Mapping[str, Any], alone: str) -> str:
    synthetic, base = study.name_of("synthetic"), laws["base"]
    scores = []
    for test in (test for test in laws["tests"] if test["name"] != ALL_TESTS):
        text = f"{100 * test['cells'][alone]['estimate']:.1f} % of {test['name']}"
        if base is not None:
            text += f" ({points(test['differences'][alone]['estimate'])} points)"
        scores.append(text)
    against = f", compared with {_alone(study, base)}" if base is not None else ""
    return f"{synthetic.capitalize()} words alone read {_listed(scores)}{against}."


def _sureness(study: Study, laws: Mapping[str, Any]) -> str:
    spread = [(test["name"], test["seed_sd"]) for test in laws["tests"] if test["seed_sd"] is not None]
    if not spread:
        return (
            "One seed a cell: the intervals cover which words are in the test sets, "
            "not how much another seed would move a run."
        )
    each = _listed([f"{100 * sd:.1f} points on {name}" for name, sd in spread])
    return (
        f"The intervals cover test words and seeds; between seeds accuracy varies by {each} "
        "(standard deviation)."
    )


def _ratio_cells(study: Study) -> list[str]:
    return [cell for cell in study.cells if study.ratio(cell) is not None]


def _ratio(study: Study, cell: str) -> str:
    return f"{study.ratio(cell):g}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
