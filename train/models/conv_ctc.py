"""A compact convolutional CTC recognizer that trains on a CPU."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from train.models.base import models
from train.models.ctc import CtcRecognizer


@models.add("conv_ctc")
@dataclass(frozen=True, kw_only=True)
class ConvCtc:
    """Convolutions that halve the height until a row of 32 time steps is left, then some along the row.

    All are dense: processors with bfloat16 units run those near their peak, and depthwise ones at a third
    of it or less. The last block works at half the time steps, where weights cost half as much and see twice
    as far; it is what the recognizer has for a language model.

    Left at their defaults the sizes make 1,271,157 parameters for 36 characters, nearly nine tenths of
    them in the row of time steps and its context.

    Attributes:
        channels: Of the feature maps 16, 8, 4 and 2 pixels high.
        blocks: Residual convolutions at 8, 4 and 2 pixels.
        tail: Channels of the row of time steps.
        tail_blocks: Residual pairs of convolutions along it.
        context: Channels at half the time steps.
        dropout: Share of the tail's channels that are set to 0 in training, for a whole word at a time.
        guide: Share of the training in which characters are guided to their places (``ctc.guide_loss``).
    """

    channels: tuple[int, ...] = (16, 32, 64, 128)
    blocks: tuple[int, ...] = (1, 1, 0)
    tail: int = 256
    tail_blocks: int = 1
    context: int = 256
    dropout: float = 0.1
    guide: float = 0.3

    def __post_init__(self) -> None:
        if len(self.channels) != 4 or len(self.blocks) != 3:
            raise ValueError(
                f"channels needs 4 values and blocks 3, got {len(self.channels)} and {len(self.blocks)}"
            )
        for least, keys in ((1, ("channels", "tail", "context")), (0, ("blocks", "tail_blocks"))):
            for key in keys:
                value = getattr(self, key)
                found = min(value) if isinstance(value, tuple) else value
                if found < least:
                    raise ValueError(f"{key} must be {least} or more, got {found}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be from 0 to below 1, got {self.dropout:g}")
        if not 0 <= self.guide <= 1:
            raise ValueError(f"guide must be from 0 to 1, got {self.guide:g}")

    @property
    def image_size(self) -> tuple[int, int]:
        return 32, 128

    def build(self, charset: str) -> CtcRecognizer:
        return ConvCtcNet(self, charset)


class ConvCtcNet(CtcRecognizer):
    """The network of ``ConvCtc``; (B, 3, 32, 128) images become 32 time steps."""

    def __init__(self, sizes: ConvCtc, charset: str) -> None:
        super().__init__(charset, n_steps=32, guide=sizes.guide)
        layers: list[nn.Module] = [ConvNorm(3, sizes.channels[0], (3, 3), stride=(2, 2))]
        before, strides = sizes.channels[0], ((2, 2), (2, 1), (2, 1))
        for channels, n_blocks, stride in zip(sizes.channels[1:], sizes.blocks, strides, strict=True):
            layers.append(ConvNorm(before, channels, (3, 3), stride=stride))
            layers += [Residual(ConvNorm(channels, channels, (3, 3))) for _ in range(n_blocks)]
            before = channels
        layers.append(ConvNorm(before, sizes.tail, (2, 1), padding=(0, 0)))
        layers += [Pair(sizes.tail) for _ in range(sizes.tail_blocks)]
        layers.append(Context(sizes.tail, sizes.context))
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout1d(sizes.dropout)  # a draw a channel: a draw a step took 4 % of the time
        self.head = nn.Linear(sizes.tail, 1 + len(charset))

    def forward(self, images: Tensor) -> Tensor:
        steps = self.dropout(self.body(images).squeeze(2))
        logits: Tensor = self.head(steps.transpose(1, 2))
        return logits


class ConvNorm(nn.Module):
    """Convolution, batch norm, ReLU in place."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: tuple[int, int],
        *,
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] | None = None,
        relu: bool = True,
    ) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if padding is None else padding
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(after)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return F.relu_(x) if self.relu else x


class Residual(nn.Module):
    """What ``inner`` makes of its input, added to it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.inner(x)
        return out


class Pair(nn.Module):
    """Two convolutions along the row around a shortcut; it starts out as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, (1, 3))
        self.second = ConvNorm(channels, channels, (1, 3), relu=False)
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(x + self.second(self.first(x)))


class Context(nn.Module):
    """A pair at half the time steps, added to every step; it starts out as the identity."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.down = ConvNorm(channels, inner, (1, 3), stride=(1, 2))
        self.pair = Pair(inner)
        self.up = ConvNorm(inner, channels, (1, 1), relu=False)
        nn.init.zeros_(self.up.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        context = self.up(self.pair(self.down(x)))
        return F.relu_(x + F.interpolate(context, scale_factor=(1, 2)))
