"""PARSeq: a vision transformer and a decoder that learns to read characters in any order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.models import permutations as orders
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
from train.models.vit import SIZES, VitSizes, vit_encoder

# Layers and heads of the decoder. Published are one layer (Bautista and Atienza 2022) and width / 32 heads
# (Rang et al. 2024). But the counts published of base and huge, 104 M and 682 M, are those of two layers:
# 104.3 M and 682.7 M here, where one makes 94.9 M and 656.5 M. Of large nothing is published: it is ViT-L
# and two layers, as its neighbours have.
DECODERS = {"tiny": (1, 6), "small": (1, 12), "base": (2, 24), "large": (2, 32), "huge": (2, 40)}


@models.add("parseq")
@dataclass(frozen=True, kw_only=True)
class Parseq:
    """A vision transformer whose tokens a decoder reads, trained on words in permuted orders.

    Source: Bautista and Atienza 2022, Scene Text Recognition with Permuted Autoregressive Sequence Models.

    Attributes:
        size: Row of the sizes; the keys below it change single values of the row.
        width: Values of a token.
        depth: Blocks of the encoder.
        heads: Of the encoder's attention.
        decoder_depth: Layers of the decoder.
        decoder_heads: Of the decoder's attention.
        permutations: Orders in which a batch is learned, K: left to right, and others, drawn anew for each
            batch; each with its reverse. 1 for left to right alone.
        dropout: Of the decoder.
        drop_path: Share of the words that skip the encoder's last block in training; less in those before it.
        decode: ``ar``: character by character; ``nar``: all at once.
        refine: Times that each character is read again, knowing all others.
        max_length: Characters of the longest word it learns.
    """

    size: Literal["tiny", "small", "base", "large", "huge"] = "small"
    width: int | None = None
    depth: int | None = None
    heads: int | None = None
    decoder_depth: int | None = None
    decoder_heads: int | None = None
    permutations: int = 6
    dropout: float = 0.1
    drop_path: float = 0.0
    decode: Literal["ar", "nar"] = "ar"
    refine: int = 1
    max_length: int = 25

    def __post_init__(self) -> None:
        width, (depth, heads) = self.encoder.width, self.decoder
        if depth < 1:
            raise ValueError(f"decoder_depth must be 1 or more, got {depth}")
        if heads < 1 or width % heads:
            raise ValueError(f"decoder_heads must divide the width {width}, got {heads}")
        if self.permutations != 1 and (self.permutations < 1 or self.permutations % 2):
            raise ValueError(f"permutations must be 1 or an even number, got {self.permutations}")
        for key in ("dropout", "drop_path"):
            if not 0 <= getattr(self, key) < 1:
                raise ValueError(f"{key} must be from 0 to below 1, got {getattr(self, key):g}")
        if self.refine < 0:
            raise ValueError(f"refine must be 0 or more, got {self.refine}")
        if self.max_length < 1:
            raise ValueError(f"max_length must be 1 or more, got {self.max_length}")

    @property
    def encoder(self) -> VitSizes:
        """Sizes of the encoder."""
        changed = {key: getattr(self, key) for key in ("width", "depth", "heads")}
        return replace(
            SIZES[self.size], **{key: value for key, value in changed.items() if value is not None}
        )

    @property
    def decoder(self) -> tuple[int, int]:
        """Layers and heads of the decoder."""
        depth, heads = DECODERS[self.size]
        return (
            depth if self.decoder_depth is None else self.decoder_depth,
            heads if self.decoder_heads is None else self.decoder_heads,
        )

    @property
    def image_size(self) -> tuple[int, int]:
        return 32, 128

    def build(self, charset: str) -> ParseqNet:
        return ParseqNet(self, charset)


class ParseqNet(AutoregressiveRecognizer):
    """The network of ``Parseq``."""

    def __init__(self, sizes: Parseq, charset: str) -> None:
        super().__init__(charset, sizes.max_length)
        self.n_permutations, self.nar, self.n_refine = sizes.permutations, sizes.decode == "nar", sizes.refine
        self.encoder = vit_encoder(sizes.encoder, drop_path=sizes.drop_path)
        width, (depth, heads) = sizes.encoder.width, sizes.decoder
        self.embedding = CharacterEmbedding(2 + len(charset), width)
        self.positions = nn.Parameter(torch.empty(self.n_steps, width))
        self.dropout = nn.Dropout(sizes.dropout)
        self.layers = nn.ModuleList(TwoStreamLayer(width, heads, sizes.dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1 + len(charset))
        for part in (self.embedding, self.layers, self.head):
            part.apply(small_weights)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def timm_backbone(self) -> Any:
        """The encoder, which can begin with weights of timm's."""
        return self.encoder

    def loss(self, images: Tensor, targets: Tensor, progress: float = 1.0) -> Tensor:
        """Mean cross-entropy of each word's characters and end, over all orders of reading.

        The orders are those of the longest word in the batch, and drawn by the processor on any device. As
        in the original, the end is learned from all characters before it and from none, in the first two
        orders alone. Unlike there, words weigh equally, whatever their length.
        """
        n = max(1, int((targets != END).sum(1).max()))
        targets = targets[:, : n + 1]
        drawn = orders.draw(n, self.n_permutations).to(targets.device)
        query_masks, content_masks = orders.masks(drawn)
        inside = F.pad(targets[:, :-1] != END, (1, 0), value=True)[:, None, None]
        batch, k = targets.shape[0], drawn.shape[0]
        logits = self.predict(
            self.positions[: n + 1].expand(batch * k, -1, -1),
            self.content(self.shifted(targets)).repeat_interleave(k, 0),
            self.memory(images),
            (query_masks & inside).flatten(0, 1)[:, None],
            (content_masks & inside).flatten(0, 1)[:, None],
        )
        weights = learned(targets)[:, None].expand(-1, k, -1).clone()
        weights[:, 2:] &= (targets != END)[:, None]
        each = cross_entropy(logits.view(batch, k, n + 1, -1), targets[:, None].expand(-1, k, -1))
        return (each * weights).sum((1, 2)) / weights.sum((1, 2)).clamp(min=1)

    def decode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classes, (B, T) int64, ends after the first end; and the product of their probabilities.

        Run as it is, the loop ends with the longest word; traced, it takes all its steps.
        """
        memory = self.memory(images)
        logits = self.read_at_once(memory) if self.nar else self.read_one_by_one(memory)
        for _ in range(self.n_refine):
            logits = self.read_again(most_likely(logits)[0], memory)
        return most_likely(logits)

    def predict(
        self,
        queries: Tensor,
        content: Tensor,
        memory: list[Tensor],
        query_mask: Tensor | None = None,
        content_mask: Tensor | None = None,
        kept: dict[int, Tensor] | None = None,
    ) -> Tensor:
        """Predict the characters at the places that ``queries`` ask for.

        Args:
            queries: (B * K, Q, width): positions, in K orders of each word.
            content: (B * K, L, width): characters with their positions.
            memory: Keys and values of the image, one tensor a layer.
            query_mask: True where queries may look among the characters, (B * K or 1, 1, Q, L); None for all.
            content_mask: The same of characters, (B * K or 1, 1, L, L).
            kept: Keys and values of the characters before ``content`` by layer, to which its own are added.

        Returns:
            Logits, (B * K, Q, 1 + len(charset)).
        """
        queries, content = self.dropout(queries), self.dropout(content)
        for number, layer in enumerate(self.layers):
            normed = layer.norm_content(content)
            keys_values = layer.attention.keys_values(normed)
            if kept is not None:
                keys_values = torch.cat([kept[number], keys_values], 3) if number in kept else keys_values
                kept[number] = keys_values
            queries = layer(queries, layer.norm_query(queries), keys_values, memory[number], query_mask)
            if number + 1 < len(self.layers):  # nothing looks at the characters of the last layer
                content = layer(content, normed, keys_values, memory[number], content_mask)
        logits: Tensor = self.head(self.norm(queries))
        return logits

    def memory(self, images: Tensor) -> list[Tensor]:
        """Keys and values of images, one tensor a layer."""
        return self.attended(self.encoder.forward_features(images))

    def attended(self, tokens: Tensor) -> list[Tensor]:
        """Keys and values of the encoder's tokens, (B, N, width), one tensor a layer."""
        return [layer.across.keys_values(tokens) for layer in self.layers]

    def content(self, before: Tensor, first: int = 0) -> Tensor:
        """Vectors of the classes ``before``, (B, L), of which the first stands at place ``first``."""
        # The beginning has no position, and the character read at place i - 1 has that of place i - 1.
        positions = F.pad(self.positions[:-1], (0, 0, 1, 0))[first : first + before.shape[1]]
        vectors: Tensor = self.embedding(before) + positions
        return vectors

    def read_one_by_one(self, memory: list[Tensor]) -> Tensor:
        """Logits of a word's characters, (B, T, C), each predicted from those before it."""
        batch = memory[0].shape[1]
        before = torch.full((batch, 1), self.begin, device=memory[0].device)
        ended = torch.zeros_like(before, dtype=torch.bool)
        kept: dict[int, Tensor] = {}
        logits = []
        for place in range(self.n_steps):
            query = self.positions[place].expand(batch, 1, -1)
            logits.append(self.predict(query, self.content(before, place), memory, kept=kept))
            before = logits[-1].argmax(-1)
            ended = ended | (before == END)
            if not is_traced() and bool(ended.all()):
                break
        return torch.cat(logits, 1)

    def read_at_once(self, memory: list[Tensor]) -> Tensor:
        """Logits of a word's characters, (B, T, C), each predicted from the image alone."""
        batch = memory[0].shape[1]
        before = torch.full((batch, 1), self.begin, device=memory[0].device)
        return self.predict(self.positions.expand(batch, -1, -1), self.content(before), memory)

    def read_again(self, classes: Tensor, memory: list[Tensor]) -> Tensor:
        """Predict each character from all others of ``classes``, (B, T), up to the first end."""
        visible = F.pad(classes[:, :-1] != END, (1, 0), value=True)[:, None, None]
        places = torch.arange(self.n_steps, device=classes.device)[:, None]
        characters = torch.arange(classes.shape[1], device=classes.device)
        # What was read at a place is the character after it, because the beginning is the first.
        return self.predict(
            self.positions.expand(classes.shape[0], -1, -1),
            self.content(self.shifted(classes)),
            memory,
            visible & (characters != places + 1),
            visible & (characters <= characters[:, None]),
        )


class TwoStreamLayer(DecoderLayer):
    """A decoder layer of two streams: queries, which know places alone, and characters.

    Source: Yang et al. 2019, XLNet, as PARSeq norms it.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__(width, heads, dropout)
        self.norm_query = nn.LayerNorm(width)
        self.norm_content = nn.LayerNorm(width)
