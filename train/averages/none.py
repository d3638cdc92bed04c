"""No average: the last weights are those that are read with."""

from __future__ import annotations

from dataclasses import dataclass

from train.averages.base import averages


@averages.add("none")
@dataclass(frozen=True, kw_only=True)
class NoAverage:
    """Read with the weights as they are."""

    @property
    def norm_batches(self) -> int:
        return 0

    def weight(self, step: int, steps: int) -> float:
        return 0.0
