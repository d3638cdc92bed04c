"""Mixed directions: the Unicode bidirectional algorithm for one line of text.

Explicit formatting characters are left without effect: labels are plain words.
Source: Unicode Standard Annex 9, rules P2 to L2 with N0 for ASCII brackets.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_PAIRS = {")": "(", "]": "[", "}": "{"}
_NEUTRAL = frozenset(
    {"B", "S", "WS", "ON", "BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
)
_RIGHTWARD = {"L": 0, "R": 1, "AL": 1, "AN": 1, "EN": 1}  # numbers count as right-to-left beside neutrals


def levels(text: str) -> list[int]:
    """Embedding level of each character: even runs left to right, odd right to left."""
    kinds = [unicodedata.bidirectional(character) or "L" for character in text]
    base = next((int(kind != "L") for kind in kinds if kind in ("L", "R", "AL")), 0)
    edge = "R" if base else "L"
    resolved = _weak(kinds, edge)
    _brackets(text, resolved, base)
    _neutrals(resolved, base)
    found = [_level(kind, base) for kind in resolved]
    for i in range(len(kinds) - 1, -1, -1):  # L1: trailing space stands at the line's own end
        if kinds[i] not in ("WS", "S", "B", "BN"):
            break
        found[i] = base
    return found


def visual(items: Sequence[T], item_levels: Sequence[int]) -> list[T]:
    """The items from left to right, given their levels (rule L2)."""
    order = list(items)
    height = list(item_levels)
    for level in range(max(height, default=0), 0, -1):
        start = 0
        while start < len(order):
            stop = start
            while stop < len(order) and height[stop] >= level:
                stop += 1
            order[start:stop] = order[start:stop][::-1]
            height[start:stop] = height[start:stop][::-1]
            start = stop + 1
    return order


def _weak(kinds: Sequence[str], edge: str) -> list[str]:
    """Rules W1 to W7: marks, numbers and what belongs to numbers."""
    out, before, strong = [], edge, edge
    for kind in kinds:  # W1 to W3
        kind = before if kind in ("NSM", "BN") else kind
        before = kind
        if kind in ("L", "R", "AL"):
            strong = kind
        out.append("AN" if kind == "EN" and strong == "AL" else kind)
    out = ["R" if kind == "AL" else kind for kind in out]
    for i in range(1, len(out) - 1):  # W4
        around = out[i - 1], out[i + 1]
        if (out[i] in ("ES", "CS") and around == ("EN", "EN")) or (out[i] == "CS" and around == ("AN", "AN")):
            out[i] = around[0]
    for start, stop in _stretches(out, frozenset({"ET"})):  # W5
        if "EN" in (out[start - 1] if start else "", out[stop] if stop < len(out) else ""):
            out[start:stop] = ["EN"] * (stop - start)
    strong = edge
    for i, kind in enumerate(out):  # W6 and W7
        if kind in ("ES", "ET", "CS"):
            out[i] = "ON"
        elif kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            out[i] = "L"
    return out


def _brackets(text: str, kinds: list[str], base: int) -> None:
    """Rule N0: a pair of brackets goes with what it encloses."""
    for opening, closing in _bracket_pairs(text):
        inside = {_RIGHTWARD[kind] for kind in kinds[opening + 1 : closing] if kind in _RIGHTWARD}
        if not inside:
            continue
        if base not in inside:
            before = next((_RIGHTWARD[k] for k in reversed(kinds[:opening]) if k in _RIGHTWARD), base)
            side = before if before != base else base
        else:
            side = base
        kinds[opening] = kinds[closing] = "R" if side else "L"


def _bracket_pairs(text: str) -> list[tuple[int, int]]:
    waiting: list[tuple[str, int]] = []
    pairs = []
    for i, character in enumerate(text):
        if character in "([{":
            waiting.append((character, i))
        elif character in _PAIRS:
            while waiting:
                opening, at = waiting.pop()
                if opening == _PAIRS[character]:
                    pairs.append((at, i))
                    break
    return sorted(pairs)


def _neutrals(kinds: list[str], base: int) -> None:
    """Rules N1 and N2: what stands between two of a kind goes with them, else with the line."""
    for start, stop in _stretches(kinds, _NEUTRAL):
        before = _RIGHTWARD[kinds[start - 1]] if start else base
        after = _RIGHTWARD[kinds[stop]] if stop < len(kinds) else base
        side = before if before == after else base
        kinds[start:stop] = ["R" if side else "L"] * (stop - start)


def _level(kind: str, base: int) -> int:
    if base:
        return 1 if kind == "R" else 2
    return {"L": 0, "R": 1}.get(kind, 2)


def _stretches(kinds: Sequence[str], wanted: frozenset[str]) -> list[tuple[int, int]]:
    """Start and stop of each longest stretch of ``wanted`` kinds."""
    found, start = [], None
    for i, kind in enumerate([*kinds, ""]):
        if kind in wanted:
            start = i if start is None else start
        elif start is not None:
            found.append((start, i))
            start = None
    return found
