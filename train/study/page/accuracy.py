"""Accuracy of the cells of one design on one test set: against a number, or category by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.study.page.axes import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Percent,
    Stretch,
    drawing,
    labelled,
    line,
    lying_axis,
    path,
    rising_axis,
    short_number,
    text,
    wrapped,
)

APART = 92  # room at the right for a cell that has no place on the axis
ROW, ROWS_TOP = 36, 8  # height of a category, and where the first begins
NAMES, VALUES = 138, 46  # room for the names of categories at the left, and for their figures at the right


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One cell as a plot shows it; accuracies are fractions.

    Attributes:
        label: What the axis or the row calls it.
        x: Its place on the axis, in the axis's own unit; None for none.
        estimate: Its accuracy.
        low95: Lower end of the 95 % interval; the others alike.
        low80: Lower end of the 80 % interval.
        high80: Upper end of it.
        high95: Upper end of the 95 % interval.
        seeds: Accuracy of each run; shown where there are several.
        held_out: Whether it was predicted before it was read.
    """

    label: str
    x: float | None
    estimate: float
    low95: float
    low80: float
    high80: float
    high95: float
    seeds: tuple[float, ...] = ()
    held_out: bool = False

    @property
    def said(self) -> str:
        """Its figures in words, for those who do not see the plot."""
        interval = f"[{100 * self.low95:.1f}, {100 * self.high95:.1f}]"
        return f"{self.label}: {100 * self.estimate:.1f} {interval} %"


def against_number(
    marks: Sequence[Mark],
    *,
    scale: str,
    title: str,
    test: str,
    curve: Mapping[str, Any] | None = None,
    published: Mapping[str, Any] | None = None,
) -> str:
    """Draw accuracy against a number: ratio, words, parameters, samples.

    A ratio r stands at log2(1 + r), so that equal steps to the right are equal factors of volume where the
    real words are fixed; other numbers stand on a logarithmic axis. Cells without a number stand apart.

    Args:
        marks: The cells.
        scale: ``ratio`` or ``log``.
        title: Of the axis.
        test: Name of the test set.
        curve: A fitted law as ``laws.json`` has it: x, estimate and the four ends of its bands.
        published: x and label of a value to mark, such as a ratio found best elsewhere.
    """
    placed = sorted((m for m in marks if m.x is not None), key=lambda m: m.x or 0.0)
    alone = [mark for mark in marks if mark.x is None]
    right = RIGHT - 26 - APART * len(alone)
    axis, place = _axes(placed, alone, scale, right, curve, published)
    ticks = [(place.at(m.x or 0.0), _tick(m, scale)) for m in placed]
    parts = [*rising_axis(axis), *lying_axis(ticks, title, right=right + 22)]
    if published is not None:
        parts += _published(published, place)
    parts += _curve(curve, place, axis) if curve else _joined(placed, place, axis)
    centres = [(place.at(m.x or 0.0), f"{100 * m.estimate:.1f}") for m in placed]
    told = {x for x, _ in labelled(centres, gap=2)}
    parts += [_standing(m, x, axis, told=x in told) for m, (x, _) in zip(placed, centres, strict=True)]
    for i, mark in enumerate(alone):
        parts += _apart(mark, right + 26 + APART * (i + 0.5), axis)
    return drawing(parts, f"{test}. " + "; ".join(mark.said for mark in marks))


def by_category(marks: Sequence[Mark], *, title: str, test: str) -> str:
    """Draw one row a cell, from the top, with its accuracy along a horizontal axis."""
    bottom = ROWS_TOP + ROW * len(marks)
    ends = [end for mark in marks for end in (mark.low95, mark.high95, *mark.seeds)]
    axis = Percent.around(ends, NAMES, RIGHT - VALUES, ticks=4)
    parts = []
    for x, label in axis.ticks():
        parts += [line("grid", x, ROWS_TOP - 6, x, bottom), text(label, x, bottom + 18, "tick")]
    parts.append(text(title, (NAMES + RIGHT - VALUES) / 2, bottom + 38, "title"))
    for i, mark in enumerate(marks):
        parts += _row(mark, ROWS_TOP + ROW * (i + 0.5) - 3, axis)
    return drawing(parts, f"{test}. " + "; ".join(mark.said for mark in marks), height=bottom + 46)


