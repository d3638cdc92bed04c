"""A vision transformer that is read with CTC: as large as the data deserves, and read in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from train.models.base import models
from train.models.ctc import CtcRecognizer
from train.models.vit import VitModel, vit_encoder

STEPS = 4  # that a column of patches becomes


@models.add("vit_ctc")
@dataclass(frozen=True, kw_only=True)
class VitCtc(VitModel):
    """A vision transformer on patches of 4x8 pixels, whose 16 columns become 64 time steps.

    CTC needs a step for each character and another between equal ones: 16 would not do for long words, and
    25 equal letters take 49. So one matrix turns all the tokens of a column into four steps, one every 2
    pixels. Means over the column, weighted for each channel, learned at less than half its pace.

    Attributes besides those of ``VitModel``:
        guide: Share of the training in which characters are guided to their places (``ctc.guide_loss``).
    """

    drop_path: float = 0.1
    guide: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder.width % 2:
            raise ValueError(f"width must be even, got {self.encoder.width}")
        if not 0 <= self.guide <= 1:
            raise ValueError(f"guide must be from 0 to 1, got {self.guide:g}")

    def build(self, charset: str) -> CtcRecognizer:
        return VitCtcNet(self, charset)


class VitCtcNet(CtcRecognizer):
    """The network of ``VitCtc``; images, (B, 3, 32, 128), become 8x16 tokens, and these 64 time steps."""

    def __init__(self, sizes: VitCtc, charset: str) -> None:
        super().__init__(charset, n_steps=16 * STEPS, guide=sizes.guide)
        width = sizes.encoder.width
        self.encoder = vit_encoder(sizes.encoder, drop_path=sizes.drop_path)
        self.steps = nn.Linear(8 * width, STEPS * (width // 2))
        self.dropout = nn.Dropout(sizes.dropout)
        self.head = nn.Linear(width // 2, 1 + len(charset))

    def timm_backbone(self) -> Any:
        """The vision transformer, which can begin with weights of timm's."""
        return self.encoder

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.encoder.forward_features(images)
        columns = tokens.unflatten(1, (8, 16)).transpose(1, 2).flatten(2)
        steps = F.gelu(self.steps(columns)).unflatten(2, (STEPS, -1)).flatten(1, 2)
        logits: Tensor = self.head(self.dropout(steps))
        return logits
