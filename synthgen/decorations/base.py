"""What every decoration of letters promises."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from curation.core.images import Pixels
from curation.core.registry import Registry
from synthgen.layers import Colour

decorations: Registry[Any] = Registry("decoration")


class Decoration(Protocol):
    """Something behind letters or on them.

    Attributes:
        on_top: Whether it is drawn on the finished letters; otherwise they are drawn on it.
    """

    on_top: bool

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw the parameters of ``n`` words, one column each of shape (n,); the only user of ``rng``."""
        ...

    def apply(self, image: Pixels, *, mask: Pixels, text: Colour, letter_px: float, **row: Any) -> Pixels:
        """Return a changed copy of ``image``; a pure function of its arguments.

        Args:
            image: (H, W, 3) uint8 RGB, the ground, or the finished letters if ``on_top``.
            mask: (H, W) uint8 coverage of the letters.
            text: The letters' planned colour.
            letter_px: Height of the letters in pixels, the unit of lengths.
            row: The columns of ``plan``.
        """
        ...
