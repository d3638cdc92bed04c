"""The list of leaks: which word to train on copies which word of which test, dropped or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.files import whole
from curation.leaks import Leaks, Rows, Sets

SCHEMA = pa.schema(
    [
        ("train_uid", pa.string()),
        ("test_uid", pa.string()),
        ("train_set", pa.string()),
        ("test_set", pa.string()),
        ("level", pa.string()),
        ("distance", pa.float32()),
        ("dropped", pa.bool_()),
    ]
)
AT_ONCE = 50_000


def write_pairs(leaks: Leaks, path: Path) -> None:
    """Write a Parquet file with a row for each word to train on and each test set that it copies a word of.

    Rows are in the order of the words to train on. ``distance`` is 0 for what is identical, else 1 less the
    overlap of the boxes or the agreement of the pictures; ``dropped`` tells whether the level costs the word
    its place.
    """
    pairs = leaks.pairs
    levels = np.array(leaks.spec.ranked, object)
    with whole(path) as draft, pq.ParquetWriter(draft, SCHEMA) as writer:
        for start in range(0, max(1, len(pairs)), AT_ONCE):
            here = slice(start, start + AT_ONCE)
            columns = [
                leaks.train.uids(pairs.left[here]),
                leaks.test.uids(pairs.right[here]),
                _names(leaks.train_sets, pairs.left[here]),
                _names(leaks.test_sets, pairs.right[here]),
                levels[pairs.rank[here]],
                pairs.distance[here],
                pairs.rank[here] < len(leaks.spec.dropped),
            ]
            arrays = [pa.array(c, kind) for c, kind in zip(columns, SCHEMA.types, strict=True)]
            writer.write_table(pa.table(arrays, schema=SCHEMA))


def _names(sets: Sets, rows: Rows) -> list[str]:
    return [sets.names[number] for number in sets.of[rows].tolist()]
