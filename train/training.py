"""One training step after another, each a function of the seed, its number and the weights before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from curation.core.rng import stream
from train.augments.base import to_float
from train.averages.base import Averaged, batch_norms, renew_norms
from train.compiling import Loss, compiled
from train.models import Reading, Recognizer
from train.models.base import half_precision, to_channels_last
from train.optimizers import optimizers
from train.processes import ALONE, Processes, parts
from train.recipe import TrainRecipe

Batches = Callable[[int, int], tuple[torch.Tensor, torch.Tensor]]


class Training:
    """The state of one run: weights, their average, optimizer and how far it is.

    Nothing else carries over from step to step: every random draw and the learning rate are functions of
    the seed and the step, so that a run that goes on from a checkpoint ends with the same bits.
    """

    def __init__(
        self,
        recipe: TrainRecipe,
        seed: int,
        charset: str,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        torch.manual_seed(_torch_seed(seed, "weights"))
        self.recipe, self.seed, self.device, self.processes = recipe, seed, device, processes
        self.network: Recognizer = recipe.model.build(charset)
        self.initialised = recipe.init.apply(self.network, recipe.model)
        self.network.to(device)
        to_channels_last(self.network)
        self.optimizers = optimizers(recipe, self.network)
        loss = Loss(self.network)
        self._loss = processes.together(compiled(loss) if recipe.compile else loss, device)
        self.averaged: Averaged | None = None
        self.step = 0

    def advance(self, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Learn from one batch of packed words, or this process's part of it.

        Returns:
            The mean loss before the update and the norm of its gradient, (2,) float32, on the device, so that
            nobody has to wait for it. Where one is not finite, the weights are no good any more. Of several
            processes, the mean of their losses is that of the batch.
        """
        torch.manual_seed(_torch_seed(self.seed, "step", self.step))
        self.network.train()
        self.network.zero_grad()
        batch = self._augmented(images.to(self.device, non_blocking=True), self.step)
        loss = self._backward(batch, targets.to(self.device, non_blocking=True))
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.recipe, self.step)
            optimizer.step()
        self.step += 1
        self._average()
        return torch.stack([loss, norm])

    def is_finite(self) -> bool:
        """Say whether every weight is a number."""
        weights = [weight.detach() for weight in self.network.parameters()]
        return bool(torch.isfinite(torch.nn.utils.get_total_norm(weights)))

    def _augmented(self, images: torch.Tensor, step: int) -> torch.Tensor:
        """The batch as the network sees it; of several processes, each makes of its words what one would.

        For that the others' words have to be there while it draws, but they may be black.
        """
        rng = stream(self.seed, "augment", step)
        if self.processes.count == 1:
            augmented: torch.Tensor = self.recipe.augment(images, rng)
            return augmented
        part = self.processes.part(self.recipe.batch)
        whole = images.new_zeros(self.recipe.batch, *images.shape[1:])
        whole[part] = images
        own: torch.Tensor = self.recipe.augment(whole, rng)[part]
        return own

    def _backward(self, batch: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Add the gradient of the mean loss over ``batch`` to that of the weights; return that loss.

        Words that teach nothing count in the mean, with a loss of 0.
        """
        progress, total = self.step / self.recipe.steps, torch.zeros((), device=self.device)
        # Processes average their gradients; where their words differ in number, that is still to be the mean.
        n = len(batch) if self.processes.count == 1 else self.recipe.batch / self.processes.count
        *others, last = parts(len(batch), self.recipe.accumulate)
        for part in (*others, last):
            with self._sharing(part is last):
                with half_precision(self.device, self.recipe.precision):
                    loss = self._loss(batch[part], targets[part], progress).sum() / n
                torch.autograd.backward(loss)
            total += loss.detach()
        return total

    def _sharing(self, does: bool) -> AbstractContextManager[None]:
        """Whether gradients are averaged over the processes: once a batch is enough."""
        holds = isinstance(self._loss, nn.parallel.DistributedDataParallel) and not does
        return self._loss.no_sync() if holds else nullcontext()

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
        if not self.processes.is_first:  # it alone reads and writes
            return
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
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "average": self.averaged and self.averaged.network.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where ``state`` was taken."""
        self.network.load_state_dict(state["network"])
        for optimizer, its_state in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(its_state)
        self.step = int(state["step"])
        if state["average"] is not None and self.processes.is_first:
            self._begin_average()
            assert self.averaged is not None
            self.averaged.network.load_state_dict(state["average"])


def learning_rate(recipe: TrainRecipe, step: int) -> float:
    """The learning rate at ``step``, from 0: a straight rise to ``lr``, then what the schedule says."""
    rise = recipe.warmup * recipe.steps
    if step < rise:
        return recipe.lr * (step + 1) / (rise + 1)
    return recipe.lr * float(recipe.schedule.factor(step, recipe.steps, rise))


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
