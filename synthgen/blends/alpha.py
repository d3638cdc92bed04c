"""Letters cover their ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.core.images import Pixels
from synthgen.blends.base import blends
from synthgen.layers import mix


@blends.add("alpha")
@dataclass(frozen=True, kw_only=True, slots=True)
class Alpha:
    """Cover the ground by the mask, as paint does.

    Source: the "over" of Porter and Duff (SIGGRAPH 1984).
    """

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {}

    def apply(self, ground: Pixels, *, paint: Pixels, mask: Pixels, opacity: float) -> Pixels:
        return mix(ground, paint, mask, opacity)