def _axes(
    placed: Sequence[Mark],
    alone: Sequence[Mark],
    scale: str,
    right: float,
    curve: Mapping[str, Any] | None,
    published: Mapping[str, Any] | None,
) -> tuple[Percent, Stretch]:
    ends = [end for m in (*placed, *alone) for end in (m.low95, m.high95, *m.seeds)]
    values = [m.x for m in placed if m.x is not None]
    if curve:
        ends += [*curve["estimate"], *curve["low80"], *curve["high80"]]
    reach = [*values, *(curve["x"] if curve else []), *([published["x"]] if published else [])]
    axis = Percent.around([min(max(end, 0.0), 1.0) for end in ends], BOTTOM, TOP)
    low, high = (min(reach), max(reach)) if reach else (1.0, 1.0)
    plus = 1.0 if scale == "ratio" else 0.0
    return axis, Stretch(plus=plus, low=low, high=high, start=LEFT + 30, end=right)


def _tick(mark: Mark, scale: str) -> str:
    return f"{mark.x:g}" if scale == "ratio" else short_number(mark.x or 0.0)


def _published(published: Mapping[str, Any], place: Stretch) -> list[str]:
    x = place.at(published["x"])
    anchor = "end" if x > (LEFT + RIGHT) / 2 else "start"
    return [
        line("published", x, TOP - 4, x, BOTTOM),
        text(published["label"], x + (4 if anchor == "start" else -4), BOTTOM - 8, "published", anchor),
    ]


def _joined(placed: Sequence[Mark], place: Stretch, axis: Percent) -> list[str]:
    points = [(place.at(m.x or 0.0), axis.at(m.estimate)) for m in placed]
    return [f'<polyline class="joined" points="{path(points)}"/>'] if len(points) > 1 else []


def _curve(curve: Mapping[str, Any], place: Stretch, axis: Percent) -> list[str]:
    """A fitted law with its 95 and 80 % bands, cut off at the edge of the plot."""
    xs = [place.at(x) for x in curve["x"]]

    def points(name: str) -> list[tuple[float, float]]:
        kept = (min(max(value, axis.low), axis.high) for value in curve[name])
        return list(zip(xs, map(axis.at, kept), strict=True))

    bands = [
        f'<polygon class="band{size}" points="{path(points(f"low{size}") + points(f"high{size}")[::-1])}"/>'
        for size in (95, 80)
    ]
    return [*bands, f'<polyline class="curve" points="{path(points("estimate"))}"/>']


def _standing(mark: Mark, x: float, axis: Percent, *, told: bool) -> str:
    """A dot with its intervals; a small tick for every seed where there are several."""
    y, high = axis.at(mark.estimate), axis.at(mark.high95)
    parts = [
        line("interval95", x, axis.at(mark.low95), x, high),
        line("interval80", x, axis.at(mark.low80), x, axis.at(mark.high80)),
    ]
    for at in map(axis.at, mark.seeds if len(mark.seeds) > 1 else ()):
        parts.append(line("seed", x - 8, at, x + 8, at))
    parts.append(_dot(mark, x, y))
    if told:
        parts.append(text(f"{100 * mark.estimate:.1f}", x, min(high, y - 5) - 7, "value"))
    return f'<g class="mark">{"".join(parts)}</g>'


def _dot(mark: Mark, x: float, y: float) -> str:
    if mark.held_out:
        return f'<path class="dot heldout" d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"/>'
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'


def _apart(mark: Mark, x: float, axis: Percent) -> list[str]:
    cut = x - APART / 2
    return [
        line("cut", cut, TOP, cut, BOTTOM + 26),
        line("axis", cut + 8, BOTTOM, cut + APART - 4, BOTTOM),
        f'<g class="alone">{_standing(mark, x, axis, told=True)}</g>',
        *(
            text(part, x, BOTTOM + 20 + 15 * i, "tick")
            for i, part in enumerate(wrapped(mark.label, APART - 8))
        ),
    ]


def _row(mark: Mark, y: float, axis: Percent) -> list[str]:
    names = wrapped(mark.label, NAMES - 14, most=2)
    parts = [
        text(name, 0, y + 4 + 14 * (i - (len(names) - 1) / 2), "name", "start")
        for i, name in enumerate(names)
    ]
    parts += [
        line("interval95", axis.at(mark.low95), y, axis.at(mark.high95), y),
        line("interval80", axis.at(mark.low80), y, axis.at(mark.high80), y),
    ]
    for x in map(axis.at, mark.seeds if len(mark.seeds) > 1 else ()):
        parts.append(line("seed", x, y - 7, x, y + 7))
    parts.append(_dot(mark, axis.at(mark.estimate), y))
    parts.append(text(f"{100 * mark.estimate:.1f}", RIGHT, y + 4.5, "value", "end"))
    return [f'<g class="mark">{"".join(parts)}</g>']
