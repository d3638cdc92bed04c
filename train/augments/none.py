"""No augmentation: for comparisons, and for words that were augmented as they were rendered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from train.augments.base import augments, to_float


@augments.add("none")
@dataclass(frozen=True, kw_only=True)
class Unchanged:
    """Leave the words as they are."""

    def __call__(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        return to_float(images)
