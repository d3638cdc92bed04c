"""Importing what we exported as LMDB gives the same dataset again, to the byte."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import lmdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_sets import content, failure, picture, run, write_lmdb
from test_curation_export import PICTURES, read_like_dtrb, read_like_parseq, words_of

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.fingerprint import dhash128
from curation.core.images import decode, encode_png
from curation.core.rng import stream
from curation.core.sample import Sample
from curation.exporting import export_lmdb
from curation.importers.lmdb_meta import read_meta, write_meta
from curation.sources import sources_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
LABELS = TEXT.filter(str.strip)
PIXELS = st.floats(0, 5_000, width=32)
PICTURE_HASHES = [dhash128(decode(png)) for png in PICTURES]
ROWS = st.fixed_dictionaries(
    {
        "label": LABELS,
        "source": TEXT,
        "split": st.sampled_from(["train", "val", "test"]),
        "licence": TEXT,
        "origin_image": st.none() | TEXT,
        "origin_box": st.none() | st.tuples(PIXELS, PIXELS, PIXELS, PIXELS),
        "origin_polygon": st.none() | st.lists(PIXELS, min_size=8, max_size=8),
        "origin_size": st.none() | st.tuples(st.integers(1, 9_000), st.integers(1, 9_000)),
        "label_published": st.none() | TEXT,
        "word_boxes": st.none() | st.lists(st.lists(PIXELS, min_size=8, max_size=8), max_size=2),
    }
)


def write(out: Path, samples: Sequence[Sample], boxes: Sequence[str] = ()) -> Dataset:
    shards.start(out, {"command": "test"})
    shards.write_shard(out, 0, samples, boxes=boxes)
    shards.finish(out, allow_empty=True)
    return Dataset.open(out)


def there_and_back(dataset: Dataset, folder: Path, shard_rows: int = 1_000_000) -> Dataset:
    export_lmdb(dataset, folder / "lmdb", shard_rows=shard_rows)
    run("import", "lmdb", folder / "lmdb", "-o", folder / "back", "--name", "other", "-j", 1)
    return Dataset.open(folder / "back")


@settings(max_examples=12, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=8), shard_rows=st.integers(1, 9), boxed=st.booleans())
def test_nothing_changes(rows: list[dict[str, object]], shard_rows: int, boxed: bool) -> None:
    boxes = ["word_boxes"] if boxed else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = [
            Sample(
                uid=f"{row['source']}:{i}",
                image=PICTURES[i % 7],
                size=(3 + i % 7, 4),
                dhash128=PICTURE_HASHES[i % 7],
                **row,  # type: ignore[arg-type]
            )
            for i, row in enumerate(rows)
        ]
        dataset = write(folder / "in", samples, boxes)
        back = there_and_back(dataset, folder, shard_rows)
        assert read_like_parseq(folder / "lmdb") == read_like_dtrb(folder / "lmdb") == words_of(dataset)
        names = dataset.schema().names
        assert back.schema().names == names
        assert back.table(names).equals(dataset.table(names))
        assert back.fingerprint == dataset.fingerprint
        assert sources_of(back) == sources_of(dataset)
        export_lmdb(back, folder / "again", shard_rows=shard_rows)
        assert content(folder / "again") == content(folder / "lmdb")


@pytest.mark.parametrize("n_rows", [1, 999, 1000, 1001])
def test_sizes_around_a_row_group_come_back(n_rows: int, tmp_path: Path) -> None:
    same = {"image": PICTURES[0], "size": (3, 4), "source": "t", "dhash128": PICTURE_HASHES[0]}
    samples = [Sample(uid=f"t:{i}", label=f"word {i}", **same) for i in range(n_rows)]  # type: ignore[arg-type]
    dataset = write(tmp_path / "in", samples)
    assert there_and_back(dataset, tmp_path).fingerprint == dataset.fingerprint


def test_no_row_at_all_is_exported_and_refused_by_import(tmp_path: Path) -> None:
    export_lmdb(write(tmp_path / "in", []), tmp_path / "lmdb")
    assert read_like_parseq(tmp_path / "lmdb") == []
    assert failure("import", "lmdb", tmp_path / "lmdb", "-o", tmp_path / "back") == (
        f"{tmp_path / 'lmdb'} holds no word at all. Check that it is the set's annotation."
    )


def test_large_images(tmp_path: Path) -> None:
    large = encode_png(stream(0, "large").integers(0, 256, (1_000, 4_000, 3), np.uint8))
    assert len(large) > 10_000_000
    words = [(large, "large"), (encode_png(picture("small")), "small")]
    src = write_lmdb(tmp_path / "src", words)
    run("import", "lmdb", src, "-o", tmp_path / "in", "-j", 1)
    dataset = Dataset.open(tmp_path / "in")
    assert words_of(there_and_back(dataset, tmp_path)) == words_of(dataset) == words


def test_exports_above_one_another_and_copies(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [Sample(uid="t:1", image=PICTURES[0], label="a", size=(3, 4), source="t")])
    export_lmdb(a, tmp_path / "tree" / "one")
    export_lmdb(a, tmp_path / "tree" / "two")
    write_lmdb(tmp_path / "tree" / "zzz", [(PICTURES[1], "other")])
    run("import", "lmdb", tmp_path / "tree", "-o", tmp_path / "back", "--max-dropped", 0.5, "-j", 1)
    back = Dataset.open(tmp_path / "back")
    assert back.table(["uid", "source"]).to_pylist() == [
        {"uid": "t:1", "source": "t"},
        {"uid": "tree:zzz/000000001", "source": "tree"},
    ]
    assert back.manifest["rejected_by_reason"] == {"repeated_id": 1}


@pytest.mark.parametrize(
    "meta",
    [
        b"",
        b"\xff",
        b"[1]",
        b'{"uid": "x:1"}',
        b'{"glyphmix": 1}',
        b'{"glyphmix": 1, "uid": 5}',
        b'{"glyphmix": 1, "uid": "x:1", "origin_box": "wide"}',
        b"[" * 100_000,
    ],
)
def test_meta_of_others_is_passed_over(meta: bytes, tmp_path: Path) -> None:
    assert read_meta(meta) is None
    write_lmdb(tmp_path / "set", [(PICTURES[0], "word")])
    with lmdb.open(str(tmp_path / "set"), map_size=1 << 26) as env, env.begin(write=True) as txn:
        txn.put(b"meta-000000001", meta)
    run("import", "lmdb", tmp_path / "set", "-o", tmp_path / "out", "-j", 1)
    assert Dataset.open(tmp_path / "out").table(["uid"])["uid"].to_pylist() == ["set:000000001"]


def test_meta_is_json_without_nulls() -> None:
    row = {"uid": "a:1", "source": "a", "origin_box": [1.5, 2, 3, 4], "origin_image": None, "sha256": "0"}
    assert json.loads(write_meta(row)) == {
        "glyphmix": 1, "uid": "a:1", "source": "a", "origin_box": [1.5, 2, 3, 4]
    }  # fmt: skip
    assert read_meta(write_meta(row)) == {"uid": "a:1", "source": "a", "origin_box": [1.5, 2, 3, 4]}


def test_damaged_sidecar(tmp_path: Path) -> None:
    export_lmdb(
        write(tmp_path / "in", [Sample(uid="t:1", image=PICTURES[0], label="a", size=(3, 4), source="t")]),
        tmp_path / "lmdb",
    )
    (tmp_path / "lmdb" / "glyphmix.json").write_text("[]")
    assert failure("import", "lmdb", tmp_path / "lmdb", "-o", tmp_path / "back", "-j", 1) == (
        f"{tmp_path / 'lmdb' / 'glyphmix.json'} is damaged: it holds no object. Remove it, and import again."
    )
