"""One training step after another, each a function of the seed, its number and the weights before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curation.core.rng import stream
from train.augments.base import to_float
from train.averages.base import Averaged, batch_norms, renew_norms
from train.models import Reading, Recognizer
from train.models.base import half_precision, to_channels_last
from train.recipe import TrainRecipe

Batches = Callable[[int, int], tuple[torch.Tensor, torch.Tensor]]


class Training:
    """The state of one run: weights, their average, optimizer and how far it is.

    Nothing else carries over from step to step: every random draw and the learning rate are functions of
    the seed and the step, so that a run that goes on from a checkpoint ends with the same bits.
    """

    def __init__(self, recipe: TrainRecipe, seed: int, charset: str, device: torch.device) -> None:
        torch.manual_seed(_torch_seed(seed, "weights"))
        self.recipe, self.seed, self.device = recipe, seed, device
        self.network: Recognizer = recipe.model.build(charset)
        self.network.to(device)
        to_channels_last(self.network)
        kernels = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [
            {"params": kernels, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.lr, fused=True)
        self.averaged: Averaged | None = None
        self.step = 0

    def advance(self, images: torch.Tensor, targets: torch.Tensor) -> float:
        """Learn from one batch of packed words; return its mean loss before the update.

        Raises:
            FloatingPointError: the loss or its gradient is not finite; the weights are as they were.
        """
        torch.manual_seed(_torch_seed(self.seed, "step", self.step))
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, self.step)
        rng = stream(self.seed, "augment", self.step)
        batch = self.recipe.augment(images.to(self.device), rng)
        with half_precision(self.device, self.recipe.precision):
            progress = self.step / self.recipe.steps
            loss = self.network.loss(batch, targets.to(self.device), progress).mean()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        value = float(loss.detach())
        if not math.isfinite(value + float(norm)):
            raise FloatingPointError(f"loss {value:g}, gradient norm {float(norm):g}")
        self.optimizer.step()
        self.step += 1
        self._average()
        return value

    def reader(self, batches: Batches) -> Recognizer:
        """The network to read with: of averaged weights if their average has begun, else the trained one.

        Args:
            batches: The packed words and targets from one position of the mixture to another; an average
                that needs new statistics for batch norms takes them from the last ones before this step.
        """
        if self.averaged is None:
            return self.network
        network: Recognizer = self.averaged.network
        if (n := self.recipe.average.norm_batches) and batch_norms(network):
            renew_norms(network, self._losses(network, batches, range(max(0, self.step - n), self.step)))
        return network

    def _losses(self, network: Recognizer, batches: Batches, steps: range) -> Iterator[torch.Tensor]:
        for step in steps:
            torch.manual_seed(_torch_seed(self.seed, "norms", step))
            images, targets = batches(step * self.recipe.batch, (step + 1) * self.recipe.batch)
            batch = self.recipe.augment(images.to(self.device), stream(self.seed, "augment", step))
            with half_precision(self.device, self.recipe.precision):
                yield network.loss(batch, targets.to(self.device))

    def _average(self) -> None:
        if weight := self.recipe.average.weight(self.step, self.recipe.steps):
            if self.averaged is None:
                self._begin_average()
            else:
                self.averaged.update(weight)

    def _begin_average(self) -> None:
        self.averaged = Averaged(self.network, with_norms=not self.recipe.average.norm_batches)

    def state(self) -> dict[str, Any]:
        """All that ``restore`` needs."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.averaged and self.averaged.network.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where ``state`` was taken."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])
        if state["average"] is not None:
            self._begin_average()
            assert self.averaged is not None
            self.averaged.network.load_state_dict(state["average"])


def learning_rate(recipe: TrainRecipe, step: int) -> float:
    """The learning rate at ``step``, from 0: a straight rise to ``lr``, then half a cosine to 0."""
    rise = recipe.warmup * recipe.steps
    if step < rise:
        return recipe.lr * (step + 1) / (rise + 1)
    return recipe.lr * (1 + math.cos(math.pi * (step - rise) / max(1.0, recipe.steps - rise))) / 2


def read_all(network: Recognizer, images: NDArray[np.uint8], precision: str) -> list[Reading]:
    """Read packed words, (N, H, W, 3) uint8, in order, on the network's device."""
    device = next(network.parameters()).device
    was_training = network.training
    readings: list[Reading] = []
    network.eval()
    with torch.inference_mode(), half_precision(device, precision):
        for start in range(0, len(images), 256):
            part = torch.from_numpy(np.array(images[start : start + 256]))
            readings += network.read(to_float(part.to(device)))
    network.train(was_training)
    return readings


def _torch_seed(seed: int, *key: str | int) -> int:
    return int(stream(seed, *key).integers(2**63))
