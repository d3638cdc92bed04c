"""Histograms as plain SVG, so that the page's own colours and fonts apply."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 440, 190
LEFT, RIGHT, TOP, BOTTOM = 8, 432, 20, 150
LABEL_PX = 30  # a tick nearer than this to the one before has no label

Bar = tuple[str, int]


def by_number(counts: Mapping[int, int], *, most: int = 30) -> list[Bar]:
    """One bar for each whole number from the least to the greatest; what is beyond ``most`` bars is one."""
    if not counts:
        return []
    first, last = min(counts), max(counts)
    cut = min(last, first + most - 1)
    bars = [(str(value), counts.get(value, 0)) for value in range(first, cut + 1)]
    beyond = sum(n for value, n in counts.items() if value > cut)
    return [*bars, (f"{cut + 1}+", beyond)] if beyond else bars


def by_doubling(counts: Mapping[float, int], *, steps: int = 2) -> list[Bar]:
    """Bars that grow by the same factor, ``steps`` to a doubling; each is called by its lower end."""
    positive = {value: n for value, n in counts.items() if value > 0}
    if not positive:
        return []
    bins: dict[int, int] = {}
    for value, n in positive.items():
        at = math.floor(steps * math.log2(value) + 1e-9)
        bins[at] = bins.get(at, 0) + n
    return [(_rounded(2 ** (at / steps)), bins.get(at, 0)) for at in range(min(bins), max(bins) + 1)]


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def histogram(bars: Sequence[Bar], title: str) -> str:
    """Draw ``bars`` over the axis called ``title``; classes for the style sheet, no colours of its own."""
    most = max((n for _, n in bars), default=0) or 1
    total = sum(n for _, n in bars) or 1
    step = (RIGHT - LEFT) / max(len(bars), 8)
    wide = max(1.0, min(step - 2, 34))
    parts, last, told = [], -math.inf, False
    for i, (name, n) in enumerate(bars):
        x = LEFT + (i + 0.5) * step
        top = BOTTOM - (BOTTOM - TOP) * n / most
        hint = f"<title>{escape(name)}: {n:,} ({100 * n / total:.1f} %)</title>"
        if n:
            height = max(BOTTOM - top, 1)
            parts.append(
                f'<rect class="bar" x="{x - wide / 2:.1f}" y="{BOTTOM - height:.1f}" width="{wide:.1f}" '
                f'height="{height:.1f}">{hint}</rect>'
            )
        if n == most and not told:
            told = True
            parts.append(_text(f"{100 * n / total:.0f} %", x, top - 6, "value", "middle"))
        if x - last >= LABEL_PX:
            parts.append(_text(name, x, BOTTOM + 17, "tick", "middle"))
            last = x
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/>')
    parts.append(_text(title, LEFT, HEIGHT - 4, "title", "start"))
    said = "; ".join(f"{name}: {n:,}" for name, n in bars)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{title}. {said}")}">'
        + "".join(parts)
        + "</svg>"
    )


def _text(text: str, x: float, y: float, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
