"""Words of which a part is missing, as at the edge of a crop or behind a post."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.recipe import component
from synthgen.choices import check_share
from synthgen.words.base import Limits, word_sources


@word_sources.add("cut_words")
@dataclass(frozen=True, kw_only=True, slots=True)
class CutWords:
    """Draw words and keep a run of neighbouring characters: ``urant``, ``resta``, ``taur``.

    A word of no more than ``least`` characters stays whole.

    Source: the incomplete words of UnionST (arXiv:2602.06450); the shares are ours.

    Attributes:
        source: Where the words come from.
        least: Fewest characters kept.
        start: Weight of cuts that keep the start.
        end: Weight of cuts that keep the end.
        middle: Weight of cuts that may take from both sides.
    """

    source: Any = component(word_sources)  # noqa: RUF009
    least: int = 2
    start: float = 0.4
    end: float = 0.4
    middle: float = 0.2

    def __post_init__(self) -> None:
        if self.least < 1:
            raise ValueError(f"least must be at least 1, got {self.least}")
        for name in ("start", "end", "middle"):
            check_share(name, getattr(self, name))
        if not self.start + self.end + self.middle:
            raise ValueError("start, end and middle are all 0, so no cut is left")

    def inputs(self, limits: Limits) -> dict[str, Any]:
        found: dict[str, Any] = self.source.inputs(limits)
        return found

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        words = self.source.draw(rng, n, limits)
        dice = rng.random((n, 3))
        lengths = np.fromiter(map(len, words), int, n)
        least = np.minimum(self.least, lengths)
        kept = least + (dice[:, 0] * np.maximum(lengths - least, 1)).astype(int)  # short of the whole word
        which = dice[:, 1] * (self.start + self.end + self.middle)
        place = np.select([which < self.start, which < self.start + self.end], [0.0, 1.0], dice[:, 2])
        first = np.rint(place * (lengths - kept)).astype(int)
        cuts = zip(words, first.tolist(), kept.tolist(), strict=True)
        return [word[a : a + m].strip() or word for word, a, m in cuts]
