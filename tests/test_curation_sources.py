"""Licences, citations and history stay with the rows, however many steps later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from published_sets import run, write_iiit5k, write_tsv
from word_sets import write_labels

from curation.core.dataset import Dataset
from curation.importers.iiit5k import Iiit5k
from curation.rewriting import Verdicts, rewrite
from curation.sources import count_sources, history_of, sources_of

IIIT5K = {
    "name": "iiit5k",
    "licence": "no explicit licence",
    "url": Iiit5k.url,
    "citation": Iiit5k.citation,
}


@dataclass(frozen=True)
class All:
    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        return Verdicts(keep=np.ones(len(batch), bool))


def imported(tmp_path: Path) -> list[Dataset]:
    for split in ("train", "test"):
        labels = {f"{split}/{i}.png": str(i) for i in range(2 if split == "train" else 3)}
        src = write_iiit5k(tmp_path / "src" / split, labels, split)
        run("import", "iiit5k", src, "-o", tmp_path / f"iiit5k_{split}", "--split", split)
    labels = write_tsv(tmp_path / "src" / "mine", {"a.png": "a"})
    run("import", "tsv", labels, "-o", tmp_path / "mine")
    return [Dataset.open(tmp_path / name) for name in ("iiit5k_train", "iiit5k_test", "mine")]


def merged(out: Path, datasets: list[Dataset]) -> Dataset:
    rewrite(datasets, out, lambda number: All(), {"command": "merge"}, jobs=1, what="test")
    return Dataset.open(out)


def test_of_an_imported_set(tmp_path: Path) -> None:
    train, _, mine = imported(tmp_path)
    assert sources_of(train) == [{**IIIT5K, "rows": 2, "splits": {"train": 2}}]
    assert sources_of(mine) == [
        {"name": "mine", "licence": "unknown", "url": "", "citation": "", "rows": 1, "splits": {"train": 1}}
    ]


def test_two_steps_later(tmp_path: Path) -> None:
    first = merged(tmp_path / "first", imported(tmp_path))
    last = merged(tmp_path / "last", [first])
    assert last.manifest["sources"] == first.manifest["sources"] == sources_of(last)
    assert sources_of(last) == [
        {**IIIT5K, "rows": 5, "splits": {"test": 3, "train": 2}},
        {"name": "mine", "licence": "unknown", "url": "", "citation": "", "rows": 1, "splits": {"train": 1}},
    ]
    steps = [(s["command"], s["name"], s["n_rows"]) for s in last.manifest["history"]]
    assert steps == [
        ("import", "iiit5k", 2),
        ("import", "iiit5k", 3),
        ("import", "mine", 1),
        ("merge", "first", 6),
    ]
    again = [(s["command"], s["n_rows"]) for s in history_of([first, last])]
    assert again == [("import", 2), ("import", 3), ("import", 1), ("merge", 6)]


def test_of_rendered_words_and_of_none(tmp_path: Path) -> None:
    dataset = write_labels(tmp_path / "a", 2)
    rows = dataset.tables(["source", "split", "licence"])
    said = [
        {"name": "a", "rendered": [{"recipe_name": "a", "seed": 0}]},
        {"name": "a", "rendered": [{"recipe_name": "a", "seed": 0}, {"recipe_name": "a", "seed": 1}]},
        {"name": "a", "licence": "another", "citation": "not of these rows"},
        {"name": "b", "citation": "of no row"},
    ]
    assert count_sources(rows, said) == [
        {
            "name": "a", "licence": "unknown", "url": "", "citation": "", "rows": 2, "splits": {"train": 2},
            "rendered": [{"recipe_name": "a", "seed": 0}, {"recipe_name": "a", "seed": 1}],
        }
    ]  # fmt: skip
    assert count_sources([], said) == []
