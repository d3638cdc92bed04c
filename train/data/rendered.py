"""Words rendered while training goes on: what a recipe says of them, and where they stand among others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from curation.core.errors import UserError
from curation.core.labels import Protocol
from curation.schedule import had

if TYPE_CHECKING:
    from train.data.word_stream import WordStream

MOST_PER_WORD = 10_000
Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Words that are drawn as training needs them, so that no disk has to hold them.

    Word i of their endless sequence is the one that ``glyphmix render RECIPE --seed SEED`` writes at index i,
    with the pixels of its stored file. None of them comes twice.

    Attributes:
        recipe: Path of a rendering recipe, or the name of a shipped one.
        seed: Of the words; the seed of the training does not change them.
        per_word: Rendered words for each word of the mixture, to the nearest fraction whose denominator is
            10,000 or less; of no effect without a mixture.
        validation: Words of a sequence of their own, that of the next seed, on which a training without
            mixture is measured; 0 for none.
        jobs: Processes that draw, for each one that trains; None for one a core in all. The words do not
            depend on it.
    """

    recipe: str
    seed: int = 0
    per_word: float = 3.0
    validation: int = 500
    jobs: int | None = None

    def __post_init__(self) -> None:
        for key, least in (("seed", 0), ("validation", 0), ("jobs", 1)):
            if (value := getattr(self, key)) is not None and value < least:
                raise ValueError(f"{key} must be {least} or more, got {value}")
        if not 1 / MOST_PER_WORD <= self.per_word <= MOST_PER_WORD:
            raise ValueError(f"per_word must be from 0.0001 to {MOST_PER_WORD:,}, got {self.per_word:g}")

    @property
    def processes(self) -> int:
        """How many processes draw for each that trains."""
        together = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # which torchrun tells those that it starts
        return self.jobs or max(1, len(os.sched_getaffinity(0)) // together)

    def open(self, protocol: Protocol, size: tuple[int, int]) -> WordStream:
        """Load what drawing needs.

        Args:
            protocol: How labels are normalised.
            size: Height and width, in pixels, to which words are scaled.

        Raises:
            UserError: the recipe or something it needs is missing or wrong, or it draws no character that
                the protocol has.
        """
        from synthgen.render import load  # which training without rendered words does not need
        from train.data.word_stream import WordStream

        recipe = load(self.recipe)
        characters = str(getattr(recipe.engine, "charset", ""))
        if characters and all(protocol.normalise(c)[1] for c in characters):
            raise UserError(
                f"recipe {recipe.name} draws not one character of protocol {protocol.name}. "
                "Train with another protocol, or draw with another charset."
            )
        recipe.engine.check()
        return WordStream(recipe=recipe, seed=self.seed, protocol=protocol, size=size)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """At which positions of a training words of the mixture stand, and at which rendered ones.

    Every prefix has its part of both to within half a word.

    Attributes:
        mixture: Part of the mixture among ``mixture + rendered``.
        rendered: Part of the rendered words.
    """

    mixture: int
    rendered: int

    @classmethod
    def of(cls, per_word: float | None, *, has_mixture: bool) -> Order:
        """The order with ``per_word`` rendered words for each of a mixture; None for the mixture alone."""
        if per_word is None or not has_mixture:
            return cls(mixture=int(has_mixture), rendered=int(per_word is not None))
        share = Fraction(per_word).limit_denominator(MOST_PER_WORD)
        return cls(mixture=share.denominator, rendered=share.numerator)

    def of_mixture(self, start: int, stop: int) -> tuple[int, int]:
        """The positions of the mixture, from the first to before the second, in those of the training."""
        first, last = had(self.mixture, self.mixture + self.rendered, np.array([start, stop])).tolist()
        return first, last

    def of_rendered(self, start: int, stop: int) -> tuple[int, int]:
        """The numbers of the rendered words, from the first to before the second, in those positions."""
        first, last = self.of_mixture(start, stop)
        return start - first, stop - last

    def is_rendered(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Which positions hold rendered words, (stop - start,)."""
        k = np.arange(start, stop + 1)
        return np.diff(had(self.mixture, self.mixture + self.rendered, k)) == 0
