"""Optimizers, as recipes name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from train.recipe import TrainRecipe

PIXEL_CHANNELS = 3  # a convolution of so many takes pixels


class KernelMuon(torch.optim.Muon):
    """Muon for kernels too: a row of its matrix is all that makes one output channel.

    Source: Jordan et al. 2024, Muon: An optimizer for hidden layers in neural networks
    (kellerjordan.github.io/posts/muon), which flattens kernels alike.
    """

    def __init__(self, weights: Iterable[nn.Parameter], **options: Any) -> None:
        self._weights = list(weights)
        self._matrices = [_rows(weight.detach()).view(len(weight), -1) for weight in self._weights]
        super().__init__(self._matrices, **options)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move the weights; their matrices are views of them."""
        for weight, matrix in zip(self._weights, self._matrices, strict=True):
            matrix.grad = None if weight.grad is None else _rows(weight.grad).reshape(matrix.shape)
        return super().step(closure)


def optimizers(recipe: TrainRecipe, network: nn.Module) -> list[torch.optim.Optimizer]:
    """Make what moves the weights of ``network``, each weight being moved by one of them.

    Muon's update is scaled to the size of one of AdamW (``match_rms_adamw``), so that one learning rate and
    one weight decay do for both.

    Source: Liu et al. 2025, Muon is Scalable for LLM Training (arXiv:2502.16982), for that scale.
    """
    by_muon = hidden(network) if recipe.optimizer == "muon" else []
    names = {id(weight) for weight in by_muon}
    rest = [p for p in network.parameters() if id(p) not in names]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, lr=recipe.lr, betas=recipe.betas, fused=True)
    ]
    if by_muon:
        made.append(
            KernelMuon(
                by_muon,
                lr=recipe.lr,
                weight_decay=recipe.weight_decay,
                momentum=recipe.momentum,
                ns_steps=recipe.ns_steps,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return made


def hidden(network: nn.Module) -> list[nn.Parameter]:
    """The matrices and kernels between two hidden layers: not those of pixels, embeddings or a ``head``."""
    found: dict[int, nn.Parameter] = {}
    for name, module in network.named_modules():
        weight: object = None
        if isinstance(module, nn.MultiheadAttention):
            weight = module.in_proj_weight
        elif _is_linear(module) and not name.endswith("head"):
            weight = module.weight
        if isinstance(weight, nn.Parameter) and weight.requires_grad:
            found[id(weight)] = weight
    return list(found.values())


def _is_linear(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.conv._ConvNd):
        return module.in_channels != PIXEL_CHANNELS
    return isinstance(module, nn.Linear)


def _rows(weight: Tensor) -> Tensor:
    """The order in which the weights of a channels-last kernel lie in memory."""
    return weight.permute(0, 2, 3, 1) if weight.ndim == 4 else weight
