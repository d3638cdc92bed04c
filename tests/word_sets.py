"""Small datasets of words, written by the tests that read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.images import encode_png
from curation.core.sample import Reject, Sample

JOB = {"recipe": "words", "seed": 0}


def word(uid: str, label: str = "word", *, image: bytes = b"not looked at") -> Sample:
    return Sample(uid=uid, image=image, label=label, size=(40, 16), source=uid.partition(":")[0])


def grey_png(level: int) -> bytes:
    return encode_png(np.full((16, 40, 3), level, np.uint8))


def write_words(out: Path, items: Iterable[Sample | Reject], *, shard_rows: int = 50) -> Dataset:
    """Write a dataset of shards of ``shard_rows`` words."""
    items = list(items)
    shards.start(out, JOB)
    for index, first in enumerate(range(0, len(items), shard_rows)):
        shards.write_shard(out, index, items[first : first + shard_rows])
    shards.finish(out, allow_empty=True)
    return Dataset.open(out)


def write_labels(out: Path, labels: Sequence[str] | int, *, shard_rows: int = 50) -> Dataset:
    """Write a dataset with these labels, or with so many; the uids are ``<folder>:<row>``."""
    labels = [f"word{i}" for i in range(labels)] if isinstance(labels, int) else labels
    words = [word(f"{out.name}:{i}", label) for i, label in enumerate(labels)]
    return write_words(out, words, shard_rows=shard_rows)
