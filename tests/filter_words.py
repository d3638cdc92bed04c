"""Small batches and datasets of words with pictures, for the tests of filters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from word_sets import write_words

from curation.core.dataset import Dataset
from curation.core.images import encode_png
from curation.core.sample import Sample
from curation.core.schema import schema, to_batch
from curation.filters import Rows


def picture(
    key: int = 0, size: tuple[int, int] = (64, 32), light: int = 220, dark: int = 40, blur: float = 0
) -> bytes:
    """A PNG of dark bars on a light ground, another one for every key."""
    image = np.full((size[1], size[0], 3), light, np.uint8)
    for left in range(4 + key % 5, size[0] - 4, 9):
        image[size[1] // 5 : -size[1] // 5, left : left + 4] = dark
    image[0, 0] = key % 256
    return encode_png(cv2.GaussianBlur(image, (0, 0), blur) if blur else image)


def words(
    labels: Sequence[str],
    *,
    source: str = "set",
    sizes: Sequence[tuple[int, int]] = (),
    images: Sequence[bytes] = (),
    first: int = 0,
) -> list[Sample]:
    """Words with the uids ``<source>:<number>``."""
    return [
        Sample(
            uid=f"{source}:{i}",
            image=images[k] if images else picture(i),
            label=label,
            size=sizes[k] if sizes else (64, 32),
            source=source,
        )
        for k, (i, label) in enumerate(enumerate(labels, first))
    ]


def rows_of(labels: Sequence[str], *, first: int = 0, **options: object) -> Rows:
    return Rows(to_batch(words(labels, first=first, **options), schema()), first)


def dataset_of(out: Path, labels: Sequence[str], *, shard_rows: int = 50, **options: object) -> Dataset:
    return write_words(out, words(labels, source=out.name, **options), shard_rows=shard_rows)
