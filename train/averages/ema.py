"""An exponential moving average of the weights."""

from __future__ import annotations

from dataclasses import dataclass

from train.averages.base import averages


@averages.add("ema")
@dataclass(frozen=True, kw_only=True)
class Ema:
    """Weights of late steps count most: each step scales what all before it count for by ``decay``.

    The statistics of batch norms are averaged alike. The decay warms up as ``(1 + step) / (10 + step)`` until
    it is ``decay``, so that the first weights, which know nothing, are soon forgotten.

    Source: Polyak & Juditsky 1992 for averaging; the warm-up is that of TensorFlow's
    ExponentialMovingAverage (``num_updates``).

    Attributes:
        decay: 0-1; about ``1 / (1 - decay)`` steps count.
        warmup: Begin with a lesser decay.
    """

    decay: float = 0.999
    warmup: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.decay < 1:
            raise ValueError(f"decay must be above 0 and below 1, got {self.decay:g}")

    @property
    def norm_batches(self) -> int:
        return 0

    def weight(self, step: int, steps: int) -> float:
        return 1 - (min(self.decay, (1 + step) / (10 + step)) if self.warmup else self.decay)
