"""Which words of a dataset a run has learned from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.fingerprint import sha256
from train.run_folder import TrainedOn

Rows = NDArray[np.int64]
AT_ONCE = 50_000  # rows that are texts in Python at the same time


def short_hashes(dataset: Dataset, column: str, rows: Rows | None = None) -> NDArray[np.uint64]:
    """First 8 bytes of each row's SHA-256: of the image file (``sha256``), or of the text in ``column``."""
    values = dataset.table([column])[column]
    rows = np.arange(len(values)) if rows is None else rows
    found = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), AT_ONCE):
        texts: list[str] = values.take(rows[start : start + AT_ONCE]).to_pylist()
        found[start : start + len(texts)] = _short(texts if column == "sha256" else map(_digest, texts))
    return found


def is_learned(dataset: Dataset, learned: TrainedOn, rows: Rows | None = None) -> NDArray[np.bool_]:
    """Which words, all or those of ``rows``, are among ``learned`` by uid or image file."""
    found = np.isin(short_hashes(dataset, "sha256", rows), learned.images)
    found |= np.isin(short_hashes(dataset, "uid", rows), learned.uids)
    if learned.rendered:
        uids = dataset.table(["uid"])["uid"]
        found |= learned.was_rendered((uids if rows is None else uids.take(rows)).to_pylist())
    return found


def are_learned(uids: list[str], learned: TrainedOn) -> NDArray[np.bool_]:
    """Which of the words with these ``uids`` are among ``learned``."""
    hashes = np.array(_short(map(_digest, uids)), np.uint64)
    return np.isin(hashes, learned.uids) | learned.was_rendered(uids)


def _short(digests: Iterable[str]) -> list[int]:
    return [int(digest[:16], 16) for digest in digests]


def _digest(text: str) -> str:
    return sha256(text.encode())
