"""TrOCR: a vision transformer and a Transformer decoder that reads left to right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from train.models.attention import DecoderLayer, small_weights
from train.models.autoregressive import (
    END,
    AutoregressiveRecognizer,
    CharacterEmbedding,
    cross_entropy,
    is_traced,
    learned,
    most_likely,
)
from train.models.base import models
from train.models.vit import VitModel, vit_encoder

# Width, layers and heads of the decoder. The published models spell words in tens of thousands of pieces,
# ours in characters, whose embedding weighs nothing. The counts that Rang et al. 2024 give for base and
# large, 281.9 M and 505.0 M, are those of the published parts without that embedding: here 280.6 M and
# 504.2 M, a ViT of BEiT's sizes and 12 layers of RoBERTa-large's (Li et al. 2021). Small has MiniLM's 384
# values and 12 heads, and as many layers as make 43.09 M; huge is ViT-H and a decoder as wide, for the
# 958.7 M of their plot (their text says 1.037 B). Tiny is ours.
DECODERS = {
    "tiny": (192, 6, 6),
    "small": (384, 9, 12),
    "base": (1024, 12, 16),
    "large": (1024, 12, 16),
    "huge": (1280, 12, 20),
}


@models.add("trocr")
@dataclass(frozen=True, kw_only=True)
class Trocr(VitModel):
    """A vision transformer whose tokens a Transformer decoder reads, character by character.

    Source: Li et al. 2021, TrOCR: Transformer-based Optical Character Recognition with Pre-trained Models.
    Their decoders norm after each part, as the language models do that they begin from; ours begins from
    nothing and norms before, which trains without care. Theirs read images of 384x384, ours of 32x128.

    Attributes besides those of ``VitModel``:
        decoder_width: Values of a character.
        decoder_depth: Layers of the decoder.
        decoder_heads: Of the decoder's attention.
        max_length: Characters of the longest word it learns and reads.
    """

    decoder_width: int | None = None
    decoder_depth: int | None = None
    decoder_heads: int | None = None
    max_length: int = 25

    def __post_init__(self) -> None:
        super().__post_init__()
        width, depth, heads = self.decoder
        if width < 1 or depth < 1:
            raise ValueError(f"decoder_width and decoder_depth must be 1 or more, got {width} and {depth}")
        if heads < 1 or width % heads:
            raise ValueError(f"decoder_heads must divide decoder_width {width}, got {heads}")
        if self.max_length < 1:
            raise ValueError(f"max_length must be 1 or more, got {self.max_length}")

    @property
    def decoder(self) -> tuple[int, int, int]:
        """Width, layers and heads of the decoder."""
        width, depth, heads = DECODERS[self.size]
        return (
            width if self.decoder_width is None else self.decoder_width,
            depth if self.decoder_depth is None else self.decoder_depth,
            heads if self.decoder_heads is None else self.decoder_heads,
        )

    def build(self, charset: str) -> TrocrNet:
        return TrocrNet(self, charset)


class TrocrNet(AutoregressiveRecognizer):
    """The network of ``Trocr``."""

    def __init__(self, sizes: Trocr, charset: str) -> None:
        super().__init__(charset, sizes.max_length)
        self.encoder = vit_encoder(sizes.encoder, drop_path=sizes.drop_path)
        width, depth, heads = sizes.decoder
        self.embedding = CharacterEmbedding(2 + len(charset), width)
        self.positions = nn.Parameter(torch.empty(self.n_steps, width))
        self.dropout = nn.Dropout(sizes.dropout)
        self.layers = nn.ModuleList(
            CausalLayer(width, heads, sizes.dropout, sizes.encoder.width) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1 + len(charset))
        for part in (self.embedding, self.layers, self.head):
            part.apply(small_weights)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def timm_backbone(self) -> Any:
        """The encoder, which can begin with weights of timm's."""
        return self.encoder

    def loss(self, images: Tensor, targets: Tensor, progress: float = 1.0) -> Tensor:
        """Mean cross-entropy of each word's characters and end, each after those that are right."""
        steps = torch.ones(self.n_steps, self.n_steps, dtype=torch.bool, device=targets.device).tril()
        logits = self.predict(self.shifted(targets), self.memory(images), mask=steps)
        weights = learned(targets)
        return (cross_entropy(logits, targets) * weights).sum(1) / weights.sum(1).clamp(min=1)

    def decode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classes, (B, T) int64, ends after the first end; and the product of their probabilities.

        Run as it is, the loop ends with the longest word; traced, it takes all its steps.
        """
        memory = self.memory(images)
        before = torch.full((images.shape[0], 1), self.begin, device=images.device)
        ended = torch.zeros_like(before, dtype=torch.bool)
        kept: dict[int, Tensor] = {}
        logits = []
        for place in range(self.n_steps):
            logits.append(self.predict(before, memory, place, kept=kept))
            before = logits[-1].argmax(-1)
            ended = ended | (before == END)
            if not is_traced() and bool(ended.all()):
                break
        return most_likely(torch.cat(logits, 1))

    def predict(
        self,
        before: Tensor,
        memory: list[Tensor],
        first: int = 0,
        mask: Tensor | None = None,
        kept: dict[int, Tensor] | None = None,
    ) -> Tensor:
        """Predict the character after each of ``before``.

        Args:
            before: Classes, (B, L), of which the first stands at place ``first``.
            memory: Keys and values of the image, one tensor a layer.
            first: Place, 0 being that of the beginning.
            mask: True where a character may look at another, (L, L); None for all.
            kept: Keys and values of the characters before ``first`` by layer, to which those of ``before``
                are added.

        Returns:
            Logits, (B, L, 1 + len(charset)).
        """
        x = self.dropout(self.embedding(before) + self.positions[first : first + before.shape[1]])
        for number, layer in enumerate(self.layers):
            normed = layer.norm_self(x)
            keys_values = layer.attention.keys_values(normed)
            if kept is not None:
                keys_values = torch.cat([kept[number], keys_values], 3) if number in kept else keys_values
                kept[number] = keys_values
            x = layer(x, normed, keys_values, memory[number], mask)
        logits: Tensor = self.head(self.norm(x))
        return logits

    def memory(self, images: Tensor) -> list[Tensor]:
        """Keys and values of images, one tensor a layer."""
        tokens = self.encoder.forward_features(images)
        return [layer.across.keys_values(tokens) for layer in self.layers]


class CausalLayer(DecoderLayer):
    """A decoder layer whose characters look at those before them and at themselves."""

    def __init__(self, width: int, heads: int, dropout: float, memory_width: int) -> None:
        super().__init__(width, heads, dropout, memory_width)
        self.norm_self = nn.LayerNorm(width)
