"""Parts of other words that reach into the crop, as in real crops with loose boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthgen.capitals import in_capitals
from synthgen.choices import Columns, Streams, check_range, check_share, pick
from synthgen.framing import SIDES
from synthgen.placement import Box, Spot, upright_box
from synthgen.shaping import Face, Ink, Run, shape

SIDE_SHARES = (0.2, 0.3, 0.2, 0.3)  # of the side that a word certainly has a neighbour on; lines are looser
_LINE_WORDS = {"left": 1, "top": 2, "right": 1, "bottom": 2}
MOST_TRACKED = 0.12  # em; words set wider have no neighbour before or after them
SPACE_EM = 0.3  # between the words of a line
MORE = 0.3  # share of each further side
CLEARER = 2.0  # least distance of a word before or after, against the widest between the word's own letters


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbours:
    """Which words have parts of others beside them, and how much is seen of those.

    A neighbour never touches the word and is further off than the word's own letters and parts are from
    each other, so that it is not read as one of them. A side with a neighbour is neither tight nor cut:
    its margin is the gap and what is seen of the neighbour. The word itself stays whole and in the middle.

    Source: crops of ICDAR 2015 and COCO-Text, by eye; UnionST and text_renderer draw such lines too.

    Attributes:
        share: Share of words with neighbours, 0 to 1.
        line_gap: Least and greatest distance of the lines above and below, against the letters' height.
        word_gap: Likewise of the words before and after.
        reach: Least and greatest part that is seen: of the letters' height above and below, of the
            nearest letter's width before and after.
        other: Share of words whose neighbours have another font, colour and size, 0 to 1.
        size: Least and greatest size of those against the word.
    """

    share: float = 0.0
    line_gap: tuple[float, float] = (0.1, 0.5)
    word_gap: tuple[float, float] = (0.3, 0.8)
    reach: tuple[float, float] = (0.1, 0.5)
    other: float = 0.25
    size: tuple[float, float] = (0.6, 1.6)

    def __post_init__(self) -> None:
        for name in ("share", "other"):
            check_share(name, getattr(self, name), at_most_one=True)
        check_range("line_gap", self.line_gap, 0.05, 5)
        check_range("word_gap", self.word_gap, 0.1, 5)
        check_range("reach", self.reach, 0, 1)
        check_range("size", self.size, 0.2, 5)

    def plan(
        self,
        rng: Streams,
        texts: Sequence[str],
        draw: Callable[[Streams, int], Sequence[str]],
        fonts: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> Columns:
        """Decide for each of ``texts``: columns ``neighbours`` and ``neighbour_*``.

        Args:
            rng: Streams of this block.
            texts: The words that have neighbours.
            draw: Draws other words.
            fonts: Picks a font for each text, given one number from 0 to 1 for each.
        """
        n = len(texts)
        chosen = rng("neighbours").random(n) < self.share
        certain = pick(rng("neighbour_side"), SIDE_SHARES, n)
        more = rng("neighbour_more").random((len(SIDES), n)) < MORE
        where = {side: chosen & ((certain == i) | more[i]) for i, side in enumerate(SIDES)}
        found = _texts(where, texts, draw(lambda *key: rng("neighbour", *key), _n_words(where)))
        columns: Columns = {"neighbours": chosen}
        for side in SIDES:
            columns[f"neighbour_{side}"] = found[side]
            gap = self.line_gap if side in ("top", "bottom") else self.word_gap
            columns[f"neighbour_{side}_gap"] = rng("neighbour_gap", side).uniform(*gap, n) * chosen
            columns[f"neighbour_{side}_reach"] = rng("neighbour_reach", side).uniform(*self.reach, n) * chosen
        other = chosen & (rng("neighbour_other").random(n) < self.other)
        (rows,) = np.nonzero(other)
        joined = ["".join(found[side][row] for side in SIDES).replace(" ", "") for row in rows]
        font = np.full(n, "", object)
        font[rows] = fonts(np.array(joined, object), rng("neighbour_font").random(n)[rows])
        size = rng("neighbour_size").uniform(*self.size, n)
        return columns | {
            "neighbour_shift": rng("neighbour_shift").uniform(-0.5, 0.5, n) * chosen,
            "neighbour_font": font,
            "neighbour_size": np.where(other, size, 1.0 * chosen),
        }


def _n_words(where: Mapping[str, np.ndarray]) -> int:
    """How many words the neighbours take: two to a line above or below."""
    return sum(_LINE_WORDS[side] * int(np.count_nonzero(chosen)) for side, chosen in where.items())


def _texts(
    where: Mapping[str, np.ndarray], texts: Sequence[str], drawn: Sequence[str]
) -> dict[str, np.ndarray]:
    """Other words for each side where ``where``, in capitals beside a word in capitals."""
    words, found = iter(drawn), {}
    for side, chosen in where.items():
        found[side] = np.full(len(texts), "", object)
        for row in np.nonzero(chosen)[0].tolist():
            text = " ".join(next(words) for _ in range(_LINE_WORDS[side]))
            found[side][row] = text.upper() if in_capitals(texts[row]) else text
    return found


@dataclass(frozen=True)
class Beside:
    """Other words on the straight line of a word and on the lines above and below.

    Attributes:
        run: Their glyphs, in no order.
        spots: Where these stand.
        margins: For each side with a neighbour, the margin that shows it, in em of the straight line.
    """

    run: Run
    spots: list[Spot]
    margins: dict[str, float]


def widest_gap(run: Run, spots: Sequence[Spot]) -> float:
    """The widest space from left to right between the ink of a word's letters, in em; 0 if none."""
    edges = []
    for (_, ink, _, _), (x, _, along, up) in zip(run.glyphs, spots, strict=True):
        wide = abs(along) * ink.half_width + abs(up) * ink.half_height
        edges.append((x - wide, x + wide))
    edges.sort()
    widest, reached = 0.0, edges[0][1]
    for left, right in edges:
        widest, reached = max(widest, left - reached), max(reached, right)
    return widest


