"""Letters of one word that do not stand alike: dancing letters, large initials, raised cents."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from curation.core.rng import stream
from synthgen.choices import Columns, Streams, check_range, check_share
from synthgen.placement import Spot
from synthgen.shaping import Run, letters_of

TABLE = 1_021  # letters in the table of offsets; a prime, so that words of any length begin anywhere
_RAISED = re.compile(r"(?<=\d[.,])\d{1,2}$|(?<=\d)(?:st|nd|rd|th|ST|ND|RD|TH)$")
_SIGNS = frozenset("$£€¥¢")


@dataclass(frozen=True, kw_only=True, slots=True)
class Jitter:
    """Which words have letters that stand each for itself, and how far.

    The letters of a word differ by a fixed table of standard normals, cut at 2; the plan says where a
    word begins in it. Letters that hang together, by their script or because most reach into the next
    as in a running hand, stay as they are.

    Source: UnionST's super- and subscripts (arXiv:2602.06450), cut-out and hand-painted letters by eye.

    Attributes:
        share: Share of words whose letters dance, 0 to 1.
        lift_em: Greatest scale of the shift up and down; each word draws its own below it.
        size: Likewise of the relative difference in size.
        turn_deg: Likewise of the rotation.
        initial: Share of words whose first letter, if it is a capital, is larger, 0 to 1.
        initial_size: Least and greatest size of that letter against the others.
        raised: Share of words whose cents or ordinal (``9.99``, ``2nd``) are small and raised, 0 to 1.
        raised_size: Least and greatest size of those against the others.
    """

    share: float = 0.0
    lift_em: float = 0.04
    size: float = 0.07
    turn_deg: float = 4.0
    initial: float = 0.0
    initial_size: tuple[float, float] = (1.15, 1.6)
    raised: float = 0.0
    raised_size: tuple[float, float] = (0.5, 0.7)

    def __post_init__(self) -> None:
        for name in ("share", "initial", "raised"):
            check_share(name, getattr(self, name), at_most_one=True)
        check_range("lift_em", (0, self.lift_em), 0, 0.3)
        check_range("size", (0, self.size), 0, 0.3)
        check_range("turn_deg", (0, self.turn_deg), 0, 45)
        check_range("initial_size", self.initial_size, 1, 3)
        check_range("raised_size", self.raised_size, 0.3, 1)

    def plan(self, rng: Streams, texts: Sequence[str]) -> Columns:
        """Decide for each of ``texts``: columns ``jitter``, ``jitter_*``, ``initial_size`` and ``raised*``.

        ``initial_size`` is 0 where the first letter is as large as the others; ``raised`` counts the raised
        characters at the end, ``raised_sign`` those at the front (a currency sign).
        """
        n = len(texts)
        dances = rng("jitter").random(n) < self.share
        capital = np.fromiter((text[:1].isupper() and len(text) > 1 for text in texts), bool, n)
        initial = capital & (rng("initial").random(n) < self.initial)
        chosen = (rng("raised").random(n) < self.raised).tolist()
        raised = [_raised(text) if use else 0 for text, use in zip(texts, chosen, strict=True)]
        signs = (rng("raised_sign").random(n) < 0.5).tolist()
        front = [
            int(k > 0 and sign and text[0] in _SIGNS)
            for k, sign, text in zip(raised, signs, texts, strict=True)
        ]
        up = np.array(raised, np.int8)
        return {
            "jitter": dances,
            "jitter_at": rng("jitter_at").integers(0, TABLE, n, np.int16) * dances,
            "jitter_lift_em": rng("jitter_lift_em").uniform(0, self.lift_em, n) * dances,
            "jitter_size": rng("jitter_size").uniform(0, self.size, n) * dances,
            "jitter_turn_deg": rng("jitter_turn_deg").uniform(0, self.turn_deg, n) * dances,
            "initial_size": rng("initial_size").uniform(*self.initial_size, n) * initial,
            "raised": up,
            "raised_sign": np.array(front, np.int8),
            "raised_size": rng("raised_size").uniform(*self.raised_size, n) * (up > 0),
        }


def loosen(run: Run, spots: Sequence[Spot], row: Mapping[str, Any], *, line: bool = True) -> list[Spot]:
    """Move single letters as the columns of ``Jitter`` say; a letter keeps its marks.

    Args:
        run: The word.
        spots: Where its glyphs stand.
        row: The columns of ``Jitter`` and ``text``.
        line: Whether they stand side by side; only there is an initial large or an end raised.
    """
    moved, letters = list(spots), letters_of(run)
    if len(letters) < 2 or run.joined:
        return moved
    if line and run.clusters == sorted(run.clusters):  # from left to right, as all that has capitals or cents
        if row["initial_size"]:
            _scale_first(moved, run, letters[0], row["initial_size"], 0.0)
        if row["raised"]:
            _raise(moved, run, letters, row)
    if row["jitter"] and not _reach_into_each_other(run, letters):
        _dance(moved, run, letters, row)
    return moved


def _raised(text: str) -> int:
    match = _RAISED.search(text)
    return len(match.group()) if match else 0


def _move(
    spots: list[Spot],
    letter: Sequence[int],
    move: Callable[[float, float], tuple[float, float]],
    along: float,
    up: float = 0.0,
) -> None:
    for i in letter:
        x, y, a, b = spots[i]
        spots[i] = Spot(*move(x, y), along * a - up * b, up * a + along * b)


def _scale_first(spots: list[Spot], run: Run, letter: Sequence[int], size: float, lift: float) -> None:
    """Make the first letter ``size`` times as large and lift it, and move all others along."""
    start = run.glyphs[letter[0]][2]
    rest = [i for i in range(len(spots)) if i not in letter]
    advance = min(run.glyphs[i][2] for i in rest) - start
    _move(spots, letter, lambda x, y: (start + size * (x - start), size * y + lift), size)
    _move(spots, rest, lambda x, y: (x + (size - 1) * advance, y), 1.0)


def _raise(spots: list[Spot], run: Run, letters: list[list[int]], row: Mapping[str, Any]) -> None:
    """Make the end of a word small, its top level with the tops of the others."""
    size, first = row["raised_size"], len(row["text"]) - row["raised"]
    ends = [i for i, cluster in enumerate(run.clusters) if cluster >= first]
    stays = [
        y + ink.y + ink.half_height
        for (_, ink, _, y), c in zip(run.glyphs, run.clusters, strict=True)
        if c < first
    ]
    if not ends or not stays:
        return
    lift, start = (1 - size) * max(stays), run.glyphs[ends[0]][2]
    _move(spots, ends, lambda x, y: (start + size * (x - start), size * y + lift), size)
    if row["raised_sign"] and run.clusters[0] == 0:
        _scale_first(spots, run, letters[0], size, lift)


def _dance(spots: list[Spot], run: Run, letters: list[list[int]], row: Mapping[str, Any]) -> None:
    table, at = _table(), row["jitter_at"]
    for k, letter in enumerate(letters):
        lift, size, turn = table[(at + k) % TABLE]
        lift, size = lift * row["jitter_lift_em"], 1 + size * row["jitter_size"]
        angle = math.radians(turn * row["jitter_turn_deg"])
        a, b = size * math.cos(angle), size * math.sin(angle)
        px, py, _, _ = spots[max(letter, key=lambda i: run.glyphs[i][1].half_height)]

        def turned(
            x: float, y: float, a: float = a, b: float = b, px: float = px, py: float = py, lift: float = lift
        ) -> tuple[float, float]:
            return px + a * (x - px) - b * (y - py), py + b * (x - px) + a * (y - py) + lift

        _move(spots, letter, turned, a, b)


def _reach_into_each_other(run: Run, letters: list[list[int]]) -> bool:
    """Whether most letters overlap the next, as in a running hand."""
    spans = [
        (
            min(run.glyphs[i][2] + run.glyphs[i][1].x - run.glyphs[i][1].half_width for i in letter),
            max(run.glyphs[i][2] + run.glyphs[i][1].x + run.glyphs[i][1].half_width for i in letter),
        )
        for letter in letters
    ]
    return sum(left[1] > right[0] for left, right in pairwise(spans)) > (len(spans) - 1) / 2


@cache
def _table() -> list[list[float]]:
    """Standard normals cut at 2: for each letter its lift, size and turn."""
    table: list[list[float]] = np.clip(stream(0, "jitter", "table").normal(size=(TABLE, 3)), -2, 2).tolist()
    return table
