"""Maps over real x synthetic words: a figure in every field, its size as a colour that all eyes can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

from train.study.page.axes import CHAR_PX, RIGHT, drawing, labelled, short_number, text

LEFT, TOP = 58, 26
ROW_APART = 15  # labels of rows nearer than this would touch
SHADES = 7  # classes shade0 ... shade6 of the style sheet, from dark blue over grey to yellow (cividis)
DARK = 3  # figures on shades below this one are white
ALIKE = -1  # the shade of all fields where there is nothing to tell apart: class alike


def field_map(
    across: Sequence[float],
    up: Sequence[float],
    values: Sequence[Sequence[float | None]],
    *,
    titles: tuple[str, str],
    show: Callable[[float], str],
    hints: Sequence[Sequence[str]] | None = None,
    marks: Sequence[tuple[float, float]] = (),
    logarithmic: bool = False,
    said: str,
) -> str:
    """Draw one field for each pair of values, lower values at the left and at the bottom.

    Args:
        across: Values of the columns, upwards.
        up: Values of the rows, upwards.
        values: One row for each of ``up``; None where there is no figure.
        titles: Of the horizontal and of the vertical axis.
        show: Writes a figure.
        hints: What to tell of a field that is pointed at.
        marks: Places (across, up) of the study's cells, drawn as rings.
        logarithmic: Whether fields shade by the logarithm of their figures, as rates should; rates within a
            tenth of each other all have one shade.
        said: What is read out in place of the map.
    """
    height = TOP + max(200.0, min(46.0 * len(up), 340.0))
    columns, rows = _edges(across, LEFT, RIGHT), _edges(up, height, TOP)
    told = [math.log(v) if logarithmic else v for row in values for v in row if v is not None]
    least = math.log(1.1) if logarithmic else 0.0
    parts = []
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            shade = None if value is None else _shade(math.log(value) if logarithmic else value, told, least)
            label = "" if value is None else show(value)
            hint = hints[i][j] if hints else ""
            parts.append(_field(columns[j : j + 2], rows[i : i + 2], shade, label, hint, high=bool(marks)))
    parts += _rings(marks, across, up, columns, rows)
    parts += _ticks(across, up, columns, rows)
    parts.append(text(titles[0], (LEFT + RIGHT) / 2, height + 40, "title"))
    parts.append(text(titles[1], 0, TOP - 10, "title", "start"))
    return drawing(parts, said, height=height + 48, kind="plot map")


def _ticks(
    across: Sequence[float], up: Sequence[float], columns: Sequence[float], rows: Sequence[float]
) -> list[str]:
    """Values of the columns below the map and of the rows at its left, as far as there is room."""
    names = [(x, short_number(n)) for n, x in zip(across, _places(across, columns), strict=True)]
    parts = [text(name, x, rows[0] + 18, "tick") for x, name in labelled(names)]
    last = math.inf
    for value, y in zip(up, _places(up, rows), strict=True):
        if last - y >= ROW_APART:
            parts.append(text(short_number(value), LEFT - 7, y + 4, "tick", "end"))
            last = y
    return parts


def _edges(values: Sequence[float], start: float, end: float) -> list[float]:
    """Edges of fields: halfway between the values on a logarithmic axis, equally far apart if one is 0."""
    n = len(values)
    if min(values) <= 0 or n < 2 or min(values) == max(values):
        return [start + (end - start) * i / n for i in range(n + 1)]
    logs = [math.log(value) for value in values]
    inner = [(a + b) / 2 for a, b in pairwise(logs)]
    edges = [2 * logs[0] - inner[0], *inner, 2 * logs[-1] - inner[-1]]
    return [start + (end - start) * (edge - edges[0]) / (edges[-1] - edges[0]) for edge in edges]


def _places(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Where the values stand: on the logarithmic axis, or in the middles of equal fields."""
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    on_axis = [_within(value, values, edges) for value in values]
    return [m if place is None else place for m, place in zip(middles, on_axis, strict=True)]


def _shade(value: float, told: Sequence[float], least: float) -> int:
    """Which shade, or that all are alike, differing by no more than ``least``."""
    low, high = min(told), max(told)
    if high - low <= least:
        return ALIKE
    return min(SHADES - 1, int(SHADES * (value - low) / (high - low)))


def _field(
    columns: Sequence[float], rows: Sequence[float], shade: int | None, label: str, hint: str, *, high: bool
) -> str:
    """A field and its figure, in its middle or, ``high``, where a ring in the middle leaves it free."""
    (x, right), (bottom, y) = columns, rows
    kind = "none" if shade is None else "alike" if shade == ALIKE else f"shade{shade}"
    box = f'x="{x:.1f}" y="{y:.1f}" width="{right - x:.1f}" height="{bottom - y:.1f}"'
    told = f"<title>{escape(hint)}</title>" if hint else ""
    parts = [f'<rect class="field {kind}" {box}>{told}</rect>']
    if label and len(label) * CHAR_PX <= right - x:
        tone = " plain" if shade == ALIKE else " light" if shade is not None and shade < DARK else ""
        base = y + 13.5 if high else (y + bottom) / 2 + 4.5
        parts.append(text(label, (x + right) / 2, base, f"figure{tone}"))
    return "".join(parts)


def _rings(
    marks: Sequence[tuple[float, float]],
    across: Sequence[float],
    up: Sequence[float],
    columns: Sequence[float],
    rows: Sequence[float],
) -> list[str]:
    """Where the study has cells, if that lies within the map."""
    parts = []
    for x, y in sorted(set(marks)):
        at = _within(x, across, columns), _within(y, up, rows)
        if at[0] is not None and at[1] is not None:
            parts.append(f'<circle class="ring" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="3.5"/>')
    return parts


def _within(value: float, values: Sequence[float], edges: Sequence[float]) -> float | None:
    """Place of a value on the logarithmic axis; None beyond its edges."""
    if value <= 0 or min(values) <= 0 or len(values) < 2 or min(values) == max(values):
        return None
    below = math.log(values[0]) - math.log(values[1] / values[0]) / 2
    above = math.log(values[-1]) + math.log(values[-1] / values[-2]) / 2
    share = (math.log(value) - below) / (above - below)
    return edges[0] + share * (edges[-1] - edges[0]) if 0 <= share <= 1 else None
