"""What every layout promises."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from curation.core.registry import Registry

layouts: Registry[Any] = Registry("layout")


class Layout(Protocol):
    """A bending of the straight line that a word is set on.

    One that sets letters elsewhere than side by side also has ``arrange(run, lean, **row) -> list[Spot]``.
    """

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw the parameters of ``n`` words, one column each of shape (n,); the only user of ``rng``."""
        ...

    def apply(self, points: np.ndarray, *, half_width: float, **row: Any) -> np.ndarray:
        """Move points of a straight word to where they are on the bent one; a pure function.

        Args:
            points: (..., 2) float in em, x from the word's middle to the right, y from the baseline up.
            half_width: Half the width of the straight word, in em.
            row: The planned parameters.

        Returns:
            The moved points, of the same shape.
        """
        ...
