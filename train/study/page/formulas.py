"""Which laws of a design the page shows, and what their names and parameters mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

POWER = {"power": "E + A / n^a", "power_no_floor": "A / n^a"}
COLUMNS = {
    "n_total": "the number of different words",
    "n_real": "the number of different real words",
    "n_synthetic": "the number of different synthetic words",
    "parameters": "the number of the model's parameters",
    "samples": "the number of samples seen",
    "flops": "the number of floating-point operations of the training",
}
DISCOUNTED = "repeats discounted: a word counts for less each time that it is seen again"


def law_rows(laws: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Laws of design number ``at`` as its section needs them: fitted ones by their places (test, law)."""
    each = [
        ((i, j), test["name"], law)
        for i, test in enumerate(laws["tests"])
        for j, law in enumerate(test["designs"][at]["laws"])
    ]
    fitted = [(place, law) for place, _, law in each if "refused" not in law]
    sets: dict[tuple[str, str], list[str]] = {}
    for _, name, law in each:
        if "refused" in law:  # equal refusals once, with the test sets they hold for
            sets.setdefault((law["law"], law["refused"]), []).append(name)
    everywhere = len(laws["tests"])
    return {
        "chosen": [place for place, law in fitted if law.get("chosen")],
        "beside": [place for place, law in fitted if not law.get("chosen")],
        "formulas": formulas([law["law"] for _, law in fitted]),
        "refused": [
            (law if len(names) == everywhere else f"{law}, {', '.join(names)}", reason)
            for (law, reason), names in sets.items()
        ],
    }


def formulas(titles: Sequence[str]) -> str:
    """The formulas of the laws of one design in a sentence; empty if none of them is known here.

    Args:
        titles: The laws' titles as ``laws.json`` has them, such as ``power of n_total, repeats discounted``.
    """
    told: dict[str, None] = {}
    for title in titles:
        kind, _, rest = title.partition(" of ")
        of, _, option = rest.partition(", ")
        if kind in POWER and of in COLUMNS:
            told[f"{kind}: error = {POWER[kind]}"] = None
            told[f"n is {of}, {COLUMNS[of]}"] = None
        elif kind == "mixing" and rest == "synthetic":
            told["mixing: error = c + k exp(t_synthetic s), with s the share of synthetic words"] = None
        if option == "repeats discounted":
            told[DISCOUNTED] = None
    ordered = sorted(told, key=lambda sentence: "error =" not in sentence)
    return f"Error is the share of words misread; {'; '.join(ordered)}." if told else ""


def joint_formula(title: str) -> str:
    """The formula of a joint law and what its parameters mean; empty for a law that is none."""
    kind, *options = title.split(", ")
    if kind != "joint" or " or " in title:
        return ""
    sized = "with model size" in options
    terms = [] if "no floor" in options else ["E"]
    terms += ["A / N^a"] if sized else []
    synthetic = "k synthetic^r" if "curved" in options else "k synthetic"
    terms.append(f"B / (real + {synthetic})^b")
    told = [f"Error, the share of words misread, is {' + '.join(terms)}"]
    told += ["N is the number of parameters"] if sized else []
    told.append("real and synthetic are numbers of different words")
    many = "s synthetic words count as much as k s^r real ones"
    told.append(many if "curved" in options else "one synthetic word counts as much as k real ones")
    if "repeats not counted" not in options:
        told.append(DISCOUNTED.partition(": ")[2])
    return "; ".join(told) + "."
