"""Attention whose keys and values can be kept, and the decoder layer that autoregressive readers share."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention whose keys and values are computed apart, so that they can be kept and reused.

    Source: Vaswani et al. 2017, Attention Is All You Need.

    Args:
        width: Values of a query.
        heads: They divide ``width``.
        dropout: Share of the attention weights that are set to 0 in training.
        memory_width: Values of what is attended to; None for ``width``.
    """

    def __init__(self, width: int, heads: int, dropout: float, memory_width: int | None = None) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(memory_width or width, 2 * width)
        self.out = nn.Linear(width, width)

    def keys_values(self, content: Tensor) -> Tensor:
        """Keys and values of ``content``, (B, L, memory_width), as (2, B, heads, L, width / heads)."""
        both: Tensor = self.key_value(content)
        return both.unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)

    def forward(self, queries: Tensor, keys_values: Tensor, mask: Tensor | None = None) -> Tensor:
        """What ``queries``, (B, Q, width), find where ``mask``, (B or 1, 1, Q, L) bool, is true."""
        found = F.scaled_dot_product_attention(
            self.query(queries).unflatten(2, (self.heads, -1)).transpose(1, 2),
            keys_values[0],
            keys_values[1],
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
        )
        out: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return out


class DecoderLayer(nn.Module):
    """Attention to the characters, attention to the image, perceptron; each normed before and added after.

    What is attended to among the characters, and how it is normed, is the reader's own.

    Args:
        width: Values of a character.
        heads: Of each attention.
        dropout: In attention, in the perceptron and after each.
        memory_width: Values of a token of the image; None for ``width``.
    """

    def __init__(self, width: int, heads: int, dropout: float, memory_width: int | None = None) -> None:
        super().__init__()
        self.attention = Attention(width, heads, dropout)
        self.norm_across = nn.LayerNorm(width)
        self.across = Attention(width, heads, dropout, memory_width)
        self.norm_perceptron = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, normed: Tensor, keys_values: Tensor, memory: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Let ``x`` look at characters and image.

        Args:
            x: (B * P, Q, width): P variants of each word, those of a word one after the other.
            normed: ``x`` as the first attention takes it.
            keys_values: Of the characters, (2, B * P, heads, L, width / heads).
            memory: Keys and values of the image, (2, B, heads, N, width / heads).
            mask: True where ``x`` may look among the characters; broadcast to (B * P, heads, Q, L).
        """
        x = x + self.dropout(self.attention(normed, keys_values, mask))
        # The variants of a word see one image: as further queries of it, its keys are computed and read once.
        queries = self.norm_across(x).reshape(memory.shape[1], -1, x.shape[2])
        x = x + self.dropout(self.across(queries, memory).reshape(x.shape))
        return x + self.dropout(self.perceptron(self.norm_perceptron(x)))


def small_weights(module: nn.Module) -> None:
    """Begin linear layers and embeddings at normal weights of 0.02, cut at 2, and biases of 0.

    Queries, keys and values begin as those of ``torch.nn.MultiheadAttention``. For ``nn.Module.apply``, which
    comes to a module after its parts.
    """
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.trunc_normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
    if isinstance(module, Attention):
        for linear in (module.query, module.key_value):
            bound = math.sqrt(6 / (linear.in_features + 3 * module.out.out_features))
            nn.init.uniform_(linear.weight, -bound, bound)
