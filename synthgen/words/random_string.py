"""Strings without any meaning."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.errors import UserError
from synthgen.choices import check_range
from synthgen.words.base import Limits, word_sources


@word_sources.add("random_string")
@dataclass(frozen=True, kw_only=True, slots=True)
class RandomString:
    """Draw characters independently, so that a recognizer cannot lean on a lexicon.

    Source: the contextless strings of UnionST (arXiv:2602.06450); lengths are ours.

    Attributes:
        length: Least and greatest number of characters.
        characters: What to draw from; white space and what is outside the recipe's
            charset are left out.
    """

    length: tuple[int, int] = (1, 8)
    characters: str = string.digits + string.ascii_letters

    def __post_init__(self) -> None:
        check_range("length", self.length, 1)

    def inputs(self, limits: Limits) -> dict[str, Any]:
        if not self._alphabet(limits) or self.length[0] > limits.max_length:
            raise UserError(
                f"random_string can draw nothing: characters {self.characters!r} and length "
                f"{list(self.length)} leave none within the recipe's charset and max_length "
                f"{limits.max_length}. Widen one of them."
            )
        return {}

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        alphabet = self._alphabet(limits)
        longest = min(self.length[1], limits.max_length)
        lengths = rng.integers(self.length[0], longest + 1, n)
        letters = rng.integers(0, len(alphabet), (n, longest))
        return [
            "".join(alphabet[i] for i in row[:length])
            for row, length in zip(letters.tolist(), lengths.tolist(), strict=True)
        ]

    def _alphabet(self, limits: Limits) -> str:
        return "".join(c for c in self.characters if c in limits.characters and not c.isspace())
