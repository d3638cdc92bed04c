"""What every recognizer promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from curation.core.registry import Registry

models: Registry[Any] = Registry("model")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a recognizer makes of one image.

    Attributes:
        text: The word, in the characters of the recognizer's charset.
        confidence: Probability that the recognizer gives to what it read, 0 to 1.
    """

    text: str
    confidence: float


class Recognizer(nn.Module, ABC):
    """A network that reads words of ``charset``.

    Images are (B, 3, H, W), float32 or bfloat16, in [-1, 1]; channels-last is fastest.
    """

    charset: str

    @abstractmethod
    def encode(self, labels: Sequence[str]) -> tuple[Tensor, list[str | None]]:
        """Turn normalised labels into targets.

        Returns:
            Targets of shape (N, ...), one row a label, for ``loss``; and for each label None, or the
            reason why this network cannot learn it: ``too_long``, ``unsupported_character``, ``empty``.
        """

    @abstractmethod
    def loss(self, images: Tensor, targets: Tensor, progress: float = 1.0) -> Tensor:
        """Loss of each word, (B,) float32; of targets of unlearnable labels, 0.

        ``progress`` is the share of the training that is done, 0-1, for networks that begin otherwise than
        they end.
        """

    @abstractmethod
    def decode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Read a batch in tensor operations alone, so that it can be exported.

        Returns:
            Classes, (B, T) int64, which ``texts`` turns into words; and the confidence in each word, (B,)
            float32, 0-1.
        """

    @abstractmethod
    def texts(self, classes: NDArray[np.int64]) -> list[str]:
        """Spell out what ``decode`` found, (B, T), in characters of the charset."""

    def characters(self, classes: Tensor) -> Tensor:
        """Of what ``decode`` found, (B, T), keep what ``texts`` spells out, in tensor operations alone.

        Returns:
            (B, T) int64: i + 1 stands for ``charset[i]``, 0 for nothing. The classes themselves, unless a
            network's are others.
        """
        return classes

    @torch.no_grad()
    def read(self, images: Tensor) -> list[Reading]:
        """Read a batch, without gradients."""
        classes, confidence = self.decode(images)
        both = zip(self.texts(classes.cpu().numpy()), confidence.tolist(), strict=True)
        return [Reading(text=text, confidence=p) for text, p in both]


class Model(Protocol):
    """The sizes of a recognizer, as a recipe states them.

    Attributes:
        image_size: Height and width of the images it wants, in pixels.
    """

    @property
    def image_size(self) -> tuple[int, int]: ...

    def build(self, charset: str) -> Recognizer:
        """Make the network with fresh weights, drawn from torch's global generator."""
        ...


def spelled(labels: Sequence[str], charset: str, width: int, fill: int) -> Tensor:
    """Classes of many labels' characters at once, i + 1 for ``charset[i]``: (N, width) int64.

    Args:
        labels: Of ``charset`` alone, and not longer than ``width``.
        charset: Different characters.
        width: Columns.
        fill: What stands after the end of a label.
    """
    known = np.array([ord(character) for character in charset])
    order = np.argsort(known)
    lengths = np.fromiter(map(len, labels), np.int64, len(labels))
    characters = np.frombuffer("".join(labels).encode("utf-32-le"), np.uint32)
    targets = np.full((len(labels), width), fill)
    targets[np.arange(width) < lengths[:, None]] = 1 + order[np.searchsorted(known[order], characters)]
    return torch.from_numpy(targets)


def count_parameters(network: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def to_channels_last(network: nn.Module) -> None:
    """Lay the kernels of 2-D convolutions out channels-last, as fast convolutions want them."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def half_precision(device: torch.device, precision: str) -> torch.autocast:
    """The context in which networks run: ``bf16`` for fast products of matrices, or ``float32``."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
