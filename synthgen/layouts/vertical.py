"""Words whose letters stand upright, one below the other, as on tall signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthgen.choices import check_range
from synthgen.layouts.base import layouts
from synthgen.placement import Box, Spot, ink_box, spots_of
from synthgen.shaping import Run, letters_of


@layouts.add("vertical")
@dataclass(frozen=True, kw_only=True, slots=True)
class Vertical:
    """Stack the letters, each in the middle of the column and all lines equally far apart.

    Scripts whose letters hang together cannot be stacked; such words are drawn in another way.

    Source: SynthTIGER's and UnionST's vertical texts (arXiv:2107.09313, arXiv:2602.06450); gaps are ours.

    Attributes:
        gap_em: Least and greatest distance between the lines' highest and lowest ink, in em.
    """

    gap_em: tuple[float, float] = (0.05, 0.35)

    def __post_init__(self) -> None:
        check_range("gap_em", self.gap_em, 0, 3)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"gap_em": rng.uniform(*self.gap_em, n)}

    def apply(self, points: np.ndarray, *, half_width: float, gap_em: float) -> np.ndarray:
        return points  # nothing is bent: letters are arranged

    def arrange(self, run: Run, lean: float, *, gap_em: float) -> list[Spot]:
        """Where each glyph stands, the middle line on the baseline.

        Args:
            run: The word.
            lean: How far slanted letters lead to the right for each em upwards. Only letters lean, not
                the column, so that each line is set back by it.
            gap_em: As planned.
        """
        spots, letters = spots_of(run), letters_of(run)
        if run.clusters != sorted(run.clusters):
            letters = letters[::-1]  # set from right to left, but read from top to bottom
        _, bottom, _, top = ink_box(run, spots)
        for line, letter in enumerate(letters):
            left, _, right, _ = _box(run, spots, letter)
            raised = (top - bottom + gap_em) * ((len(letters) - 1) / 2 - line)
            for i in letter:
                x, y, along, up = spots[i]
                spots[i] = Spot(x - (left + right) / 2 - lean * raised, y + raised, along, up)
        return spots


def _box(run: Run, spots: Sequence[Spot], letter: Sequence[int]) -> Box:
    part = Run(run.face, [run.glyphs[i] for i in letter], 0.0, 0.0, [])
    return ink_box(part, [spots[i] for i in letter])