def set_beside(
    face: Face, around: Box, height: float, row: Mapping[str, Any], own_gap: float = 0.0
) -> Beside | None:
    """Set the neighbours of a word, each clear of the box of its ink.

    Args:
        face: What the neighbours are set in.
        around: Left, bottom, right, top of the word's ink on the straight line, in em.
        height: Height of the word's letters, in em; the unit of gaps.
        row: The columns of ``Neighbours`` and ``tracking_em``.
        own_gap: The word's ``widest_gap``: what is as near as its own letters would be read with it.

    Returns:
        The neighbours; None if the font can set none of them.
    """
    glyphs, spots, margins = [], [], {}
    for side in SIDES:
        text = row[f"neighbour_{side}"]
        if side in ("left", "right") and row["tracking_em"] > MOST_TRACKED:
            continue  # nobody could tell where the word ends
        run = _line(face, text, row["tracking_em"])
        if run is None:
            continue
        gap, size = row[f"neighbour_{side}_gap"] * height, row["neighbour_size"]
        if side in ("left", "right"):
            gap = max(gap, CLEARER * own_gap)
        (right, up), seen = _beside(side, run, around, gap, row)
        glyphs += run.glyphs
        spots += [
            Spot(size * (x + ink_x) + right, size * (y + ink_y) + up, size)
            for _, (ink_x, ink_y, _, _), x, y in run.glyphs
        ]
        margins[side] = gap + seen * row[f"neighbour_{side}_reach"]
    if not glyphs:
        return None
    return Beside(Run(face, glyphs, around[0], around[2], [0] * len(glyphs)), spots, margins)


def _line(face: Face, text: str, tracking: float) -> Run | None:
    """Set words in a row, apart by ``SPACE_EM``, for not every font has a space; None if none can be set."""
    glyphs: list[tuple[int, Ink, float, float]] = []
    right = -SPACE_EM
    for word in text.split():
        if run := shape(face, word, tracking):
            shift = right + SPACE_EM - run.left
            glyphs += [(glyph, ink, x + shift, y) for glyph, ink, x, y in run.glyphs]
            right = run.right + shift
    return Run(face, glyphs, 0.0, right, [0] * len(glyphs)) if glyphs else None


def _beside(
    side: str, run: Run, around: Box, gap: float, row: Mapping[str, Any]
) -> tuple[tuple[float, float], float]:
    """How far a neighbour moves, and how much of it may be seen at most, in em."""
    size, (left, bottom, right, top) = row["neighbour_size"], upright_box(run)
    if side in ("left", "right"):
        nearest = run.glyphs[0 if side == "right" else -1][1]
        x = around[2] + gap - size * left if side == "right" else around[0] - gap - size * right
        return (x, 0.0), 2 * size * nearest.half_width
    middle = (around[0] + around[2]) / 2 + row["neighbour_shift"] * size * (right - left)
    y = around[3] + gap - size * bottom if side == "top" else around[1] - gap - size * top
    return (middle - size * (left + right) / 2, y), size * (top - bottom)
