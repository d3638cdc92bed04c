"""Small plots of an evaluation as plain SVG, so that the page's own colours and fonts apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from curation.inspect_pictures import cut
from train.evaluation.calibration import Calibration

WIDTH, RIGHT, ROW = 440, 376, 21  # of a plot and of its axis, and height of a row, in units of the drawing
CHARACTER = 7.1  # a letter's width
LONGEST = 24  # letters of a row's name


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One row of a plot: a share with its interval, all 0-1, and how many it is a share of."""

    name: str
    share: float
    low: float
    high: float
    n: int


def rows(bars: Sequence[Bar], title: str, *, unit: str = "words", mean: float | None = None) -> str:
    """Draw shares as dots with their intervals, one below the other, on an axis from 0 to 100 %.

    Args:
        bars: The rows, from above.
        title: What the dots are, said to who cannot see them.
        unit: What is counted beside the rows.
        mean: Where to draw a line to compare with.

    Returns:
        An ``<svg>`` element with classes for the page's style sheet and no colours of its own.
    """
    names = [cut(bar.name, LONGEST) for bar in bars]
    left = 14 + CHARACTER * max([4, *map(len, names)])
    bottom = 20 + ROW * len(bars)

    def x(share: float) -> float:
        return left + share * (RIGHT - left)

    parts = []
    for tick in (0, 25, 50, 75, 100):
        at = x(tick / 100)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="16" y2="{bottom}"/>')
        parts.append(_text(f"{tick}" if tick else "0 %", at, 10, "tick", "middle"))
    parts.append(_text(unit, WIDTH, 10, "tick", "end"))
    if mean is not None:
        parts.append(f'<line class="mean" x1="{x(mean):.1f}" x2="{x(mean):.1f}" y1="16" y2="{bottom}"/>')
    for i, (name, bar) in enumerate(zip(names, bars, strict=True)):
        y = 20 + ROW * (i + 0.5)
        parts.append(f"<g><title>{escape(_hint(bar))}</title>")
        parts.append(_text(name, left - 10, y + 4, "name", "end"))
        parts.append(
            f'<line class="interval" x1="{x(bar.low):.1f}" x2="{x(bar.high):.1f}" y1="{y}" y2="{y}"/>'
        )
        parts.append(f'<circle class="dot" cx="{x(bar.share):.1f}" cy="{y}" r="4"/>')
        parts.append(_text(f"{bar.n:,}", WIDTH, y + 4, "tick", "end") + "</g>")
    said = "; ".join(f"{cut(bar.name)}: {100 * bar.share:.1f} %" for bar in bars)
    return _svg(bottom + 2, f"{title}. {said}", parts)


def _hint(bar: Bar) -> str:
    interval = f"[{100 * bar.low:.1f}, {100 * bar.high:.1f}]"
    return f"{cut(bar.name)}: {100 * bar.share:.1f} % {interval}, {bar.n:,}"


def reliability(calibration: Calibration) -> str:
    """Draw accuracy against confidence; a run that knows how sure it is lies on the diagonal."""
    left, right, top, bottom = 40, 420, 12, 262
    parts = []

    def place(confidence: float, accuracy: float) -> tuple[float, float]:
        return left + confidence * (right - left), bottom - accuracy * (bottom - top)

    for tick in (0, 25, 50, 75, 100):
        x, y = place(tick / 100, tick / 100)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(str(tick), left - 6, y + 4, "tick", "end"))
        parts.append(_text(str(tick), x, bottom + 18, "tick", "middle"))
    parts.append(f'<line class="mean" x1="{left}" x2="{right}" y1="{bottom}" y2="{top}"/>')
    for b in (b for b in calibration.bins if b.accuracy is not None and b.confidence is not None):
        x, y = place(b.confidence, b.accuracy)
        low, high = place(0, b.accuracy_low)[1], place(0, b.accuracy_high)[1]
        hint = f"confidence {b.low:.2f} to {b.high:.2f}: {100 * b.accuracy:.1f} % of {b.n:,} words are right"
        parts.append(f"<g><title>{escape(hint)}</title>")
        parts.append(f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>')
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/></g>')
    parts.append(
        _text("mean confidence %, and above it the word accuracy %", left, bottom + 38, "title", "start")
    )
    told = f"expected calibration error {100 * calibration.error:.1f} points"
    return _svg(bottom + 44, f"Accuracy against confidence, {told}", parts)


def _svg(height: float, said: str, parts: Sequence[str]) -> str:
    label = escape(said)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _text(text: str, x: float, y: float, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
