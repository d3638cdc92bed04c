"""What the page shows of each design and of the law over all of them: plots, and what their captions need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from train.study.answers.design_words import base_words
from train.study.page.accuracy import Mark, against_number, by_category
from train.study.page.agreement import observed_against_predicted, outcome_against_forecast
from train.study.page.axes import short_number
from train.study.page.figures import rate, refusal
from train.study.page.formulas import joint_formula, law_rows
from train.study.page.rate_map import field_map
from train.study.rows import Study

MOST_PLOTS = 3  # test sets with a plot each; of more, that of all together stands first, theirs fold away
TITLES = {
    "fixed_real": "{synthetic} words added to the same {real} words",
    "fixed_total": "The share of {synthetic} words, at the same number of words",
    "volume": "More words, at the same ratio",
    "grid": "Numbers of {real} and {synthetic} words, crossed",
    "model_size": "Smaller and larger models",
    "compute": "Shorter and longer training",
    "pretrain": "Which words first",
    "composition": "One source after another",
    "source": "Sources against each other",
}


def shown_tests(laws: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Places in ``laws["tests"]`` of the sets to plot at once, and of those that fold away."""
    n = len(laws["tests"])
    alone = list(range(n - 1)) if n > 1 else [0]
    return (alone, []) if len(alone) <= MOST_PLOTS else ([n - 1], alone)


