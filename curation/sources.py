"""Where the words of a dataset come from: their sets' licences and citations, and what was done since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.core import shards
from curation.core.dataset import Dataset

COLUMNS = ["source", "split", "licence"]
STEP = (
    "command", "name", "split", "importer", "recipe_name", "recipe", "seed", "n_rows", "n_rejected",
    "rejected_by_reason", "fingerprint", "versions", "git_commit",
)  # fmt: skip


def sources_of(dataset: Dataset) -> list[dict[str, Any]]:
    """The sets that the words of ``dataset`` come from, by name and licence.

    Returns:
        Plain values: ``name``, ``licence``, ``url``, ``citation``, ``rows``, ``splits`` (rows by split)
        and, of rendered words, ``rendered`` (recipes and seeds). What is not known is empty.
    """
    if "sources" in dataset.manifest:
        return list(dataset.manifest["sources"])
    return count_sources(dataset.tables(COLUMNS), stated_sources(dataset.manifest))


def stated_sources(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a dataset's manifest says of its sources, without a look at its rows."""
    if "sources" in manifest:
        return list(manifest["sources"])
    if manifest.get("command") == "import":
        known = {key: manifest[key] for key in ("licence", "url", "citation") if manifest.get(key)}
        return [{"name": manifest.get("name", ""), **known}]
    if manifest.get("command") == "render":
        rendered = {key: manifest.get(key) for key in ("recipe_name", "recipe_sha256", "seed")}
        return [{"name": manifest.get("recipe_name", ""), "rendered": [rendered]}]
    return []


def sources_written(out: Path, stated: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The sources of the rows written to the unfinished dataset ``out``, with what is ``stated`` of them."""
    files = (out / record["file"] for record in shards.completed(out))
    return count_sources((pq.read_table(file, columns=COLUMNS) for file in files), stated)


def count_sources(
    tables: Iterable[pa.Table | pa.RecordBatch], stated: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Count rows by source, licence and split, and add what is ``stated`` of the sources.

    A statement without a licence holds for all the rows of its name. Citations and addresses that differ
    are joined.

    Args:
        tables: Rows with the columns ``COLUMNS``.
        stated: Entries as ``sources_of`` returns them.
    """
    rows: Counter[tuple[str, str, str]] = Counter()
    for table in tables:
        held = pa.table(table) if isinstance(table, pa.Table) else pa.Table.from_batches([table])
        counted = held.select(COLUMNS).group_by(COLUMNS).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            rows[row["source"] or "", row["licence"] or "", row["split"] or ""] += row["count_all"]
    said = list(stated)
    return [
        _entry(
            name, licence, {s: n for (a, b, s), n in sorted(rows.items()) if (a, b) == (name, licence)}, said
        )
        for name, licence in sorted({key[:2] for key in rows})
    ]


def _entry(
    name: str, licence: str, splits: dict[str, int], stated: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    of_name = [s for s in stated if s["name"] == name and s.get("licence", licence) == licence]
    rendered = {str(r): r for s in of_name for r in s.get("rendered", [])}  # the same words come by many ways
    return {
        "name": name,
        "licence": licence,
        "url": _joined(s.get("url", "") for s in of_name),
        "citation": _joined(s.get("citation", "") for s in of_name),
        "rows": sum(splits.values()),
        "splits": splits,
        **({"rendered": list(rendered.values())} if rendered else {}),
    }


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def history_of(datasets: Iterable[Dataset]) -> list[dict[str, Any]]:
    """The steps by which ``datasets`` came about, their own last; each dataset once.

    Returns:
        Of each step the entries ``STEP`` of its manifest, as far as it has them.
    """
    steps: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        own = {key: dataset.manifest[key] for key in STEP if key in dataset.manifest}
        for step in [*dataset.manifest.get("history", []), {"name": dataset.name, **own}]:
            steps.setdefault(step["fingerprint"] + step.get("command", ""), step)
    return list(steps.values())
