"""PARSeq's RandAugment, a few operations drawn for each word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from train.augments.base import augments, to_float
from train.augments.operations import NOISE_PX, OPERATIONS, Strength


@augments.add("randaugment")
@dataclass(frozen=True, kw_only=True)
class RandAugment:
    """Do some of 16 operations, in random order, no operation twice; the defaults are PARSeq's.

    PARSeq augments a word as it was stored and then scales it to 32 x 128; here words were scaled before,
    so that it is the scaled word that is turned, and blur and noise are those of a word 128 pixels wide.

    Source: Cubuk et al., RandAugment (CVPRW 2020), with the operations of PARSeq (see ``operations``).

    Attributes:
        n_ops: Operations drawn for each word, 1 to 16.
        magnitude: How strong they are, 0 to 10.
        probability: With which each of the drawn is done.
    """

    n_ops: int = 3
    magnitude: float = 5.0
    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 1 <= self.n_ops <= len(OPERATIONS):
            raise ValueError(f"n_ops must be from 1 to {len(OPERATIONS)}, got {self.n_ops}")
        if not 0 <= self.magnitude <= 10:
            raise ValueError(f"magnitude must be from 0 to 10, got {self.magnitude:g}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be from 0 to 1, got {self.probability:g}")

    def __call__(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        n, n_known = len(images), len(OPERATIONS)
        order = rng.random((n, n_known)).argsort(1)[:, : self.n_ops]
        done = rng.random(order.shape) < self.probability
        sign = rng.choice((-1.0, 1.0), order.shape)
        noise = rng.integers(NOISE_PX, size=n)
        words = images.permute(0, 3, 1, 2).contiguous()
        for turn in range(self.n_ops):
            chosen = np.where(done[:, turn], order[:, turn], n_known)
            for number, operation in enumerate(OPERATIONS.values()):
                if len(rows := np.flatnonzero(chosen == number)):
                    where = torch.from_numpy(rows).to(images.device)
                    signs = torch.from_numpy(sign[rows, turn]).to(images.device, torch.float32)
                    how = Strength(
                        level=self.magnitude / 10,
                        sign=signs[:, None, None, None],
                        noise=torch.from_numpy(noise[rows]).to(images.device),
                    )
                    words[where] = operation(words[where], how)
        return to_float(words.permute(0, 2, 3, 1).contiguous())
