"""Accuracy against ratio, drawn as plain SVG so that the page's own colours and fonts apply."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from train.study.report_table import Line, Score, percent_interval

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 40, 432, 22, 244
APART = 92  # room at the right for the cell without real words
LABEL_PX = 26  # a tick nearer than this to the last one keeps its mark and loses its label


@dataclass(frozen=True, kw_only=True, slots=True)
class _Axis:
    low: float
    high: float
    step: float

    @classmethod
    def around(cls, scores: Sequence[Score]) -> _Axis:
        low = min(score.low95 for score in scores)
        high = max(score.high95 for score in scores)
        rough = max(high - low, 0.02) / 5
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if s >= rough)
        low = max(0.0, math.floor(low / step) * step)
        return cls(low=low, high=max(math.ceil(high / step) * step, low + step), step=step)

    def y(self, accuracy: float) -> float:
        return BOTTOM - (accuracy - self.low) / (self.high - self.low) * (BOTTOM - TOP)

    def ticks(self) -> list[float]:
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]


def plot(table: Sequence[Line], test: str, *, real: str, synthetic: str) -> str:
    """One test set: accuracy of every cell with its 95 % interval.

    The ratio r stands at log2(1 + r), so that equal steps to the right are equal factors of volume where
    the real words are fixed. The cell without real words stands apart at the right.

    Args:
        table: The cells.
        test: Name of the test set.
        real: What the axis calls the real words.
        synthetic: What it calls the synthetic ones.

    Returns:
        An ``<svg>`` element with classes for the page's style sheet and no colours of its own.
    """
    scores = {line.cell: next(s for s in line.scores if s.test == test) for line in table}
    axis = _Axis.around(list(scores.values()))
    with_real = [line for line in table if line.ratio is not None]
    alone = [line for line in table if line.ratio is None]
    right = RIGHT - 26 - (APART if alone else 0)
    x = _places([line.ratio or 0.0 for line in with_real], right)
    parts = [*_grid(axis), *_ratio_axis(with_real, x, right, f"{synthetic} words per {real} word")]
    placed = [(at, scores[line.cell]) for line, at in zip(with_real, x, strict=True)]
    curve = " ".join(f"{at:.1f},{axis.y(score.accuracy):.1f}" for at, score in placed)
    parts.append(f'<polyline class="curve" points="{curve}"/>')
    parts += [_mark(score, at, axis, "mark") for at, score in placed]
    for line in alone:
        parts += _apart(scores[line.cell], right + 26 + APART / 2, axis, synthetic)
    said = "; ".join(f"{line.cell}: {percent_interval(scores[line.cell])} %" for line in table)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{test}. {said}")}">'
        + "".join(parts)
        + "</svg>"
    )


def _places(ratios: Sequence[float], right: float) -> list[float]:
    """Horizontal places of the ratios, from a little right of the axis to ``right``."""
    volumes = [math.log2(1 + ratio) for ratio in ratios]
    left, span = LEFT + 30, (volumes[-1] - volumes[0]) or 1.0
    if len(volumes) == 1:
        return [(left + right) / 2]
    return [left + (v - volumes[0]) / span * (right - left) for v in volumes]


def _grid(axis: _Axis) -> list[str]:
    parts = [f'<text class="unit" x="{LEFT - 6}" y="10" text-anchor="end">%</text>']
    for tick in axis.ticks():
        y = axis.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(f"{100 * tick:.0f}", LEFT - 6, y + 4, "tick", "end"))
    return parts


def _ratio_axis(lines: Sequence[Line], places: Sequence[float], right: float, title: str) -> list[str]:
    parts, last = [], -math.inf
    for line, x in zip(lines, places, strict=True):
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{BOTTOM}" y2="{BOTTOM + 5}"/>')
        if x - last >= LABEL_PX:
            parts.append(_text(f"{line.ratio:g}", x, BOTTOM + 20, "tick", "middle"))
            last = x
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right + 22:.1f}" y1="{BOTTOM}" y2="{BOTTOM}"/>')
    parts.append(_text(title, (LEFT + right + 22) / 2, BOTTOM + 42, "title", "middle"))
    return parts


def _mark(score: Score, x: float, axis: _Axis, kind: str) -> str:
    """A dot with its interval and figure; a small tick for every seed where there are several."""
    y, low, high = axis.y(score.accuracy), axis.y(score.low95), axis.y(score.high95)
    parts = [f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>']
    for seed_y in map(axis.y, score.per_seed if len(score.per_seed) > 1 else ()):
        ends = f'x1="{x - 8:.1f}" x2="{x + 8:.1f}" y1="{seed_y:.1f}" y2="{seed_y:.1f}"'
        parts.append(f'<line class="seed" {ends}/>')
    parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    parts.append(_text(f"{100 * score.accuracy:.1f}", x, min(high, y - 5) - 7, "value", "middle"))
    return f'<g class="{kind}">{"".join(parts)}</g>'


def _apart(score: Score, x: float, axis: _Axis, synthetic: str) -> list[str]:
    cut = x - APART / 2
    return [
        f'<line class="cut" x1="{cut:.1f}" x2="{cut:.1f}" y1="{TOP}" y2="{BOTTOM + 26}"/>',
        f'<line class="axis" x1="{cut + 8:.1f}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/>',
        _mark(score, x, axis, "mark alone"),
        _text(f"{synthetic} only", x, BOTTOM + 20, "tick", "middle"),
    ]


def _text(text: str, x: float, y: float, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
