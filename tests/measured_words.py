"""Predictions made up for tests, as if a run had read the words of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import train_words

from curation.core.labels import PROTOCOLS
from train.evaluation.evaluate import predictions
from train.evaluation.scores import Measured, score_of
from train.models import Reading


def measured(
    path: Path, labels: Sequence[str], read: Sequence[str], confidence: Sequence[float] | None = None
) -> Measured:
    """All of ``labels``, written to the dataset ``path``, and read as ``read``."""
    dataset = train_words.dataset(path, labels)
    sure = confidence or [0.5] * len(labels)
    readings = [Reading(text=text, confidence=p) for text, p in zip(read, sure, strict=True)]
    rule = PROTOCOLS["parseq36"]
    uids = [f"{path.name}:{i}" for i in range(len(labels))]
    table = predictions(uids, list(labels), [label.lower() for label in labels], readings, rule)
    score = score_of(table, dataset, rule, {}, 0)
    return Measured(score=score, dataset=dataset, rows=np.arange(len(labels)), table=table)
