"""Words as often as people write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthgen.choices import check_share
from synthgen.words.base import Limits, word_sources
from synthgen.words.files import frequency_list


@word_sources.add("frequency_list")
@dataclass(frozen=True, kw_only=True, slots=True)
class FrequencyList:
    """Draw from a file of ``word TAB frequency`` lines, which is read into memory whole.

    Source: real crops hold short, frequent words; the shipped list is wordfreq's (Speer 2022,
    doi:10.5281/zenodo.7199437). Flattening by a power is word2vec's way of drawing negatives
    (arXiv:1310.4546); the value here is ours.

    Attributes:
        file: Name of a shipped list, or path; ``./words.tsv`` for a file beside you of a shipped name.
        power: A word's weight is its frequency to this power, 0 or more: 1 as written, 0 all alike.
    """

    file: str = "words_en.tsv"
    power: float = 0.6

    def __post_init__(self) -> None:
        check_share("power", self.power)

    def inputs(self, limits: Limits) -> dict[str, Any]:
        return {self.file: frequency_list(self.file, self.power, limits).facts}

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        return frequency_list(self.file, self.power, limits).draw(rng, n)
