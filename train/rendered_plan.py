"""Whether processes draw as fast as a training learns: both measured on a few words, before it begins."""

from __future__ import annotations

import time

import numpy as np
import torch

from curation.core.labels import protocol
from train.recipe import TrainRecipe
from train.training import Training
from train.word_stream import WordStream

WARM, TIMED = 100, 400  # words drawn; the first load fonts and photographs
LEARNED = 64  # words of the batches that training is timed on, if its own are larger


def rendered_plan(recipe: TrainRecipe, n: int) -> list[str]:
    """Two lines on the ``n`` words that a resolved recipe renders as it goes, from trying it on a few.

    Raises:
        UserError: the rendering recipe or something it needs is missing or wrong.
    """
    rendered = recipe.rendered
    assert rendered is not None
    chosen = protocol(recipe.protocol)
    stream = rendered.open(chosen, recipe.model.image_size)
    a_core = drawing_rate(stream)
    needed = training_rate(recipe) * n / (recipe.steps * recipe.batch)
    most = a_core * rendered.processes
    verdict = "enough" if most >= needed else "training will wait for words, unless more jobs have more cores"
    return [
        f"rendered  {stream.recipe.name}, seed {stream.seed}, {n:,} words drawn as it goes",
        f"          {most:,.0f} words/s from {rendered.processes} processes with a core each, "
        f"{needed:,.0f} needed: {verdict}",
    ]


def drawing_rate(stream: WordStream) -> float:
    """Words a second of processor time that one process draws, once it is warm."""
    images = np.empty((WARM + TIMED, *stream.size, 3), np.uint8)
    stream.draw(range(WARM), images[:WARM])
    begun = time.process_time()
    stream.draw(range(WARM, WARM + TIMED), images[WARM:])
    return TIMED / max(time.process_time() - begun, 1e-6)


def training_rate(recipe: TrainRecipe) -> float:
    """Words a second that this training takes, from one step after another."""
    device, charset = torch.device(recipe.device), protocol(recipe.protocol).charset
    assert charset is not None
    training = Training(recipe, 0, charset, device)
    n = min(recipe.batch, LEARNED)
    images = torch.zeros((n, *recipe.model.image_size, 3), dtype=torch.uint8)
    targets, _ = training.network.encode([charset[:3]] * n)
    training.advance(images, targets)
    begun = time.perf_counter()
    training.advance(images, targets)  # which ends with reading the loss, so the device has finished
    return n / max(time.perf_counter() - begun, 1e-6)
