"""Axes of the page's plots: where a value stands, and which ticks have room for their labels.

Plots are plain SVG with classes for the page's style sheet and no colours of their own, so that light, dark
and print need no second picture. Lengths are in units of the ``viewBox``, about one pixel on a wide screen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 40, 432, 22, 244
CHAR_PX = 7.0  # of a label at 12.5 px; labels are digits and lower case, so this is wide enough
PERCENT_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Percent:
    """A linear axis of fractions, labelled in percent.

    Attributes:
        low: Fraction at ``start``.
        high: Fraction at ``end``.
        step: Between ticks.
        start: Place of ``low``.
        end: Place of ``high``; less than ``start`` on an axis that rises.
    """

    low: float
    high: float
    step: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float, *, ticks: int = 5) -> Percent:
        """An axis from ``start`` to ``end`` that holds all ``values`` between whole steps."""
        low, high = min(values), max(values)
        rough = max(high - low, 0.005) / ticks
        step = next((s for s in PERCENT_STEPS if s >= rough), PERCENT_STEPS[-1])
        low = max(0.0, math.floor(low / step + 1e-9) * step)
        high = max(math.ceil(high / step - 1e-9) * step, low + step)
        return cls(low=low, high=high, step=step, start=start, end=end)

    def at(self, fraction: float) -> float:
        """Place of a fraction."""
        return self.start + (fraction - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Place and label of every tick."""
        digits = 0 if self.step >= 0.01 else 1
        n = round((self.high - self.low) / self.step)
        values = [self.low + i * self.step for i in range(n + 1)]
        return [(self.at(value), f"{100 * value:.{digits}f}") for value in values]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """An axis on which equal factors are equally far apart.

    Attributes:
        plus: Added before the logarithm: 0 for a plain one; 1 for ratios, which begin at 0, so that equal
            steps are equal factors of volume where the real words are fixed.
        low: Value at ``start``.
        high: Value at ``end``.
        start: Place of ``low``.
        end: Place of ``high``.
    """

    plus: float
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Place of a value; where the axis has one value only, its middle."""
        low, high = math.log2(self.plus + self.low), math.log2(self.plus + self.high)
        if high <= low:
            return (self.start + self.end) / 2
        return self.start + (math.log2(self.plus + value) - low) / (high - low) * (self.end - self.start)


def labelled(places: Sequence[tuple[float, str]], *, gap: float = 8) -> list[tuple[float, str]]:
    """Drop labels that would run into one that stays; the ends stay, and of the others the first ones do."""
    if len(places) < 2:
        return list(places)
    ordered = sorted(places)
    kept, last = [ordered[0]], ordered[-1]

    def clear(a: tuple[float, str], b: tuple[float, str]) -> bool:
        return b[0] - a[0] >= (len(a[1]) + len(b[1])) / 2 * CHAR_PX + gap

    for place in ordered[1:-1]:
        if clear(kept[-1], place) and clear(place, last):
            kept.append(place)
    return [*kept, last] if clear(kept[-1], last) or len(kept) > 1 else kept


def short_number(value: float) -> str:
    """A number of words or parameters in at most five characters: ``250``, ``1.5k``, ``16k``, ``2M``."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * size:
            return _three_digits(value / size) + unit
    return _three_digits(value)


def _three_digits(value: float) -> str:
    digits = 0 if value >= 99.95 else 1 if value >= 9.95 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def text(content: str, x: float, y: float, kind: str, anchor: str = "middle") -> str:
    """A ``<text>`` of class ``kind``."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A ``<line>`` of class ``kind``."""
    return f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def drawing(parts: Sequence[str], said: str, *, height: float = HEIGHT, kind: str = "plot") -> str:
    """The ``<svg>`` around ``parts``; ``said`` is read out in its place."""
    return (
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(said)}">'
        + "".join(parts)
        + "</svg>"
    )


def rising_axis(axis: Percent, *, left: float = LEFT, right: float = RIGHT, unit: str = "%") -> list[str]:
    """Grid lines and labels of a vertical axis at the left."""
    parts = [text(unit, left - 6, TOP - 12, "unit", "end")]
    for y, label in axis.ticks():
        parts += [line("grid", left, y, right, y), text(label, left - 6, y + 4, "tick", "end")]
    return parts


def lying_axis(
    ticks: Sequence[tuple[float, str]], title: str, *, right: float, bottom: float = BOTTOM
) -> list[str]:
    """A horizontal axis with a mark at every tick, the labels that have room, and its title."""
    parts = [line("axis", x, bottom, x, bottom + 5) for x, _ in ticks]
    parts += [text(label, x, bottom + 20, "tick") for x, label in labelled(ticks)]
    parts.append(line("axis", LEFT, bottom, right, bottom))
    lines = wrapped(title, right - LEFT)
    parts += [text(part, (LEFT + right) / 2, bottom + 40 + 16 * i, "title") for i, part in enumerate(lines)]
    return parts


def wrapped(words: str, width: float, *, most: int = 3) -> list[str]:
    """Break a text at spaces and hyphens into lines of ``width`` units; a word too long loses its middle."""
    room, lines = max(4, int(width / CHAR_PX)), [""]
    for word in re.findall(r"[^\s-]*(?:-+|\s+|$)", words):
        if lines[-1] and len((lines[-1] + word).rstrip()) > room:
            lines.append("")
        lines[-1] += word
    cut = [shortened(part.rstrip(), room) for part in lines[:most]]
    if len(lines) > most:
        cut[-1] = shortened(" ".join(part.rstrip() for part in lines[most - 1 :]), room)
    return cut


def shortened(content: str, room: int) -> str:
    """At most ``room`` characters: the middle of a longer text gives way to an ellipsis."""
    if len(content) <= room:
        return content
    head = room // 2
    return content[:head].rstrip() + "…" + content[len(content) - (room - 1 - head) :].lstrip()


def path(points: Sequence[tuple[float, float]]) -> str:
    """Coordinates for a ``points`` attribute."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
