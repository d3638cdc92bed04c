"""Whether processes draw as fast as a training learns: measured on a few words, before it begins."""

from __future__ import annotations

import time

import numpy as np

from curation.core.labels import protocol
from train.data.word_stream import WordStream
from train.recipe import TrainRecipe

WARM, TIMED = 100, 400  # words drawn; the first load fonts and photographs


def rendered_plan(recipe: TrainRecipe, n: int, rate: float | None) -> list[str]:
    """Two lines on the ``n`` words that a resolved recipe renders as it goes, from trying it on a few.

    Args:
        recipe: The recipe.
        n: How many.
        rate: Words a second that training takes; None if that is not known.

    Raises:
        UserError: the rendering recipe or something it needs is missing or wrong.
    """
    rendered = recipe.rendered
    assert rendered is not None
    chosen = protocol(recipe.protocol)
    stream = rendered.open(chosen, recipe.model.image_size)
    a_core = drawing_rate(stream)
    most = a_core * rendered.processes
    verdict = ""
    if rate is not None:
        needed = rate * n / (recipe.steps * recipe.batch)
        too_slow = "training will wait for words, unless more jobs have more cores"
        verdict = f", {needed:,.0f} needed: {'enough' if most >= needed else too_slow}"
    return [
        f"rendered  {stream.recipe.name}, seed {stream.seed}, {n:,} words drawn as it goes",
        f"          {most:,.0f} words/s from {rendered.processes} processes with a core each{verdict}",
    ]


def drawing_rate(stream: WordStream) -> float:
    """Words a second of processor time that one process draws, once it is warm."""
    images = np.empty((WARM + TIMED, *stream.size, 3), np.uint8)
    stream.draw(range(WARM), images[:WARM])
    begun = time.process_time()
    stream.draw(range(WARM, WARM + TIMED), images[WARM:])
    return TIMED / max(time.process_time() - begun, 1e-6)
