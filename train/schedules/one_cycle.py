"""The learning rate falls along half a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from train.schedules.base import schedules


@schedules.add("one_cycle")
@dataclass(frozen=True, kw_only=True)
class OneCycle:
    """From the greatest rate at the end of the warm-up to 0 at the end of the training.

    Source: Smith & Topin 2018, Super-Convergence (arXiv:1708.07120), with the cosine of torch's OneCycleLR.
    """

    def factor(self, step: int, steps: int, begin: float) -> float:
        return (1 + math.cos(math.pi * (step - begin) / max(1.0, steps - begin))) / 2
