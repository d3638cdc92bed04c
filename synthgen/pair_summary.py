"""The few numbers of the colour model, measured on text and background pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthgen.colour_space import from_rgb

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
COLOURED = 10.0  # chroma from which a hue means something
STRONG = 25.0  # chroma from which hues are counted
SAME_HUE_DEG = 30.0
LUMA_EDGES = (0, 50, 100, 150, 200, 256)
CHROMA_EDGES = (0, 5, 15, 30, 60, 256)


def summarise(pairs: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    """Describe pairs as the colour model does.

    Args:
        pairs: (n, 6), RGB of text and of background.
        weights: (n,), above 0.

    Returns:
        ``contrast`` (of luma), ``text_chroma`` and ``background_chroma`` at the probabilities
        ``levels``; ``light_text``, the share of pairs whose text is the lighter; ``same_hue``, the
        share of agreeing hues among pairs of two colours (None if there are none); ``text_hues`` and
        ``background_hues``, the share of each eighth of the Cb-Cr plane from +Cb towards +Cr;
        ``light_text_by_background_hue``, likewise (None where there is no such background); and two tables of
        shares, ``luma`` and ``chroma``, each a row for the text and a column for the background.
    """
    weights = weights / weights.sum()
    text_luma, text_chroma, text_hue = from_rgb(pairs[:, :3])
    luma, chroma, hue = from_rgb(pairs[:, 3:])
    light = text_luma > luma
    both = (text_chroma > COLOURED) & (chroma > COLOURED)
    apart = np.abs((text_hue - hue + 180) % 360 - 180)
    in_eighth = [(hue % 360 // 45 == eighth) & (chroma > STRONG) for eighth in range(8)]
    in_text = [(text_hue % 360 // 45 == eighth) & (text_chroma > STRONG) for eighth in range(8)]
    return {
        "levels": list(LEVELS),
        "contrast": _quantiles(np.abs(text_luma - luma), weights),
        "text_chroma": _quantiles(text_chroma, weights),
        "background_chroma": _quantiles(chroma, weights),
        "light_text": round(float(weights[light].sum()), 4),
        "same_hue": _share(both & (apart < SAME_HUE_DEG), both, weights),
        "text_hues": [_share(eighth, text_chroma > STRONG, weights) for eighth in in_text],
        "background_hues": [_share(eighth, chroma > STRONG, weights) for eighth in in_eighth],
        "light_text_by_background_hue": [_share(light & eighth, eighth, weights) for eighth in in_eighth],
        "luma_edges": list(LUMA_EDGES),
        "luma": _table(text_luma, luma, LUMA_EDGES, weights),
        "chroma_edges": list(CHROMA_EDGES),
        "chroma": _table(text_chroma, chroma, CHROMA_EDGES, weights),
    }


def as_text(summary: dict[str, Any]) -> str:
    """The summary's first numbers, a line each."""

    def line(name: str) -> str:
        return f"{name.replace('_', ' ')}: {', '.join(f'{value:.0f}' for value in summary[name])}"

    levels = ", ".join(f"{level * 100:.0f}" for level in summary["levels"])
    same = summary["same_hue"]
    agree = "no pair of two colours" if same is None else f"{same:.1%} of pairs of two colours"
    return "\n".join(
        [
            f"at {levels} % of the crops:",
            *(f"  {line(name)}" for name in ("contrast", "text_chroma", "background_chroma")),
            f"text lighter than its background: {summary['light_text']:.1%}",
            f"text of nearly its background's hue: {agree}",
        ]
    )


def _quantiles(values: np.ndarray, weights: np.ndarray) -> list[float]:
    order = np.argsort(values)
    middle = np.cumsum(weights[order]) - weights[order] / 2
    return [round(float(value), 2) for value in np.interp(LEVELS, middle, values[order])]


def _share(part: np.ndarray, of: np.ndarray, weights: np.ndarray) -> float | None:
    whole = weights[of].sum()
    return round(float(weights[part].sum() / whole), 4) if whole > 0 else None


def _table(
    text: np.ndarray, background: np.ndarray, edges: tuple[int, ...], weights: np.ndarray
) -> list[list[float]]:
    table, _, _ = np.histogram2d(text, background, bins=[edges, edges], weights=weights)
    return np.round(table, 4).tolist()
