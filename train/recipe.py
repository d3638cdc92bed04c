"""What a training recipe says."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from curation.core.errors import UserError
from curation.core.labels import protocol
from curation.core.recipe import component
from train.augments import augments
from train.augments.mild import Mild
from train.averages import averages
from train.averages.none import NoAverage
from train.data.rendered import Rendered
from train.inits import inits
from train.inits.scratch import Scratch
from train.models import models
from train.models.conv_ctc import ConvCtc
from train.processes import ALONE, Processes
from train.schedules import schedules
from train.schedules.one_cycle import OneCycle


@dataclass(frozen=True, kw_only=True)
class TrainRecipe:
    """How a recognizer is trained: equal ``steps`` and ``batch`` mean equal samples seen on any mixture.

    Attributes:
        mixture: Folder of the mixture; a study puts its own in.
        rendered: Words drawn as it goes, among those of the mixture, or alone if there is none.
        model: The recognizer and its sizes.
        init: Where its weights come from before the first step.
        protocol: How labels are normalised; its charset is what the recognizer reads.
        augment: What is done to each word each time it is seen.
        steps: Batches, of positions 0 to ``steps * batch`` of the mixture.
        batch: Words in a batch.
        accumulate: Parts of a batch that go through the network one after another, for less memory. The
            gradient is that of the whole batch, but batch norm and what is drawn at random see parts.
        optimizer: ``adamw``, or ``muon`` for matrices and kernels of hidden layers and AdamW for the rest.
        lr: Greatest learning rate.
        warmup: Share of the steps in which the learning rate rises to ``lr``, 0-1.
        schedule: How the learning rate goes on after that.
        betas: Of AdamW.
        momentum: Of Muon.
        ns_steps: Of the Newton-Schulz iteration by which Muon makes a gradient orthogonal; 3 take two thirds
            of the time of 5, which counts where batches are small.
        weight_decay: On matrices and kernels only.
        clip: Greatest norm of the gradient.
        average: Which mean of the weights over the steps is read with, and kept as the run's.
        precision: ``bf16``: products in bfloat16, sums and weights in float32.
        compile: Have torch compile the network: minutes at first, then faster steps.
        tensorboard: Write what TensorBoard shows, to the folder ``tensorboard`` of the run.
        checkpoint_every: Steps between checkpoints.
        validate_every: Steps between measurements on the held-out words; 0 for one, at the end.
        threads: Of the processor, for each process; None for one a core. Other numbers give other roundings.
        device: ``auto`` takes a CUDA device if there is one.
        pack_device: Where packed words lie while training runs: ``device``, ``host``, or ``auto`` for a CUDA
            device on which they take no more than half of the free memory. Batches do not depend on it.
    """

    mixture: Path | None = None
    rendered: Rendered | None = None
    model: Any = component(models, default=ConvCtc())  # noqa: RUF009
    init: Any = component(inits, default=Scratch())  # noqa: RUF009
    protocol: str = "parseq36"
    augment: Any = component(augments, default=Mild())  # noqa: RUF009
    steps: int = 5_000
    batch: int = 128
    accumulate: int = 1
    optimizer: Literal["adamw", "muon"] = "adamw"
    lr: float = 2e-3
    warmup: float = 0.1
    schedule: Any = component(schedules, default=OneCycle())  # noqa: RUF009
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.95
    ns_steps: int = 5
    weight_decay: float = 0.05
    clip: float = 5.0
    average: Any = component(averages, default=NoAverage())  # noqa: RUF009
    precision: Literal["bf16", "float32"] = "bf16"
    compile: bool = False
    tensorboard: bool = False
    checkpoint_every: int = 500
    validate_every: int = 1_000
    threads: int | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    pack_device: Literal["auto", "host", "device"] = "auto"

    def __post_init__(self) -> None:
        for key in ("steps", "batch", "accumulate", "ns_steps", "checkpoint_every"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be 1 or more, got {getattr(self, key)}")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be 1 or more, got {self.threads}")
        if self.validate_every < 0:
            raise ValueError(f"validate_every must be 0 or more, got {self.validate_every}")
        if self.accumulate > self.batch:
            raise ValueError(f"accumulate must be up to batch, {self.batch}, got {self.accumulate}")
        if not all(0 <= value < 1 for value in (*self.betas, self.momentum)):
            raise ValueError(
                f"betas and momentum must be from 0 to below 1, got {list(self.betas)} and {self.momentum:g}"
            )
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay must be 0 or more, got {self.weight_decay:g}")
        if self.lr <= 0 or self.clip <= 0:
            raise ValueError(f"lr and clip must be above 0, got {self.lr:g} and {self.clip:g}")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup must be from 0 to 1, got {self.warmup:g}")


def resolve(recipe: TrainRecipe, mixture: Path | None = None, processes: Processes = ALONE) -> TrainRecipe:
    """Fill in what the recipe leaves to the machine: device, threads; and the mixture, if one is given.

    Raises:
        UserError: no mixture, no CUDA device though one is asked for, a protocol without charset, or more
            processes than words in a batch.
    """
    mixture = mixture or recipe.mixture
    if mixture is None and recipe.rendered is None:
        raise UserError(
            "the recipe names no mixture. "
            "Add the key 'mixture' with the folder of one, or a table 'rendered'."
        )
    if (chosen := protocol(recipe.protocol, where="the recipe, protocol")).charset is None:
        raise UserError(f"protocol {chosen.name} has no charset to learn. Train with parseq36 or parseq94.")
    if processes.count * recipe.accumulate > recipe.batch:
        raise UserError(
            f"a batch of {recipe.batch} words cannot be divided among {processes.count} processes, "
            f"in {recipe.accumulate} parts each. Make batch larger, or start fewer processes."
        )
    has_cuda = torch.cuda.is_available()
    if recipe.device == "cuda" and not has_cuda:
        raise UserError(
            "the recipe asks for a CUDA device, and there is none. Set device to 'auto' or 'cpu'."
        )
    device: Literal["cpu", "cuda"] = "cuda" if has_cuda and recipe.device != "cpu" else "cpu"
    threads = recipe.threads or max(1, len(os.sched_getaffinity(0)) // processes.local_count)
    return replace(recipe, mixture=mixture, device=device, threads=threads)