def design_sections(study: Study, laws: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One section a design: heading, sentence, plots, and where its figures stand in ``laws``."""
    shown, folded = shown_tests(laws)
    names = {kind: study.name_of(kind) for kind in ("real", "synthetic")}
    found = []
    for at, design in enumerate(study.facts["designs"]):
        title = TITLES.get(design["kind"], design["kind"]).format(**names)
        section = {
            "at": at,
            "anchor": f"design-{at + 1}",
            "title": title[:1].upper() + title[1:],
            "name": design["name"],
            "kind": design["kind"],
            "sentence": design["sentence"],
            "labels": {place["cell"]: place["label"] for place in design["places"]},
            "base": design["base"],
            "remarks": design.get("remarks", []),
            "plots": [_design_plot(study, laws, at, test) for test in shown],
            "folded": [_design_plot(study, laws, at, test) for test in folded],
            "against": base_words(study, design),
            "factor": design["factor"],
            "held_out": any(p["cell"] in study.facts["held_out"] for p in design["places"]),
            **law_rows(laws, at),
        }
        section["finished"] = bool(section["plots"][0]["svg"])
        section["map"] = design["kind"] == "grid"
        section["curves"] = any(plot["curve"] for plot in (*section["plots"], *section["folded"]))
        found.append(section)
    return found


def marks(study: Study, laws: Mapping[str, Any], at: int, test: int) -> list[Mark]:
    """The cells of the design ``at`` that have finished, as measured on the test set ``test``."""
    found, name = laws["tests"][test], laws["tests"][test]["name"]
    return [
        Mark(
            label=place["label"],
            x=place["x"],
            **{key: found["cells"][place["cell"]][key] for key in _ENDS},
            seeds=_seeds(study, place["cell"], name),
            held_out=place["cell"] in study.facts["held_out"],
        )
        for place in study.facts["designs"][at]["places"]
        if place["cell"] in found["cells"]
    ]


_ENDS = ("estimate", "low95", "low80", "high80", "high95")


def _seeds(study: Study, cell: str, test: str) -> tuple[float, ...]:
    """Accuracy of each run of ``cell``: on one test set, or on the words of all."""
    right = [
        [(s["n_correct"], s["n_used"]) for s in row["tests"] if test in (s["name"], "all tests")]
        for row in study.runs(cell)
    ]
    return tuple(sum(c for c, _ in run) / sum(n for _, n in run) for run in right)


def _design_plot(study: Study, laws: Mapping[str, Any], at: int, test: int) -> dict[str, Any]:
    design, found = study.facts["designs"][at], laws["tests"][test]
    cells = marks(study, laws, at, test)
    fits = found["designs"][at]["laws"]
    curve = next((law["curve"] for law in fits if law.get("chosen") and law.get("curve")), None)
    plot = {"test": found["name"], "words": found["words"], "at": test, "curve": curve is not None}
    if not cells:
        return {**plot, "svg": ""}
    if grid := _grid_map(study, design, found):
        return {**plot, "curve": False, "svg": grid}
    if design["scale"] == "category" or all(mark.x is None for mark in cells):
        plot["curve"] = False
        return {**plot, "svg": by_category(cells, title="word accuracy, %", test=found["name"])}
    svg = against_number(
        cells,
        scale=design["scale"],
        title=design["factor"],
        test=found["name"],
        curve=curve,
        published=design.get("mark"),
    )
    return {**plot, "svg": svg}


def _grid_map(study: Study, design: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    """A grid of real x synthetic words as a map of accuracies; None for a design that is no grid."""
    rows = {p["cell"]: study.runs(p["cell"])[0] for p in design["places"] if p["cell"] in found["cells"]}
    at = {(row["n_real"], row["n_synthetic"]): cell for cell, row in rows.items()}
    up, across = (sorted({place[i] for place in at}) for i in (0, 1))
    if design["kind"] != "grid" or len(at) < len(rows):
        return None
    values = [[_accuracy(found, at.get((r, s))) for s in across] for r in up]
    real, synthetic = study.name_of("real"), study.name_of("synthetic")
    told = "; ".join(f"{cell}: {100 * found['cells'][cell]['estimate']:.1f} %" for cell in rows)
    return field_map(
        across,
        up,
        values,
        titles=(f"{synthetic} words", f"{real} words; word accuracy in %"),
        show=lambda accuracy: f"{100 * accuracy:.1f}",
        said=f"{found['name']}. {told}",
    )


def _accuracy(found: Mapping[str, Any], cell: str | None) -> float | None:
    return None if cell is None else found["cells"][cell]["estimate"]


def joint_section(study: Study, laws: Mapping[str, Any]) -> dict[str, Any] | None:
    """The law over all cells: predicted against observed for the pooled test words, or why there is none."""
    at = len(laws["tests"]) - 1
    test = laws["tests"][at]
    if not (joint := test.get("joint")):
        return None
    if reason := refusal(joint):
        return {"refused": reason}
    svg = observed_against_predicted(
        joint["fitted"], test["cells"], study.facts["held_out"], test=test["name"]
    )
    found = {"at": at, "test": test["name"], "words": test["words"], "refused": None, "svg": svg}
    return {**found, "formula": joint_formula(joint["law"])}


def exchange_sections(study: Study, laws: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The exchange rate on each test set, the pooled words first: a map, or why there is none."""
    order = [len(laws["tests"]) - 1, *range(len(laws["tests"]) - 1)]
    found = []
    for at in order:
        test = laws["tests"][at]
        if not (exchange := test.get("exchange")):
            continue
        reason = refusal(exchange)
        svg = "" if reason else _rate_map(study, exchange, law_names(study, laws), test["name"])
        found.append({"at": at, "test": test["name"], "words": test["words"], "refused": reason, "svg": svg})
    return found


def law_names(study: Study, laws: Mapping[str, Any]) -> dict[str, str]:
    """What to call the real and the synthetic words that the law over all cells speaks of."""
    found: dict[str, str] = laws["tests"][-1]["joint"].get("names") or {
        kind: study.name_of(kind) for kind in ("real", "synthetic")
    }
    return found


def _rate_map(study: Study, exchange: Mapping[str, Any], names: Mapping[str, str], test: str) -> str:
    real, synthetic = names["real"], names["synthetic"]
    found = exchange["map"]
    across, up = (_different(found[kind]) for kind in ("synthetic", "real"))
    if min(len(across), len(up)) < 2:
        return ""  # one kind of words never moved: there is a rate, and nothing to map
    columns, rows = [found["synthetic"][j] for j in across], [found["real"][i] for i in up]
    hints = [
        [
            f"{short_number(r)} {real} and {short_number(s)} {synthetic} words: {_told(found, i, j)}"
            for j, s in zip(across, columns, strict=True)
        ]
        for i, r in zip(up, rows, strict=True)
    ]
    told = "; ".join(hint for row in hints for hint in row)
    return field_map(
        columns,
        rows,
        [[found["rate"][i][j] for j in across] for i in up],
        titles=(f"{synthetic} words, logarithmic", f"{real} words, logarithmic"),
        show=_two_digits,
        hints=hints,
        marks=[(row["n_synthetic"], row["n_real"]) for row in study.rows],
        logarithmic=True,
        said=f"{test}. {told}",
    )


def _different(values: Sequence[float]) -> list[int]:
    """Places of the values that do not repeat the one before, as those of a count that never moved do."""
    return [i for i, value in enumerate(values) if not i or value != values[i - 1]]


def _told(found: Mapping[str, Any], i: int, j: int) -> str:
    if found["rate"][i][j] is None:
        return "no gain by more of one kind"
    ends = found["low80"][i][j], found["high80"][i][j]
    low, high = ("unknown" if end is None else rate(end) for end in ends)
    return f"{rate(found['rate'][i][j])} [{low}, {high}] (80 %)"


def _two_digits(value: float) -> str:
    if value >= 9.95:
        return short_number(float(f"{value:.2g}"))
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def forecast_section(laws: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was predicted of cells before they were read, test set by test set."""
    found = []
    for at, test in enumerate(laws["tests"]):
        told = [i for i, entry in enumerate(test["forecast"]) if "predicted" in entry]
        if not test["forecast"]:
            continue
        entries = [test["forecast"][i] for i in told]
        found.append(
            {
                "at": at,
                "test": test["name"],
                "words": test["words"],
                "entries": told,
                "svg": outcome_against_forecast(entries, test=test["name"]) if entries else "",
            }
        )
    return found


def not_foretold(laws: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Cells that were not predicted, test sets, by which law, and why: equal reasons once."""
    tests: dict[tuple[str, str, str], list[str]] = {}
    for test in laws["tests"]:
        for entry in test["forecast"]:
            if "refused" in entry:
                tests.setdefault((entry["by"], entry["refused"], entry["cell"]), []).append(test["name"])
    cells: dict[tuple[str, str, str], list[str]] = {}
    for (by, reason, cell), names in tests.items():
        cells.setdefault((", ".join(names), by, reason), []).append(cell)
    return [(", ".join(names), *rest) for rest, names in cells.items()]


def taking_part(study: Study) -> dict[str, list[str]]:
    """Cell -> the designs it stands in, with what they call it."""
    found: dict[str, list[str]] = {}
    for design in study.facts["designs"]:
        for place in design["places"]:
            found.setdefault(place["cell"], []).append(f"{design['name']}: {place['label']}")
    return found


def changes(study: Study, cell: str) -> str:
    """How a cell is trained otherwise than the study's recipe says; its stages joined by ``then``."""
    stages: Sequence[Mapping[str, Any]] = next(
        entry["stages"] for entry in study.facts["cells"] if entry["name"] == cell
    )
    said = []
    for stage in stages:
        words = " + ".join(f"{n:,} {part}" for part, n in stage["words"].items() if n)
        parts = [words] if len(stages) > 1 else []
        parts += [f"{key} {value}" for key, value in stage["changes"].items()]
        said.append(", ".join(parts))
    return ", then ".join(said)
