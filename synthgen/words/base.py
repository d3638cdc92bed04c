"""What every source of words promises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from curation.core.registry import Registry

word_sources: Registry[Any] = Registry("word source")


@dataclass(frozen=True)
class Limits:
    """What a word may be.

    Attributes:
        charset: The characters it may be made of.
        max_length: Most characters.
    """

    charset: str
    max_length: int

    @cached_property
    def characters(self) -> frozenset[str]:
        """The charset as a set."""
        return frozenset(self.charset)

    @cached_property
    def spaced(self) -> bool:
        """Whether a word may hold white space."""
        return any(map(str.isspace, self.charset))

    def reject(self, word: str) -> str | None:
        """Why ``word`` falls out, or None.

        Reasons: ``empty``, ``too_long``, ``unsupported_character``, and ``stray_space`` where white space
        cannot be told from the image: at an end, twice in a row, or other than the plain space.
        """
        if not word:
            return "empty"
        if len(word) > self.max_length:
            return "too_long"
        if not self.characters.issuperset(word):
            return "unsupported_character"
        return "stray_space" if self.spaced and word != " ".join(word.split()) else None


class WordSource(Protocol):
    """Somewhere words come from."""

    def inputs(self, limits: Limits) -> dict[str, Any]:
        """Load everything; say what was read and what fell out, as JSON values for the manifest.

        Raises:
            UserError: a file is missing or not a single word is left.
        """
        ...

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        """Draw ``n`` words within ``limits``; the only user of ``rng``."""
        ...
