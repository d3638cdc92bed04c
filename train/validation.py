"""Measuring on the words held out: for the log, never to choose weights by."""

from __future__ import annotations

from typing import Any

from train.data.batches import Words
from train.evaluation.metrics import wilson
from train.models import Recognizer
from train.recipe import TrainRecipe
from train.training import read_all


def validate(network: Recognizer, words: Words, recipe: TrainRecipe) -> dict[str, Any] | None:
    """Word accuracy on the words held out, with its 95 % interval; None if none are."""
    images, labels = words.validation()
    if not labels:
        return None
    readings = read_all(network, images, recipe.precision)
    n_correct = sum(reading.text == label for reading, label in zip(readings, labels, strict=True))
    low, high = wilson(n_correct, len(labels))
    return {
        "n_used": len(labels),
        "n_trained_on": words.n_held_out_learned,
        "dropped": dict(sorted(words.dropped.items())),
        "n_correct": n_correct,
        "accuracy": n_correct / len(labels),
        "accuracy_low": low,
        "accuracy_high": high,
    }
