"""Words that two datasets of a study both hold: of tests and training, of one part and another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from train.learned import short_hashes

COLUMNS = "sha256", "uid"


def count_in_tests(entries: Sequence[dict[str, Any]], datasets: Sequence[Dataset]) -> None:
    """Note beside each test set how many of its words the training datasets hold, by image file or uid.

    Args:
        entries: What ``study.json`` tells of each dataset; those of tests get ``n_shared``.
        datasets: The same datasets.
    """
    known = {}
    for column in COLUMNS:
        trained_on = [d for d, entry in zip(datasets, entries, strict=True) if entry["role"] != "test"]
        known[column] = np.unique(np.concatenate([short_hashes(d, column) for d in trained_on]))
    for entry, dataset in zip(entries, datasets, strict=True):
        if entry["role"] == "test":
            entry["n_shared"] = _n_in(dataset, known)


def shared_by_parts(
    entries: Sequence[dict[str, Any]], datasets: Sequence[Dataset]
) -> dict[tuple[str, str], int]:
    """For two parts that hold the same words, by image file or uid, how many of the second the first holds.

    Parts that pick their rows of one dataset are not compared.
    """
    of_part: dict[str, list[Dataset]] = {}
    for entry, dataset in zip(entries, datasets, strict=True):
        if entry["role"] != "test" and ", " not in entry["part"]:
            of_part.setdefault(entry["part"], []).append(dataset)
    found = {}
    for first, second in combinations(of_part, 2):
        known = {
            column: np.unique(np.concatenate([short_hashes(d, column) for d in of_part[first]]))
            for column in COLUMNS
        }
        if n := sum(_n_in(dataset, known) for dataset in of_part[second]):
            found[first, second] = n
    return found


def _n_in(dataset: Dataset, known: dict[str, NDArray[np.uint64]]) -> int:
    same = [np.isin(short_hashes(dataset, column), hashes) for column, hashes in known.items()]
    return int(np.count_nonzero(same[0] | same[1]))
