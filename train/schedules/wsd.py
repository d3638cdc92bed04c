"""Warm-up, stable, decay: the learning rate stays, and falls only at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from train.schedules.base import schedules


@schedules.add("wsd")
@dataclass(frozen=True, kw_only=True)
class WarmupStableDecay:
    """The greatest rate until the last share of the steps, in which it falls to 0.

    Until it falls, the rate does not depend on how long the training is.

    Source: Hägele et al. 2024, Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations
    (arXiv:2405.18392), who find ``1-sqrt`` better than a line.

    Attributes:
        decay: Share of all the steps in which the rate falls, 0-1; at most what the warm-up leaves.
        shape: How: ``linear``, or as ``1-sqrt`` of the share of the fall that is done.
    """

    decay: float = 0.2
    shape: Literal["linear", "1-sqrt"] = "1-sqrt"

    def __post_init__(self) -> None:
        if not 0 <= self.decay <= 1:
            raise ValueError(f"decay must be from 0 to 1, got {self.decay:g}")

    def factor(self, step: int, steps: int, begin: float) -> float:
        fall = max(begin, steps * (1 - self.decay))
        if step < fall:
            return 1.0
        done = (step - fall) / max(1.0, steps - fall)
        return 1 - (done if self.shape == "linear" else math.sqrt(done))
