"""A card of one colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgen.backgrounds.base import backgrounds


@backgrounds.add("plain")
@dataclass(frozen=True, kw_only=True, slots=True)
class Plain:
    """Leave the card as it is.

    Source: most real words stand on smooth signs; nothing is taken from elsewhere.
    """

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {}

    def apply(self, image: np.ndarray) -> np.ndarray:
        return image.copy()
