"""An evaluation as one page that needs nothing beside it and asks no other host for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.core.labels import PROTOCOLS
from curation.core.page import write_page
from curation.core.text import counted
from train.evaluation.alignment import CharacterScore
from train.evaluation.errors import changed, sheets
from train.evaluation.findings import Findings
from train.evaluation.plot import Bar, reliability, rows
from train.evaluation.slices import Slicing
from train.evaluation.suites import completeness
from train.evaluation.text import p_value, percent, points, shown

TEMPLATE = Path(__file__).parents[1] / "templates" / "evaluate.html"
MOST_CHARACTERS, MOST_CONFUSIONS = 40, 30


def write_evaluation(found: Findings, out: Path) -> None:
    """Write the page; it stays below 3 MB whatever was evaluated."""
    write_page(TEMPLATE, _content(found), out)


def _content(found: Findings) -> dict[str, Any]:
    mean = found.average.accuracy_weighted
    return {
        "found": found,
        "run": found.run.resolve().name,
        "scores": [one.score for one in found.measured],
        "sets": ", ".join(one.score.name for one in found.measured),
        "notes": _notes(found),
        "slices": [(one.by, _plot(one, mean)) for one in found.slices if _tells(one, found)],
        "characters": rows(
            list(map(_bar, found.characters[:MOST_CHARACTERS])), "Characters read", unit="times"
        ),
        "n_characters": min(MOST_CHARACTERS, len(found.characters)),
        "confusions": found.confusions[:MOST_CONFUSIONS],
        "reliability": reliability(found.calibration),
        "sheets": sheets(found.measured),
        "changed": changed(found.measured, found.others) if found.others else [],
        "steps": PROTOCOLS[found.protocol].describe(),
        "source": PROTOCOLS[found.protocol].source,
        "counted": counted,
        "percent": percent,
        "points": points,
        "p_value": p_value,
        "shown": shown,
    }


def _tells(slicing: Slicing, found: Findings) -> bool:
    """Whether a plot says more than the table: not where all words are one set."""
    return slicing.by != "set" or len(found.measured) > 1


def _notes(found: Findings) -> list[str]:
    """What must be known beside the figures."""
    told = [
        f"{one.score.n_trained_on:,} of the words of {one.score.name} were among those trained on."
        for one in found.measured
        if one.score.n_trained_on
    ]
    if found.suite is not None:
        told += [completeness(found.suite, found.members)]
    return told


def _plot(slicing: Slicing, mean: float) -> str:
    bars = [
        Bar(
            name=group.name,
            share=group.accuracy,
            low=group.accuracy_low,
            high=group.accuracy_high,
            n=group.n,
        )
        for group in slicing.groups
    ]
    return rows(bars, f"Word accuracy by {slicing.by}", mean=mean)


def _bar(one: CharacterScore) -> Bar:
    return Bar(name=shown(one.character), share=one.recall, low=one.recall_low, high=one.recall_high, n=one.n)
