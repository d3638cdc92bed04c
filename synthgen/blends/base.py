"""What every way of blending promises."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from curation.core.images import Pixels
from curation.core.registry import Registry

blends: Registry[Any] = Registry("blend")


class Blend(Protocol):
    """How letters go onto their ground."""

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw the parameters of ``n`` words, one column each of shape (n,); the only user of ``rng``."""
        ...

    def apply(self, ground: Pixels, *, paint: Pixels, mask: Pixels, opacity: float, **row: Any) -> Pixels:
        """Return ``ground`` with letters on it; a pure function of its arguments.

        Args:
            ground: (H, W, 3) uint8 RGB.
            paint: (H, W, 3) uint8 RGB, the letters' colour everywhere.
            mask: (H, W) uint8 coverage of the letters.
            opacity: Greatest coverage, 0 to 1.
            row: The columns of ``plan``.
        """
        ...
