"""What a training would do, said before it does it: everything is checked, and a few steps of it timed."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch

from curation.core.labels import protocol
from curation.mixture import Mixture
from train.compiling import refuse_missing_compiler
from train.cost import MB
from train.data.packing import packs_whole
from train.data.rendered import Order
from train.data.rendered_plan import rendered_plan
from train.fit import threads
from train.models.base import count_parameters
from train.recipe import TrainRecipe
from train.run_log import refuse_missing_tensorboard
from train.training import Training

TIMED = 64  # words of the batches that training is timed on, if its own are larger
MOST_STEPS = 20  # that are timed
LONGEST_TRIAL_SECONDS = 2.0
MOST_PARAMETERS = 100_000_000  # of a model that is timed on a processor; larger ones take minutes a step


def dry_run(recipe: TrainRecipe) -> str:
    """Describe the training of a resolved recipe in a few lines, after checking what it needs.

    Raises:
        UserError: the mixture, the rendering recipe or the weights to begin with are missing or wrong.
    """
    mixture = None if recipe.mixture is None else Mixture.open(recipe.mixture)
    charset, device = protocol(recipe.protocol).charset, torch.device(recipe.device)
    refuse_missing_tensorboard(recipe)
    if recipe.compile:
        refuse_missing_compiler(device)
    assert charset is not None
    # One step of a compiled network would take minutes, and tell nothing of the next.
    training = Training(replace(recipe, compile=False, accumulate=1), 0, charset, device)
    samples = recipe.steps * recipe.batch
    order = Order.of(recipe.rendered.per_word if recipe.rendered else None, has_mixture=bool(mixture))
    rate = learning_speed(training)
    lines = [_model(training), f"weights   {training.initialised}"]
    passes = ""
    if mixture:
        lines += [f"mixture   {recipe.mixture}, {len(mixture):,} positions", _memory(mixture, recipe)]
        passes = f"{order.of_mixture(0, samples)[1] / len(mixture):.1f} passes, "
    if recipe.rendered:
        lines += rendered_plan(recipe, order.of_rendered(0, samples)[1], rate)
    lines += [
        f"training  {recipe.steps:,} steps of {recipe.batch} words = {samples:,} words, "
        f"{passes}on {recipe.device} in {recipe.precision}",
        *_how(recipe),
        _time(samples, rate),
    ]
    return "\n".join(lines)


def learning_speed(training: Training) -> float | None:
    """Words a second that a training takes, by the fastest of a few steps; None if it was not tried.

    The first step is not counted, as it lays memory out; the fastest of those after it is the one that
    other work on the machine disturbed least.
    """
    recipe, n = training.recipe, min(training.recipe.batch, TIMED)
    if training.device.type == "cpu" and count_parameters(training.network) > MOST_PARAMETERS:
        return None
    images = torch.zeros((n, *recipe.model.image_size, 3), dtype=torch.uint8)
    targets, _ = training.network.encode([training.network.charset[:3]] * n)
    assert recipe.threads is not None
    with threads(recipe.threads):
        training.advance(images, targets).tolist()  # tolist waits until the device has finished
        taken: list[float] = []
        while len(taken) < MOST_STEPS and sum(taken) < LONGEST_TRIAL_SECONDS:
            begun = time.perf_counter()
            training.advance(images, targets).tolist()
            taken.append(max(time.perf_counter() - begun, 1e-6))
    return n / min(taken)


def _model(training: Training) -> str:
    model, network = training.recipe.model, training.network
    size = f" {model.size}" if hasattr(model, "size") else ""
    return (
        f"model     {model.kind}{size}, {count_parameters(network):,} parameters, "
        f"{len(network.charset)} characters"
    )


def _how(recipe: TrainRecipe) -> list[str]:
    parts = f", each in {recipe.accumulate} parts" if recipe.accumulate > 1 else ""
    return [
        f"          {recipe.optimizer}, learning rate up to {recipe.lr:g}, "
        f"{recipe.warmup * recipe.steps:,.0f} steps of warm-up, then {recipe.schedule.kind}{parts}",
        f"          average of weights: {recipe.average.kind}; compiled: {'yes' if recipe.compile else 'no'}",
    ]


def _memory(mixture: Mixture, recipe: TrainRecipe) -> str:
    """Size of the packs: whole datasets, or of large ones what the mixture uses."""
    n_words, source = 0, np.asarray(mixture.validation()[0])
    for number, dataset in enumerate(mixture.datasets()):
        n_wanted = len(mixture.training_rows(number)) + int((source == number).sum())
        n_words += len(dataset) if packs_whole(len(dataset), n_wanted) else n_wanted
    height, width = recipe.model.image_size
    return f"          packed: {n_words:,} words, {n_words * height * width * 3 / MB:,.1f} MB"


def _time(samples: int, rate: float | None) -> str:
    if rate is None:
        return f"time      not tried: more than {MOST_PARAMETERS:,} parameters on a processor"
    return f"time      about {duration(samples / rate)} at {rate:,.0f} words/s, tried on a few steps"


def duration(seconds: float) -> str:
    """A length of time in the largest unit of which it has two or more."""
    amount, unit = next(
        (seconds / size, name)
        for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))
        if seconds >= 2 * size or size == 1
    )
    return f"{amount:,.0f} {unit}"
