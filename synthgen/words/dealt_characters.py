"""Strings without meaning whose characters are as frequent as in real words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.recipe import component
from synthgen.words.base import Limits, word_sources


@word_sources.add("dealt_characters")
@dataclass(frozen=True, kw_only=True, slots=True)
class DealtCharacters:
    """Draw words and deal all their characters out anew over words of the same lengths.

    So lengths and characters are as in the source, and no lexicon helps to read them.

    Source: the contextless strings of UnionST (arXiv:2602.06450); dealing them out is ours.

    Attributes:
        source: Where lengths and characters come from.
    """

    source: Any = component(word_sources)  # noqa: RUF009

    def inputs(self, limits: Limits) -> dict[str, Any]:
        found: dict[str, Any] = self.source.inputs(limits)
        return found

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        words = self.source.draw(rng, n, limits)
        characters = "".join("".join(words).split())  # a space may not end up at an end
        dealt = "".join(rng.permutation(list(characters)).tolist())
        ends = np.cumsum([len("".join(word.split())) for word in words], dtype=int).tolist()
        return [dealt[a:b] for a, b in zip([0, *ends], ends, strict=False)]
