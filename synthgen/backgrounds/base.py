"""What every background promises."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from curation.core.registry import Registry

backgrounds: Registry[Any] = Registry("background")


class Background(Protocol):
    """What a word stands on: a plain card of the planned colour, turned into something else.

    The mean colour should stay near the card's, for the text colour was chosen against it. One that
    reads files also has a method ``inputs()``, as engines do. If ``apply`` has parameters called ``letters``
    or ``ink``, both with the default None, it is told the letters' coverage, (H, W) uint8, and the text's
    colour, so that it can keep clear of them.
    """

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw the parameters of ``n`` cards, one column each of shape (n,); the only user of ``rng``."""
        ...

    def apply(self, image: np.ndarray, **row: Any) -> np.ndarray:
        """Return a changed copy of ``image``, (H, W, 3) uint8 RGB; a pure function of its arguments."""
        ...
