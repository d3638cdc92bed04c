"""Lines of several words, or compounds of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.recipe import component
from synthgen.choices import check_range, check_share
from synthgen.words.base import Limits, word_sources

MOST_DIGITS = 3


@word_sources.add("multi_word")
@dataclass(frozen=True, kw_only=True, slots=True)
class MultiWord:
    """Join words of another source: ``free parking``, ``exit 12``.

    The charset decides how: if it has the space, the words stand apart and the label keeps the space; else
    they are written together, ``freeparking``, or ``FreeParking`` with ``capitals``, so that picture and
    label agree. Words that would make a line too long are left off its end.

    Source: the multi-word lines of UnionST (arXiv:2602.06450); the numbers are ours.

    Attributes:
        source: Where the words come from.
        words: Least and greatest number of words.
        numbers: Share of lines in which a number of up to three digits takes the place of the first or of
            the last word; 0 to 1.
        capitals: Whether each word gets a capital letter, if the charset has it.
    """

    source: Any = component(word_sources)  # noqa: RUF009
    words: tuple[int, int] = (2, 2)
    numbers: float = 0.0
    capitals: bool = False

    def __post_init__(self) -> None:
        check_range("words", self.words, 1)
        check_share("numbers", self.numbers, at_most_one=True)

    def inputs(self, limits: Limits) -> dict[str, Any]:
        found: dict[str, Any] = self.source.inputs(limits)
        return found

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        counts = rng.integers(self.words[0], self.words[1] + 1, n)
        drawn = iter(self.source.draw(rng, int(counts.sum()), limits))
        dice = rng.random((n, 3))
        values = (10.0 ** (dice[:, 1] * MOST_DIGITS)).astype(int)  # as many of one digit as of two or three
        places = np.where(dice[:, 0] < self.numbers, np.where(dice[:, 2] < 0.5, 0, -1), 1)
        lines = []
        for count, value, place in zip(counts.tolist(), values.tolist(), places.tolist(), strict=True):
            words = [next(drawn) for _ in range(count)]
            if place < 1 and limits.reject(str(value)) is None:
                words[place] = str(value)
            lines.append(self._joined(words, limits))
        return lines

    def _joined(self, words: list[str], limits: Limits) -> str:
        if self.capitals:
            raised = [word[:1].upper() + word[1:] for word in words]
            words = [word if limits.reject(new) else new for word, new in zip(words, raised, strict=True)]
        between = " " if " " in limits.characters else ""
        line = words[0]
        for word in words[1:]:
            if len(line) + len(between) + len(word) > limits.max_length:
                break
            line += between + word
        return line
