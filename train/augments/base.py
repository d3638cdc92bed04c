"""What every augmentation promises."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from torch import Tensor

from curation.core.registry import Registry

augments: Registry[Any] = Registry("augmentation")


class Augment(Protocol):
    """Changes a batch of words on the device it lies on, as a recipe states it."""

    def __call__(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        """Turn packed words into what a recognizer takes.

        Args:
            images: (B, H, W, 3) uint8 RGB, on any device.
            rng: Where every draw comes from, so that equal generators give equal batches.

        Returns:
            (B, 3, H, W) float32 in [-1, 1], channels-last, on the same device.
        """
        ...


def to_float(images: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in [-1, 1], channels-last, and nothing more."""
    return images.float().div_(127.5).sub_(1).permute(0, 3, 1, 2)
