"""What recognizers share that read a word character by character: classes, targets, loss, confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from train.models.base import Recognizer, spelled

END = 0


class AutoregressiveRecognizer(Recognizer):
    """A network that predicts a word's characters and then its end.

    Class 0 is the end and class i + 1 is ``charset[i]``. One class more, ``begin``, stands before the first
    character; it is read and never predicted. Targets are filled up with ends, of which only the first is
    learned and nothing after it is looked at, so that no class for padding is needed.

    Args:
        charset: Characters it reads.
        max_length: Characters of the longest word it learns.
    """

    def __init__(self, charset: str, max_length: int) -> None:
        super().__init__()
        self.charset = charset
        self.max_length = max_length
        self.n_steps = max_length + 1
        self.begin = len(charset) + 1
        self._characters = frozenset(charset)

    def encode(self, labels: Sequence[str]) -> tuple[Tensor, list[str | None]]:
        """Classes of each label's characters, (N, max_length + 1) int64, filled up with ends."""
        reasons = [self._reason(label) for label in labels]
        learned = [label if why is None else "" for label, why in zip(labels, reasons, strict=True)]
        return spelled(learned, self.charset, self.n_steps, END), reasons

    def texts(self, classes: NDArray[np.int64]) -> list[str]:
        """Spell out words, each up to its first end."""
        before_end = np.logical_and.accumulate(classes != END, axis=1)
        return [
            "".join(self.charset[c - 1] for c in row[keep])
            for row, keep in zip(classes, before_end, strict=True)
        ]

    def shifted(self, classes: Tensor) -> Tensor:
        """What has been read before each of ``classes``, (B, T): the beginning, then all but the last."""
        return F.pad(classes[:, :-1], (1, 0), value=self.begin)

    def _reason(self, label: str) -> str | None:
        if not label:
            return "empty"
        if not self._characters.issuperset(label):
            return "unsupported_character"
        return "too_long" if len(label) > self.max_length else None


class CharacterEmbedding(nn.Module):
    """Vectors of classes, scaled to the size of what is added to them."""

    def __init__(self, n_classes: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(n_classes, width)

    def forward(self, classes: Tensor) -> Tensor:
        embedded: Tensor = self.table(classes) * math.sqrt(self.table.embedding_dim)
        return embedded


def learned(targets: Tensor) -> Tensor:
    """True at each word's characters and first end, (B, T); nowhere in a word without characters."""
    lengths = (targets != END).sum(1, keepdim=True)
    places = torch.arange(targets.shape[1], device=targets.device)
    return (places <= lengths) & (lengths > 0)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of each character, in float32 whatever the autocast.

    Args:
        logits: (..., C).
        targets: (...) int64.
    """
    flat = F.cross_entropy(logits.float().flatten(0, -2), targets.flatten(), reduction="none")
    return flat.view(targets.shape)


def most_likely(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest class at each place, (B, T) int64, ends after the first end; and the words' confidence.

    The confidence, (B,) float32, is the product of the probabilities of the characters and the first end.

    Args:
        logits: (B, T, C).
    """
    best, classes = logits.float().log_softmax(-1).max(-1)
    n_ends = (classes == END).long().cumsum(1)
    past = n_ends - (classes == END).long() > 0
    return classes.masked_fill(n_ends > 0, END), best.masked_fill(past, 0).sum(1).exp()


def is_traced() -> bool:
    """Say whether operations are being recorded, so that how many there are must not depend on the data."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing() or torch.onnx.is_in_onnx_export()
