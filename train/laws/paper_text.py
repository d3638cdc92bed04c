"""What ``glyphmix laws --paper`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curation.core.text import aligned

HEAD = (
    *("law", "points", "exponent published", "refitted", "by scatter", "one point left out", "by reading"),
    *("by test words", "error a doubling, published", "refitted"),
)


def paper_text(found: Mapping[str, Any]) -> str:
    """Lay out what ``paper_laws`` found."""
    rows = [row for law in found["laws"] for row in _rows(law)]
    n_words, reading = found["n_test_words"], 100 * found["reading_error"]
    about = (
        f'The laws of "{found["title"]}" ({found["source"]}), E = (scale / x)^exponent, and straight lines '
        "of log error on log x refitted to the points of its figures. Points drawn dashed, as predicted, "
        "are not fitted."
    )
    sources = [
        "95 % intervals of the refitted exponent,",
        "  by scatter: the distance of the points from their line, by Student's t, if there are three.",
        "  one point left out: the least and the greatest exponent that the other points give.",
        f"  by reading the figure: each point is off by up to {reading:.1f} percentage points.",
        f"  by test words: each point is a count of {n_words:,} words; taken as other words for "
        "each, this is the widest they make it.",
    ]
    parts = [about, "\n".join(aligned([HEAD, *rows], left={0})), "\n".join(sources)]
    parts += ["\n".join([f"{law['name']}:", *(f"  {s}" for s in _sentences(law))]) for law in found["laws"]]
    results = [
        [r["model"], r["trained_on"], f"{100 * r['accuracy']:.2f}", r["known"]] for r in found["results"]
    ]
    head = ["model", "trained on", "accuracy %", "known"]
    parts.append("\n".join(aligned([head, *results], left={0, 1, 3})))
    parts.append("Not known: " + "; ".join(found["missing"]) + ".")
    return "\n\n".join(parts)


def _rows(law: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for i, curve in enumerate(law["curves"]):
        refit, name = curve["refit"], f"  {curve['series']}" if curve["series"] else law["name"]
        if i == 0 and curve["series"]:
            yield (law["name"], *[""] * 9)
        left_out = refit["without_one"]
        yield (
            name,
            str(refit["n_points"]),
            f"{law['exponent']:g}",
            f"{refit['exponent']:.4f}",
            _range(refit["by_scatter"]),
            f"{left_out[0]:.3f} to {left_out[1]:.3f}" if left_out else "-",
            _range(refit["by_reading"]),
            _range(refit["by_test_words"]),
            f"x {law['per_doubling']:.3f}",
            f"x {refit['per_doubling']:.3f}",
        )


def _range(interval: Mapping[str, float] | None, digits: int = 3) -> str:
    if interval is None:
        return "-"
    return f"{interval['low95']:.{digits}f} to {interval['high95']:.{digits}f}".replace("-", "−")


def _sentences(law: Mapping[str, Any]) -> Iterator[str]:
    first, last = law["range"]
    at_first, at_last = (_percent(error) for error in law["at_range"])
    unit = "in percent" if law["error_unit"] == "percent" else "as a fraction"
    yield (
        f"Published E = ({law['scale']:g} / x)^{law['exponent']:g} ({law['known']}), x in {law['x']}, "
        f"E {unit}: {at_first} at {first:,.0f} and {at_last} at {last:,.0f}."
    )
    if law["printed_exponent"] < 0:
        wrong = [_percent(error) for error in law["as_printed_at_range"]]
        yield (
            f"It is printed with the exponent {law['printed_exponent']:g}".replace("-", "−")
            + f", by which errors would grow, from {wrong[0]} to {wrong[1]}; with the sign turned it goes "
            "through the points of the figure. The minus sign is a misprint."
        )
    for curve in law["curves"]:
        name = f"{curve['series']}: " if curve["series"] else ""
        if curve.get("last"):
            yield name + _last(curve["last"], dashed=curve["points"][-1]["dashed"])
        if curve.get("floor"):
            yield name + _floor(curve["floor"])
        if curve.get("note"):
            yield name + curve["note"]
    refits = [curve["refit"] for curve in law["curves"]]
    if all(refit["by_test_words"]["low95"] < 0 for refit in refits):
        yield "The test words alone leave it open whether there is any slope: the interval holds 0."


def _last(last: Mapping[str, Any], *, dashed: bool) -> str:
    interval = last["predicted"]
    name = f"{last['label']} ({last['x']:,.0f})" if last["label"] else f"The last point ({last['x']:,.0f})"
    said = "is drawn dashed, as a prediction, at" if dashed else "reads"
    tail = "" if last["with_floor"] is None else f"; with a floor {_percent(last['with_floor'])}"
    return (
        f"{name} {said} {_percent(last['error'])}; the line through the points before it gives "
        f"{_with_interval(interval)}{tail}."
    )


def _floor(floor: Mapping[str, Any]) -> str:
    if "refused" in floor:
        return f"No floor fitted: {floor['refused']}."
    at, exponent, far = floor["floor"], floor["exponent"], floor["error_far"]
    return (
        f"With a floor the exponent is {exponent['estimate']:.2f} [{_range(exponent, 2)}] and the floor "
        f"{_with_interval(at)}; at ten times the last point fitted ({floor['far']:,.0f}) it gives "
        f"{_with_interval(far)}, the line {_percent(floor['error_far_without'])}."
    )


def _percent(fraction: float) -> str:
    """Three digits that count: an error of 3.45 % is told from one of 3.55 %."""
    digits = 2 if fraction < 0.1 else 1 if fraction < 1 else 0
    return f"{100 * fraction:.{digits}f} %"


def _with_interval(of: Mapping[str, float]) -> str:
    return f"{_percent(of['estimate'])} [{_percent(of['low95'])}, {_percent(of['high95'])}]"
