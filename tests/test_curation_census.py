"""Counts and copies on whole columns agree with counting row by row."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from word_sets import word, write_words

from curation.census import Census, count, look
from curation.copies import copies, first_of_each, most_frequent
from curation.core.dataset import Dataset
from curation.core.labels import PROTOCOLS
from curation.core.sample import Sample

LABELS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=30)
HASHES = st.lists(st.integers(0, 4), max_size=40)


def naive(labels: list[str]) -> Census:
    census = Census()
    for label in labels:
        census.lengths[len(label)] += 1
        census.characters.update(label)
        for name, protocol in PROTOCOLS.items():
            if (reason := protocol.normalise(label)[1]) is not None:
                census.fallen[name, reason] += 1
        census.odd["space_around"] += label != label.strip()
        census.odd["control_character"] += not label.isprintable()
    return census


@settings(max_examples=15, deadline=None)
@given(labels=LABELS)
def test_labels(labels: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        dataset = write_words(
            Path(name) / "a", [word(f"a:{i}", label) for i, label in enumerate(labels)], shard_rows=7
        )
        counted, expected = count([dataset, dataset]), naive(2 * labels)
    assert counted.n_rows == 2 * len(labels)
    assert counted.lengths == expected.lengths
    assert counted.characters == expected.characters
    assert counted.fallen == expected.fallen
    assert +counted.odd == +expected.odd


def test_sizes(tmp_path: Path) -> None:
    sizes = [(40, 16), (7, 7), (5, 16), (9_000, 3)]
    words = [
        Sample(uid=f"a:{i}", image=b"", label="a", size=size, source="a", split=split, licence="MIT")
        for i, (size, split) in enumerate(zip(sizes, ["train", "test", "test", "test"], strict=True))
    ]
    counted = count([write_words(tmp_path / "a", words)])
    assert counted.groups == {("a", "train", "MIT"): 1, ("a", "test", "MIT"): 3}
    assert counted.widths == {40: 1, 7: 1, 5: 1, 9_000: 1}
    assert counted.heights == {16: 2, 7: 1, 3: 1}
    assert counted.aspects == {2.5: 1, 1.0: 1, 0.31: 1, 1_000.0: 1}
    assert +counted.odd == {"low": 2, "upright": 1}


@given(values=HASHES, splits=st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_copies(values: list[int], splits: list[int]) -> None:
    rows: dict[int, list[int]] = {}
    for row, value in enumerate(values):
        if value:
            rows.setdefault(value, []).append(row)
    groups = sorted((found for found in rows.values() if len(found) > 1), key=lambda g: (-len(g), g[0]))
    hashes = np.array(values, np.uint64)
    found = copies(hashes, np.array(splits[: len(values)], np.uint8), shown=3)
    assert found.n_groups == len(groups)
    assert found.n_rows == sum(len(group) - 1 for group in groups)
    assert found.n_across == sum(len({splits[row] for row in group}) > 1 for group in groups)
    assert found.largest == tuple((group[0], group[1]) for group in groups[:3])
    assert found.sizes == tuple(len(group) for group in groups[:3])
    kept = [row for row, value in enumerate(values) if not value or rows[value][0] == row]
    assert first_of_each(hashes).tolist() == kept


@given(values=HASHES)
def test_most_frequent(values: list[int]) -> None:
    counts = Counter(values)
    ordered = sorted(((values.index(value), n) for value, n in counts.items()), key=lambda e: (-e[1], e[0]))
    assert most_frequent(np.array(values, np.uint64), 3) == (len(counts), ordered[:3])


@pytest.fixture
def two(tmp_path: Path) -> list[Dataset]:
    def sample(name: str, i: int) -> Sample:
        return Sample(
            uid=f"{name}:{i}", image=b"%d" % (i % 90), label=f"l{i % 9}", size=(9, 9), source=f"s{i % 3}",
            split="train" if i % 2 else "test", dhash128=None if i % 5 else "0" * 32,
        )  # fmt: skip

    return [
        write_words(tmp_path / name, [sample(name, i) for i in range(n)], shard_rows=40)
        for name, n in (("a", 100), ("b", 70))
    ]


def test_look_numbers_rows_over_all_datasets(two: list[Dataset]) -> None:
    seen = look(two, seed=0, per_source=8, most_sources=2)
    assert seen.census == count(two)
    for hashes, expected in (
        (seen.labels, [f"l{i % 9}" for n in (100, 70) for i in range(n)]),
        (seen.bytes, [i % 90 for n in (100, 70) for i in range(n)]),
        (seen.splits, [i % 2 for n in (100, 70) for i in range(n)]),
    ):
        assert [expected.index(e) for e in expected] == [hashes.tolist().index(h) for h in hashes.tolist()]
    assert (seen.alike == 0).tolist() == [bool(i % 5) for n in (100, 70) for i in range(n)]
    assert copies(seen.alike, seen.splits).n_groups == 9
    sources = [f"s{i % 3}" for n in (100, 70) for i in range(n)]
    assert sorted(seen.samples) == ["s0", "s1"]
    for name, rows in seen.samples.items():
        assert len(rows) == 8
        assert {sources[row] for row in rows} == {name}
    again = look(two, seed=0, per_source=8, most_sources=2).samples
    other = look(two, seed=1, per_source=8, most_sources=2).samples
    assert {k: v.tolist() for k, v in again.items()} == {k: v.tolist() for k, v in seen.samples.items()}
    assert other["s0"].tolist() != seen.samples["s0"].tolist()
