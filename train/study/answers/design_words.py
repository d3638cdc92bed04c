"""The sentences of one design: what its chosen cell gained against its base, and how that cell was chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from train.study.answers.draws import ALL_TESTS
from train.study.rows import Study

Found = Mapping[str, Any]  # the entry of a design in laws.json, of one test set
Design = Mapping[str, Any]  # its entry in study.json


def effect_clause(
    study: Study, laws: Mapping[str, Any], at: int, tests: Sequence[str] | None = None
) -> str | None:
    """What the chosen cell of design number ``at`` gained on each test set; None if none can be compared.

    Args:
        study: The study.
        laws: Its laws.
        at: Number of the design.
        tests: Names of the test sets to speak of; None for each of them, but not all of them together.
    """
    design, founds = study.designs[at], [test["designs"][at] for test in laws["tests"]]
    cell, base = chosen_cell(study, design, founds[0]), founds[0]["base"]
    if cell is None or base is None:
        return None
    effects, verb = [], ""
    for test, found in zip(laws["tests"], founds, strict=True):
        if test["name"] not in tests if tests else test["name"] == ALL_TESTS:
            continue
        before, (verb, effect) = verb, _effect(test["name"], found["differences"][cell])
        effects.append(effect if verb == before else f"{verb} {effect}")
    return f"{_doing(study, design, cell)} {listed(effects)}, against {base_words(study, design)}"


def chosen_cell(study: Study, design: Design, found: Found) -> str | None:
    """The cell that sentences speak of: the one best on held-out words, or the largest where sizes move.

    If no other cell beat the base on held-out words, it is the last of those on the axis.
    """
    done = set(study.cells)
    on_axis = [
        place["cell"]
        for place in design["places"]
        if place["cell"] in done and (design["scale"] == "category" or place["x"] is not None)
    ]
    others = [cell for cell in on_axis if cell != found["base"]]
    best = found["best_on_validation"]
    if best in others and design["scale"] != "log":
        return str(best)
    return others[-1] if others else None


def choice_sentence(study: Study, laws: Mapping[str, Any], at: int, held_out_words: str) -> str:
    """How the cell that the sentence of a design speaks of was chosen.

    Args:
        study: The study.
        laws: Its laws.
        at: Number of the design.
        held_out_words: What they are, such as ``300 held-out real words``.
    """
    design, found = study.designs[at], laws["tests"][0]["designs"][at]
    chosen, best = chosen_cell(study, design, found), found["best_on_validation"]
    tied = [place_label(design, cell) for cell in found["tied_on_validation"]]
    what = "ratios" if design["scale"] == "ratio" else "cells"
    if len(tied) > 1:
        told = f"Of the {what} tried, {listed(tied)} read equally many, and most, of {held_out_words}"
        same = "; the sentence above speaks of the least of them."
    else:
        told, same = f"Of the {what} tried, {tied[0]} read most of {held_out_words}", "."
    if best != chosen:
        same = f"; the sentence above compares the largest {what[:-1]} instead."
    return told + same


def published_sentence(study: Study, laws: Mapping[str, Any], at: int) -> str | None:
    """Whether the published optimum shows in a design of ratios, on all tests together; None if not tried."""
    test = laws["tests"][-1]
    design, found = study.designs[at], test["designs"][at]
    if (published := found["published"]) is None:
        return None
    others = published["others"]
    real, synthetic = names(study, [place["cell"] for place in design["places"]])
    name = f"The published optimum, {published['ratio']:g} {synthetic} words per {real} word,"
    where = f"in the design {design['name']} on {test['name']}"
    best = max(others, key=lambda cell: others[cell]["estimate"])
    against = (
        f"the best of the others, {place_label(design, best)}, reads {with_interval(others[best])} points "
        "against it"
    )
    if all(other["settled"] and other["estimate"] < 0 for other in others.values()):
        return f"{name} shows {where}: {against} (95 % interval)."
    if others[best]["settled"] and others[best]["estimate"] > 0:
        return f"{name} does not show {where}: {against} (95 % interval)."
    return f"{name} can be neither shown nor ruled out {where}: {against} (95 % interval)."


def base_words(study: Study, design: Design) -> str:
    """What the other cells of a design are compared with, in words."""
    base = design["base"]
    if design["scale"] != "ratio":
        return place_label(design, base)
    ratio = place_label(design, base)
    real, synthetic = names(study, [place["cell"] for place in design["places"]])
    return f"{real} words alone" if ratio == "0" else f"{ratio} {synthetic} per {real} word"


def names(study: Study, cells: Collection[str]) -> tuple[str, str]:
    """What sentences about some cells call their real and their synthetic words: a part, or the kind."""
    used = {
        part
        for cell in study.facts["cells"]
        if cell["name"] in cells
        for stage in cell["stages"]
        for part, n in stage["words"].items()
        if n
    }
    of_kind = {
        kind: [part["name"] for part in study.parts if part["kind"] == kind and part["name"] in used]
        for kind in ("real", "synthetic")
    }
    real, synthetic = (found[0] if len(found) == 1 else kind for kind, found in of_kind.items())
    return real, synthetic


def place_label(design: Design, cell: str) -> str:
    """What the axis calls a cell of a design; ratios as short as they can be."""
    place = next(place for place in design["places"] if place["cell"] == cell)
    ratio = design["scale"] == "ratio" and place["x"] is not None
    return f"{place['x']:g}" if ratio else str(place["label"])


def _doing(study: Study, design: Design, cell: str) -> str:
    real, synthetic = names(study, [place["cell"] for place in design["places"]])
    label = place_label(design, cell)
    noun = "word" if label == "1" else "words"
    if design["kind"] == "fixed_real":
        return f"Adding {label} {synthetic} {noun} per {real} word"
    if design["scale"] == "ratio":
        return f"Training on {label} {synthetic} {noun} per {real} word, at the same total,"
    if design["kind"] == "volume":
        return f"Training on {label} different words"
    return f"In the design {design['name']}, {label}"


def _effect(test: str, found: Mapping[str, Any]) -> tuple[str, str]:
    """The verb, and by how much on which test set."""
    low, high = found["low95"], found["high95"]
    if not found["settled"]:
        return (
            "made no clear difference",
            f"on {test} ({points(found['estimate'])} points {bracket(low, high)})",
        )
    least, most = sorted([100 * abs(low), 100 * abs(high)])
    gain = f"{100 * abs(found['estimate']):.1f} points [{least:.1f}, {most:.1f}]"
    return ("gained" if found["estimate"] > 0 else "lost"), f"{gain} on {test}"


def points(fraction: float) -> str:
    """A difference of accuracies in percentage points, with its sign."""
    return f"{100 * fraction:+.1f}".replace("-", "−")


def bracket(low: float, high: float) -> str:
    """An interval of such differences."""
    return f"[{points(low)}, {points(high)}]"


def with_interval(found: Mapping[str, float]) -> str:
    """A difference of accuracies in percentage points with its 95 % interval."""
    return f"{points(found['estimate'])} {bracket(found['low95'], found['high95'])}"


def listed(items: Sequence[str]) -> str:
    """Items in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
