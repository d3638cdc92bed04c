"""What all CTC recognizers share: targets, loss and greedy reading of a row of time steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from train.models.base import Recognizer, spelled

BLANK = 0
MAX_LABEL = 32  # columns of a target: no protocol with a charset allows longer labels than 25


class CtcRecognizer(Recognizer):
    """A network whose output is one distribution over characters and blank for each time step.

    Source: Graves et al. 2006, Connectionist Temporal Classification.

    Args:
        charset: Characters it reads; class 0 is blank and class i + 1 is ``charset[i]``.
        n_steps: Time steps, which bound the length of a word.
        guide: Share of the training in which ``guide_loss`` is added, fading out.
    """

    def __init__(self, charset: str, n_steps: int, guide: float = 0.0) -> None:
        super().__init__()
        self.charset = charset
        self.n_steps = n_steps
        self.guide = guide
        self._characters = frozenset(charset)

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Logits, (B, n_steps, 1 + len(charset))."""

    def encode(self, labels: Sequence[str]) -> tuple[Tensor, list[str | None]]:
        """Classes of each label's characters, (N, MAX_LABEL) int64, filled up with blanks."""
        reasons = [self._reason(label) for label in labels]
        learned = [label if why is None else "" for label, why in zip(labels, reasons, strict=True)]
        return spelled(learned, self.charset, MAX_LABEL, BLANK), reasons

    def loss(self, images: Tensor, targets: Tensor, progress: float = 1.0) -> Tensor:
        """CTC loss of each word divided by its length, and while ``progress`` is below ``guide`` a hint."""
        # In float32 whatever the autocast: sums of 32 log-probabilities lose too much in bfloat16.
        log_probs = self(images).float().log_softmax(-1)
        lengths = (targets != BLANK).sum(1)
        steps = torch.full_like(lengths, self.n_steps)
        loss = F.ctc_loss(
            log_probs.transpose(0, 1), targets, steps, lengths, reduction="none", zero_infinity=True
        )
        loss = torch.where(lengths > 0, loss / lengths.clamp(min=1), 0.0)
        if progress < self.guide:
            loss = loss + (1 - progress / self.guide) * guide_loss(log_probs, targets)
        return loss

    def decode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classes of the likeliest path, (B, n_steps), blanks and repeats in it; and its probability."""
        best, classes = self(images).float().log_softmax(-1).max(-1)
        return classes, best.sum(1).exp()

    def texts(self, classes: NDArray[np.int64]) -> list[str]:
        """Spell out paths: of equal neighbours one counts, and blanks not at all."""
        changed = np.pad(classes[:, 1:] != classes[:, :-1], ((0, 0), (1, 0)), constant_values=True)
        kept = changed & (classes != BLANK)
        return [
            "".join(self.charset[c - 1] for c in row[keep]) for row, keep in zip(classes, kept, strict=True)
        ]

    def characters(self, classes: Tensor) -> Tensor:
        """Put blanks where a path repeats its class: as ``texts``, in tensor operations alone."""
        repeated = F.pad(classes[:, 1:] == classes[:, :-1], (1, 0), value=False)
        return classes.masked_fill(repeated, BLANK)

    def _reason(self, label: str) -> str | None:
        if not label:
            return "empty"
        if not self._characters.issuperset(label):
            return "unsupported_character"
        # Equal neighbours need a blank between them.
        needed = len(label) + sum(a == b for a, b in pairwise(label))
        return "too_long" if needed > self.n_steps or len(label) > MAX_LABEL else None


def guide_loss(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of each word's characters at the time steps where they would be if all were equally wide.

    A word crop begins and ends with its word, so these places are nearly right. CTC alone spends hundreds of
    steps on predicting nothing but blanks before it finds out where characters are; this shows it, and must
    end before it matters that an ``i`` is narrower than a ``w``.

    Source: ours.

    Args:
        log_probs: (B, T, C).
        targets: (B, L), filled up with ``BLANK``.

    Returns:
        (B,), divided by the length; 0 for an empty target.
    """
    lengths = (targets != BLANK).sum(1, keepdim=True).clamp(min=1)
    place = torch.arange(targets.shape[1], device=targets.device) + 0.5
    steps = (place / lengths * log_probs.shape[1]).long().clamp(max=log_probs.shape[1] - 1)
    there = log_probs.gather(1, steps[..., None].expand(-1, -1, log_probs.shape[2]))
    chosen = there.gather(2, targets[..., None])[..., 0]
    return -(chosen * (targets != BLANK)).sum(1) / lengths[:, 0]
