"""The decoder of PARSeq, which reads characters in any order from the tokens of an image."""

from __future__ import annotations

from abc import abstractmethod

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


class PermutedReader(AutoregressiveRecognizer):
    """A network that learns to read the tokens of an image in permuted orders.

    Source: Bautista and Atienza 2022, Scene Text Recognition with Permuted Autoregressive Sequence Models.

    Args:
        charset: Characters it reads.
        width: Values of a token and of a character.
        depth: Layers.
        heads: Of each attention.
        max_length: Characters of the longest word it learns.
        permutations: Orders in which a batch is learned.
        dropout: Of the layers.
        nar: Whether it reads all characters at once, not one by one.
        refine: Times that each character is read again, knowing all others.
    """

    def __init__(
        self,
        charset: str,
        *,
        width: int,
        depth: int,
        heads: int,
        max_length: int,
        permutations: int,
        dropout: float,
        nar: bool = False,
        refine: int = 1,
    ) -> None:
        super().__init__(charset, max_length)
        self.n_permutations, self.nar, self.n_refine = permutations, nar, refine
        self.embedding = CharacterEmbedding(2 + len(charset), width)
        self.positions = nn.Parameter(torch.empty(self.n_steps, width))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(TwoStreamLayer(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1 + len(charset))
        for part in (self.embedding, self.layers, self.head):
            part.apply(small_weights)
        nn.init.trunc_normal_(self.positions, std=0.02)

    @abstractmethod
    def tokens(self, images: Tensor) -> Tensor:
        """What the decoder sees of the images: (B, N, width)."""

    def loss(self, images: Tensor, targets: Tensor, progress: float = 1.0) -> Tensor:
        """Mean cross-entropy of each word's characters and end, over all orders of reading.

        The orders are those of the longest word in the batch, and drawn by the processor on any device. As
        in the original, the end is learned from all characters before it and from none, in the first two
        orders alone. Unlike there, words weigh equally, whatever their length.
        """
        targets, query_masks, content_masks = self.reading_orders(targets)
        batch, k, length, _ = query_masks.shape
        logits = self.predict(
            self.positions[:length].expand(batch * k, -1, -1),
            self.content(self.shifted(targets)).repeat_interleave(k, 0),
            self.memory(images),
            query_masks.flatten(0, 1)[:, None],
            content_masks.flatten(0, 1)[:, None],
        )
        weights = learned(targets)[:, None].expand(-1, k, -1).clone()
        weights[:, 2:] &= (targets != END)[:, None]
        each = cross_entropy(logits.view(batch, k, length, -1), targets[:, None].expand(-1, k, -1))
        return (each * weights).sum((1, 2)) / weights.sum((1, 2)).clamp(min=1)

    @torch.compiler.disable  # what is drawn hangs on the length of the longest word
    def reading_orders(self, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Targets as long as the longest word, (B, L), and the masks of both streams, (B, K, L, L)."""
        n = max(1, int((targets != END).sum(1).max()))
        drawn = orders.draw(n, self.n_permutations).to(targets.device)
        inside = F.pad(targets[:, :n] != END, (1, 0), value=True)[:, None, None]
        query_masks, content_masks = orders.masks(drawn)
        return targets[:, : n + 1].contiguous(), query_masks & inside, content_masks & inside

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
        return self.attended(self.tokens(images))

    def attended(self, tokens: Tensor) -> list[Tensor]:
        """Keys and values of an image's tokens, (B, N, width), one tensor a layer."""
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
        """Predict each character from all others of ``classes``, (B, T), up to the first end.

        In decoders of two layers or more those after it have seen it, as in the original.
        """
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
