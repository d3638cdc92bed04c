"""What comes of a search for suspects: tables, a list for ``filter``, and a page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.core.dataset import Dataset
from curation.core.files import remove_folder, whole, write_json, write_text
from curation.core.fingerprint import versions
from curation.core.page import write_page
from curation.core.schema import REJECTS
from curation.core.text import counted
from curation.inspect_pictures import Picture, cut, pictures
from train.run_folder import BUILD
from train.suspects.search import RECORD, Judged, Search

TEMPLATE = Path(__file__).parents[1] / "templates" / "suspects.html"
REASON = "suspect_label"
SHOWN = 300  # on the page


def list_worst(judged: Judged, *, share: float, score: float | None) -> int:
    """How many words to list: the worst ``share`` of all, or those with ``score`` or more if it is given.

    A word that is read as it is labelled is never listed.
    """
    scores = judged.table["score"].to_numpy()
    n_doubted = int(np.count_nonzero(scores > 0))
    if score is not None:
        return min(n_doubted, int(np.count_nonzero(scores >= score)))
    return min(n_doubted, round(share * len(scores)))


def write_suspects(judged: Judged, search: Search, *, share: float, score: float | None) -> dict[str, Any]:
    """Write ``suspects`` as .parquet, .tsv, .html and .json, and ``rejects.parquet``.

    Returns:
        What ``suspects.json`` says.
    """
    n_listed = list_worst(judged, share=share, score=score)
    table = judged.table
    datasets = [Dataset.open(path) for path in search.datasets]
    facts = _facts(
        judged, search, datasets, n_listed, {"share": share} if score is None else {"score": score}
    )
    with whole(search.out / "suspects.parquet") as draft:
        pq.write_table(table, draft)
    write_text(search.out / "suspects.tsv", _lines(table))
    with whole(search.out / "rejects.parquet") as draft:
        pq.write_table(_rejects(table.slice(0, n_listed)), draft)
    shown = table.slice(0, SHOWN).to_pylist()
    content = {
        "facts": facts,
        "names": ", ".join(dataset.name for dataset in datasets),
        "words": list(zip(shown, _pictures(shown, datasets), strict=False)),
        "n_listed": n_listed,
        "recipe": recipe_for(search.out),
        "counted": counted,
        "cut": cut,
    }
    write_page(TEMPLATE, content, search.out / "suspects.html")
    write_json(search.out / RECORD, facts)
    remove_folder(search.out / BUILD, search.out)
    return facts


def _facts(
    judged: Judged, search: Search, datasets: list[Dataset], n_listed: int, worst: dict[str, Any]
) -> dict[str, Any]:
    """What ``suspects.json`` says; ``worst`` is where the list was cut."""
    table = judged.table
    return {
        "format": 1,
        "kind": "suspects",
        "run": str(search.run),
        "datasets": [dataset.as_input for dataset in datasets],
        "trained_on": judged.trained_on,
        "n_words": len(table),
        "dropped": dict(sorted(judged.dropped.items())),
        "folds": judged.folds,
        "cut": worst,
        "n_listed": n_listed,
        "least_score_listed": table["score"][n_listed - 1].as_py() if n_listed else None,
        "versions": versions(("glyphmix", "numpy", "torch")),
    }


def recipe_for(out: Path) -> str:
    """The lines of a recipe by which ``glyphmix filter`` leaves out what is listed."""
    path = str(out / "rejects.parquet").replace("\\", "\\\\").replace('"', '\\"')
    return f'[[filters]]\nkind = "listed"\nfiles = ["{path}"]'


def _lines(table: pa.Table) -> str:
    """The table as lines with tabs between the columns."""
    rows = ["\t".join(table.column_names)]
    for row in table.to_pylist():
        cells = (f"{v:.4f}" if isinstance(v, float) else cut(str(v), 1_000) for v in row.values())
        rows.append("\t".join(cells))
    return "\n".join(rows) + "\n"


def _rejects(table: pa.Table) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "uid": row["uid"],
                "reason": REASON,
                "detail": f"labelled {row['label']!r}, read {row['prediction']!r}, score {row['score']:.2f}",
                "duplicate_of": None,
            }
            for row in table.to_pylist()
        ],
        schema=REJECTS,
    )


def _pictures(words: list[dict[str, Any]], datasets: list[Dataset]) -> list[Picture]:
    """Small pictures of the words, as many of the first as a page can hold."""
    first = dict(zip((d.name for d in datasets), np.cumsum([0, *map(len, datasets)]).tolist(), strict=False))
    rows = [first[word["dataset"]] + word["row"] for word in words]
    return pictures(datasets, {"suspects": rows}).get("suspects", [])
