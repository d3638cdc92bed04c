"""What was left out when datasets were made, by source and reason, with examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.core.dataset import DAMAGED, Dataset

EXAMPLES = 3
MOST = 10_000  # kinds of rejects held; a reason is short and fixed, so there are few


@dataclass
class Kind:
    """Rejects of one source for one reason.

    Attributes:
        source: The part of the uid before its colon.
        reason: Short and fixed.
        n: How many.
        examples: Uid and detail of the first ones.
    """

    source: str
    reason: str
    n: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)


def rejects_of(datasets: Sequence[Dataset]) -> list[Kind]:
    """The rejects of ``datasets`` by source and reason, the most frequent first; read a group at a time."""
    kinds: dict[tuple[str, str], Kind] = {}
    for dataset in datasets:
        path = dataset.path / "rejects.parquet"
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                for group in range(file.num_row_groups):
                    _add(file.read_row_group(group, columns=["uid", "reason", "detail"]), kinds)
        except DAMAGED:  # verify tells; the counts by reason stand in the manifest as well
            continue
    return sorted(kinds.values(), key=lambda kind: (-kind.n, kind.source, kind.reason))


def _add(table: pa.Table, kinds: dict[tuple[str, str], Kind]) -> None:
    if not len(table):
        return
    uids = table["uid"].fill_null("").combine_chunks()
    source = pc.list_element(pc.split_pattern(uids, ":", max_splits=1), 0)
    numbered = pa.table(
        {"source": source, "reason": table["reason"].fill_null("").combine_chunks(), "row": range(len(table))}
    )
    grouped = numbered.group_by(["source", "reason"], use_threads=False).aggregate(
        [([], "count_all"), ("row", "list")]
    )
    for row in grouped.sort_by([("source", "ascending"), ("reason", "ascending")]).to_pylist():
        key = (row["source"], row["reason"])
        if key not in kinds and len(kinds) >= MOST:
            key = ("other sources", row["reason"])
        kind = kinds.setdefault(key, Kind(*key))
        kind.n += row["count_all"]
        for at in row["row_list"][: EXAMPLES - len(kind.examples)]:
            kind.examples.append((uids[at].as_py(), table["detail"][at].as_py() or ""))
