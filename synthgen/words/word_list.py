"""Words from a list, one a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthgen.words.base import Limits, word_sources
from synthgen.words.files import word_list


@word_sources.add("word_list")
@dataclass(frozen=True, kw_only=True, slots=True)
class WordList:
    """Draw from a file with one entry a line, all equally likely; a repeated entry counts as often.

    The file may have any size: it is mapped into memory, not read whole, and must stay as it is during a run.

    Source: MJSynth draws from a dictionary in this way (arXiv:1406.2227).

    Attributes:
        file: Name of a shipped list, or path; ``./words.txt`` for a file beside you of a shipped name.
        split_words: Whether each word of an entry stands for itself, for lists of phrases.
    """

    file: str
    split_words: bool = False

    def inputs(self, limits: Limits) -> dict[str, Any]:
        return {self.file: word_list(self.file, self.split_words, limits).facts()}

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        return word_list(self.file, self.split_words, limits).draw(rng, n)
