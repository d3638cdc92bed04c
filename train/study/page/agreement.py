"""Plots of what a law said against what came out: all cells it was fitted to, and those it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from train.study.page.axes import RIGHT, TOP, Percent, drawing, line, rising_axis, text, wrapped

LEFT, BOTTOM = 52, 340
ROW, ROWS_TOP, NAMES = 54, 8, 150


def observed_against_predicted(
    fitted: Sequence[Mapping[str, Any]],
    cells: Mapping[str, Mapping[str, float]],
    held_out: Sequence[str],
    *,
    test: str,
) -> str:
    """Draw observed against predicted accuracy; on the line from corner to corner the two are equal.

    Args:
        fitted: cell, observed and predicted of each, fractions.
        cells: Interval of each cell's accuracy; a cell without one is a dot alone.
        held_out: Cells that the law had not seen, drawn as diamonds.
        test: Name of the test set.
    """
    ends = [entry[key] for entry in fitted for key in ("observed", "predicted")]
    ends += [cells[e["cell"]][k] for e in fitted if e["cell"] in cells for k in ("low95", "high95")]
    up = Percent.around(ends, BOTTOM, TOP)
    along = Percent(low=up.low, high=up.high, step=up.step, start=LEFT, end=RIGHT)
    parts = rising_axis(up, left=LEFT)
    for x, label in along.ticks():
        parts += [line("grid", x, TOP, x, BOTTOM), text(label, x, BOTTOM + 18, "tick")]
    parts.append(line("identity", LEFT, BOTTOM, RIGHT, TOP))
    parts.append(text("predicted accuracy, %", (LEFT + RIGHT) / 2, BOTTOM + 38, "title"))
    parts.append(
        f'<text class="title" text-anchor="middle" transform="translate(12 {(TOP + BOTTOM) / 2:.1f}) '
        'rotate(-90)">observed accuracy, %</text>'
    )
    for entry in fitted:
        x, y = along.at(entry["predicted"]), up.at(entry["observed"])
        found = cells.get(entry["cell"])
        if found:
            parts.append(line("interval95", x, up.at(found["low95"]), x, up.at(found["high95"])))
        parts.append(_point(x, y, _told(entry), entry["cell"] in held_out))
    said = "; ".join(map(_told, fitted))
    return drawing(parts, f"{test}. {said}", height=BOTTOM + 46, kind="plot agreement")


def outcome_against_forecast(forecast: Sequence[Mapping[str, Any]], *, test: str) -> str:
    """Draw one row a held-out cell: the interval predicted for its accuracy, and what came out."""
    bottom = ROWS_TOP + ROW * len(forecast)
    told = [entry for entry in forecast if entry.get("observed") is not None]
    ends = [entry["predicted"][key] for entry in forecast for key in ("low95", "high95")]
    axis = Percent.around([*ends, *(entry["observed"] for entry in told)], NAMES, RIGHT - 8, ticks=4)
    parts = []
    for x, label in axis.ticks():
        parts += [line("grid", x, ROWS_TOP - 6, x, bottom), text(label, x, bottom + 18, "tick")]
    parts.append(text("accuracy, %", (NAMES + RIGHT) / 2, bottom + 38, "title"))
    for i, entry in enumerate(forecast):
        parts += _forecast_row(entry, ROWS_TOP + ROW * (i + 0.5) - 3, axis)
    said = "; ".join(
        f"{e['cell']}: predicted {_percent(e['predicted']['estimate'])}"
        + (f", came out {_percent(e['observed'])}" if e.get("observed") is not None else ", not read yet")
        for e in forecast
    )
    return drawing(parts, f"{test}. {said}", height=bottom + 46, kind="plot forecast")


def _forecast_row(entry: Mapping[str, Any], y: float, axis: Percent) -> list[str]:
    predicted = entry["predicted"]
    names = [*wrapped(entry["cell"], NAMES - 14, most=2), f"by {entry['by']}"]
    parts = [
        text(name, 0, y + 4 + 14 * (i - (len(names) - 1) / 2), "name", "start")
        for i, name in enumerate(names)
    ]
    for size in (95, 80):
        left, right = axis.at(predicted[f"low{size}"]), axis.at(predicted[f"high{size}"])
        parts.append(
            f'<rect class="band{size}" x="{left:.1f}" y="{y - 9:.1f}" width="{max(right - left, 1):.1f}" '
            'height="18" rx="2"/>'
        )
    middle = axis.at(predicted["estimate"])
    parts.append(line("curve", middle, y - 9, middle, y + 9))
    if entry.get("observed") is not None:
        parts.append(_point(axis.at(entry["observed"]), y, f"came out {_percent(entry['observed'])}", True))
    return parts


def _point(x: float, y: float, hint: str, held_out: bool) -> str:
    told = f"<title>{escape(hint)}</title>"
    if held_out:
        return f'<path class="dot heldout" d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z">{told}</path>'
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5">{told}</circle>'


def _told(entry: Mapping[str, Any]) -> str:
    said = f"predicted {_percent(entry['predicted'])}, observed {_percent(entry['observed'])}"
    return f"{entry['cell']}: {said}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
