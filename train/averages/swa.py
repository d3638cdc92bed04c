"""The plain mean of late weights."""

from __future__ import annotations

from dataclasses import dataclass

from train.averages.base import averages


@averages.add("swa")
@dataclass(frozen=True, kw_only=True)
class Swa:
    """The mean of the weights after each step from a share of the training on, all counting the same.

    A mean of weights is not the network that any statistics were gathered with, so those of batch norms are
    taken anew over the last batches before the network is read with.

    Source: Izmailov et al. 2018, Averaging Weights Leads to Wider Optima (arXiv:1803.05407); PARSeq averages
    over the last quarter (strhub/models/base.py).

    Attributes:
        start: Share of the steps before the first whose weights count, 0-1.
        norm_batches: Batches over which the statistics of batch norms are taken anew.
    """

    start: float = 0.75
    norm_batches: int = 50

    def __post_init__(self) -> None:
        if not 0 <= self.start < 1:
            raise ValueError(f"start must be from 0 to below 1, got {self.start:g}")
        if self.norm_batches < 1:
            raise ValueError(f"norm_batches must be 1 or more, got {self.norm_batches}")

    def weight(self, step: int, steps: int) -> float:
        n = step - min(steps - 1, round(self.start * steps))
        return 1 / n if n > 0 else 0.0
