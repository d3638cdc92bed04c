"""PARSeq: a vision transformer and a decoder that learns to read characters in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from train.models.base import models
from train.models.permuted import PermutedReader
from train.models.vit import VitModel, vit_encoder

# Layers and heads of the decoder. Published are one layer (Bautista and Atienza 2022) and width / 32 heads
# (Rang et al. 2024). But the counts published of base and huge, 104 M and 682 M, are those of two layers:
# 104.3 M and 682.7 M here, where one makes 94.9 M and 656.5 M. Of large nothing is published: it is ViT-L
# and two layers, as its neighbours have.
DECODERS = {"tiny": (1, 6), "small": (1, 12), "base": (2, 24), "large": (2, 32), "huge": (2, 40)}


@models.add("parseq")
@dataclass(frozen=True, kw_only=True)
class Parseq(VitModel):
    """A vision transformer whose tokens a decoder reads, trained on words in permuted orders.

    Source: Bautista and Atienza 2022, Scene Text Recognition with Permuted Autoregressive Sequence Models.

    Attributes besides those of ``VitModel``:
        decoder_depth: Layers of the decoder.
        decoder_heads: Of the decoder's attention.
        permutations: Orders in which a batch is learned, K: left to right, and others, drawn anew for each
            batch; each with its reverse. 1 for left to right alone.
        decode: ``ar``: character by character; ``nar``: all at once.
        refine: Times that each character is read again, knowing all others.
        max_length: Characters of the longest word it learns.
    """

    decoder_depth: int | None = None
    decoder_heads: int | None = None
    permutations: int = 6
    decode: Literal["ar", "nar"] = "ar"
    refine: int = 1
    max_length: int = 25

    def __post_init__(self) -> None:
        super().__post_init__()
        width, (depth, heads) = self.encoder.width, self.decoder
        if depth < 1:
            raise ValueError(f"decoder_depth must be 1 or more, got {depth}")
        if heads < 1 or width % heads:
            raise ValueError(f"decoder_heads must divide the width {width}, got {heads}")
        if self.permutations != 1 and (self.permutations < 1 or self.permutations % 2):
            raise ValueError(f"permutations must be 1 or an even number, got {self.permutations}")
        if self.refine < 0:
            raise ValueError(f"refine must be 0 or more, got {self.refine}")
        if self.max_length < 1:
            raise ValueError(f"max_length must be 1 or more, got {self.max_length}")

    @property
    def decoder(self) -> tuple[int, int]:
        """Layers and heads of the decoder."""
        depth, heads = DECODERS[self.size]
        return (
            depth if self.decoder_depth is None else self.decoder_depth,
            heads if self.decoder_heads is None else self.decoder_heads,
        )

    def build(self, charset: str) -> ParseqNet:
        return ParseqNet(self, charset)


class ParseqNet(PermutedReader):
    """The network of ``Parseq``."""

    def __init__(self, sizes: Parseq, charset: str) -> None:
        encoder = vit_encoder(sizes.encoder, drop_path=sizes.drop_path)
        depth, heads = sizes.decoder
        super().__init__(
            charset,
            width=sizes.encoder.width,
            depth=depth,
            heads=heads,
            max_length=sizes.max_length,
            permutations=sizes.permutations,
            dropout=sizes.dropout,
            nar=sizes.decode == "nar",
            refine=sizes.refine,
        )
        self.encoder = encoder

    def timm_backbone(self) -> Any:
        """The encoder, which can begin with weights of timm's."""
        return self.encoder

    def tokens(self, images: Tensor) -> Tensor:
        tokens: Tensor = self.encoder.forward_features(images)
        return tokens
