"""What every average of the weights promises, and the network that holds one."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from curation.core.registry import Registry

averages: Registry[Any] = Registry("average")


class Average(Protocol):
    """How a run's weights are averaged over its steps, as a recipe states it.

    Attributes:
        norm_batches: Over how many batches the statistics of batch norms are taken anew for the averaged
            weights; 0 if they are averaged as the weights are.
    """

    @property
    def norm_batches(self) -> int: ...

    def weight(self, step: int, steps: int) -> float:
        """What the weights after ``step`` of ``steps`` steps count for in the average, 0-1.

        0 says that the average has not begun; the first weights that count, count in full.
        """
        ...


class Averaged:
    """A network of averaged weights, beside the one that is trained.

    Not torch's own ``AveragedModel``: it asks the device at each step whether it is the first, for which a
    GPU has to wait.

    Attributes:
        network: What to read with, in evaluation mode.
    """

    def __init__(self, network: nn.Module, *, with_norms: bool) -> None:
        self.network = copy.deepcopy(network).eval()
        self._pairs = [_tensors(net, with_norms=with_norms) for net in (self.network, network)]

    @torch.no_grad()
    def update(self, weight: float) -> None:
        """Move the average towards the trained weights by ``weight``, 0-1."""
        (means, copies), (trained, others) = self._pairs
        torch._foreach_lerp_(means, trained, weight)
        if copies:
            torch._foreach_copy_(copies, others)


def _tensors(network: nn.Module, *, with_norms: bool) -> tuple[list[Tensor], list[Tensor]]:
    """What is averaged, and what is copied as it is, such as counts."""
    buffers = list(network.buffers())
    means = [buffer for buffer in buffers if with_norms and buffer.is_floating_point()]
    copies = [buffer for buffer in buffers if not (with_norms and buffer.is_floating_point())]
    return [*network.parameters(), *means], copies


def batch_norms(network: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """The layers of ``network`` that normalise by statistics of their own training."""
    kinds = nn.modules.batchnorm._BatchNorm
    return [m for m in network.modules() if isinstance(m, kinds) and m.track_running_stats]


@torch.no_grad()
def renew_norms(network: nn.Module, losses: Iterable[object]) -> None:
    """Take the statistics of batch norms anew: their plain means over batches.

    Source: Izmailov et al. 2018, Averaging Weights Leads to Wider Optima (arXiv:1803.05407), section 3.2.

    Args:
        network: Left in evaluation mode.
        losses: Passes one batch through ``network`` for each value that is taken from it.
    """
    norms = batch_norms(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for a plain mean over all batches
    network.train()
    for _ in losses:
        pass
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
