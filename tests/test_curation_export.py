"""LMDB export, read back the way PARSeq and DTRB read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import lmdb
import pytest
from published_sets import failure, numbers, picture, run, write_tsv

from curation import exporting
from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.images import encode_png
from curation.core.sample import Sample
from curation.exporting import export_lmdb

PICTURES = [encode_png(picture(str(i), (3 + i, 4))) for i in range(7)]
Words = list[tuple[bytes, str]]


def make_dataset(out: Path, labels: Sequence[str], shard_rows: int = 10_000) -> Dataset:
    shards.start(out, {"command": "test"})
    samples = [
        Sample(uid=f"t:{i}", image=PICTURES[i % 7], label=label, size=(3 + i % 7, 4), source="t")
        for i, label in enumerate(labels)
    ]
    for index, start in enumerate(range(0, len(samples), shard_rows)):
        shards.write_shard(out, index, samples[start : start + shard_rows])
    shards.finish(out, allow_empty=True)
    return Dataset.open(out)


def words_of(dataset: Dataset) -> Words:
    rows = dataset.take(range(len(dataset)), ["image", "label"])
    return [(row["image"]["bytes"], row["label"]) for row in rows]


def read_like_parseq(root: Path) -> Words:
    """strhub/data/dataset.py: ``build_tree_dataset`` and ``LmdbDataset``, without its label filters."""
    words: Words = []
    for mdb in sorted(root.glob("**/data.mdb")):
        with (
            lmdb.open(
                str(mdb.parent), max_readers=1, readonly=True, create=False,
                readahead=False, meminit=False, lock=False,
            ) as env,
            env.begin() as txn,
        ):  # fmt: skip
            num_samples = int(txn.get(b"num-samples"))
            for index in range(num_samples):
                label = txn.get(f"label-{index + 1:09d}".encode()).decode()
                words.append((txn.get(f"image-{index + 1:09d}".encode()), label))
    return words


def read_like_dtrb(root: Path) -> Words:
    """dataset.py: ``hierarchical_dataset`` takes folders without folders; ``LmdbDataset`` reads each."""
    words: Words = []
    for folder in sorted(p for p in [root, *root.rglob("*")] if p.is_dir()):
        if any(p.is_dir() for p in folder.iterdir()):
            continue
        with (
            lmdb.open(
                str(folder), max_readers=32, readonly=True, lock=False, readahead=False, meminit=False
            ) as env,
            env.begin(write=False) as txn,
        ):
            n_samples = int(txn.get(b"num-samples"))
            for index in range(1, n_samples + 1):
                label = txn.get(b"label-%09d" % index).decode("utf-8")
                words.append((txn.get(b"image-%09d" % index), label))
    return words


@pytest.mark.parametrize("n_rows", [0, 1, 999, 1000, 1001])
def test_sizes_around_a_row_group(n_rows: int, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "in", [f"word {i}" for i in range(n_rows)])
    facts = export_lmdb(dataset, tmp_path / "out")
    assert facts["folders"] == ["."]
    assert (tmp_path / "out" / "data.mdb").is_file()
    assert read_like_parseq(tmp_path / "out") == read_like_dtrb(tmp_path / "out") == words_of(dataset)


def test_keys_are_these_and_no_others(tmp_path: Path) -> None:
    export_lmdb(make_dataset(tmp_path / "in", ["one", "two"]), tmp_path / "out")
    meta = b'{"glyphmix":1,"uid":"t:%d","source":"t","split":"train","licence":"unknown"}'
    with lmdb.open(str(tmp_path / "out"), readonly=True, lock=False) as env, env.begin() as txn:
        assert list(txn.cursor()) == [
            (b"image-000000001", PICTURES[0]),
            (b"image-000000002", PICTURES[1]),
            (b"label-000000001", b"one"),
            (b"label-000000002", b"two"),
            (b"meta-000000001", meta % 0),
            (b"meta-000000002", meta % 1),
            (b"num-samples", b"2"),
        ]


def test_sizes_for_openocr(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "in", ["one", "two"])
    run("export", "lmdb", dataset.path, "-o", tmp_path / "out", "--sizes")
    with lmdb.open(str(tmp_path / "out"), readonly=True, lock=False) as env, env.begin() as txn:
        assert [txn.get(b"wh-00000000%d" % i) for i in (1, 2)] == [b"3_4", b"4_4"]
        assert txn.get(b"num-samples") == b"2"
    run("import", "lmdb", tmp_path / "out", "-o", tmp_path / "back", "-j", 1)
    assert words_of(Dataset.open(tmp_path / "back")) == words_of(dataset)
    assert read_like_parseq(tmp_path / "out") == read_like_dtrb(tmp_path / "out") == words_of(dataset)


def test_parts_are_numbered_from_one_each(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "in", [str(i) for i in range(25)], shard_rows=7)
    printed = numbers("export", "lmdb", tmp_path / "in", "-o", tmp_path / "out", "--shard-rows", 10)
    folders = ["00000", "00001", "00002"]
    facts = {
        "kind": "lmdb",
        "n_rows": 25,
        "folders": folders,
        "dataset_fingerprint": dataset.fingerprint,
        "boxes": [],
        "sources": [
            {
                "name": "t",
                "licence": "unknown",
                "url": "",
                "citation": "",
                "rows": 25,
                "splits": {"train": 25},
            }
        ],
    }
    assert printed == facts
    assert json.loads((tmp_path / "out" / "glyphmix.json").read_text()) == facts
    assert read_like_parseq(tmp_path / "out") == read_like_dtrb(tmp_path / "out") == words_of(dataset)
    assert [len(read_like_parseq(tmp_path / "out" / name)) for name in folders] == [10, 10, 5]


def test_exactly_full_parts(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "in", ["a"] * 20)
    assert export_lmdb(dataset, tmp_path / "one", shard_rows=20)["folders"] == ["."]
    assert export_lmdb(dataset, tmp_path / "two", shard_rows=10)["folders"] == ["00000", "00001"]


def test_map_grows_when_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MAP_SIZE", 1 << 15)
    dataset = make_dataset(tmp_path / "in", ["a" * 5000] * 100)
    export_lmdb(dataset, tmp_path / "out")
    assert read_like_parseq(tmp_path / "out") == words_of(dataset)


def test_failed_export_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(tmp_path / "in", ["a", "b"])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "_labels", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_lmdb(dataset, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dataset(tmp_path / "in", ["a"])

    def full(*_: object) -> None:
        raise lmdb.DiskError("mdb_txn_commit: No space left on device")

    monkeypatch.setattr(exporting, "_put", full)
    assert failure("export", "lmdb", tmp_path / "in", "-o", tmp_path / "out") == (
        f"the disk is full, writing to {tmp_path / 'out'}. Free some space and run it again."
    )
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_leftovers_of_a_killed_export_are_in_nobodys_way(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "in", ["a", "b"])
    draft = tmp_path / ".out.tmp"
    draft.mkdir()
    (draft / "data.mdb").write_bytes(b"half")
    export_lmdb(dataset, tmp_path / "out")
    assert read_like_parseq(tmp_path / "out") == words_of(dataset)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


def test_what_is_printed(tmp_path: Path) -> None:
    make_dataset(tmp_path / "in", ["a", "b"])
    out = tmp_path / "new" / "out"
    args = ("export", "lmdb", tmp_path / "in", "-o", out)
    assert run(*args, "--dry-run").stdout == f"would write 2 words to {out} as 1 LMDB\n"
    assert not out.parent.exists()
    assert run(*args, "--dry-run", "--shard-rows", 1).stdout == f"would write 2 words to {out} as 2 LMDBs\n"
    assert run(*args).stdout == f"wrote 2 words to {out} as 1 LMDB\n"
    assert failure(*args) == f"output {out} exists already. Remove it or give another name with -o."


def test_errors(tmp_path: Path) -> None:
    make_dataset(tmp_path / "in", ["a"])
    out = tmp_path / "out"
    assert failure("export", "lmbd", tmp_path / "in", "-o", out) == (
        "unknown format 'lmbd'. Did you mean 'lmdb'?"
    )
    assert failure("export", "lmdb", tmp_path / "gone", "-o", out) == (
        f"dataset {tmp_path / 'gone'} does not exist. Check the path."
    )
    file = write_tsv(tmp_path / "set", {"a.png": "a"})
    assert failure("export", "lmdb", file.parent, "-o", out) == (
        f"{file.parent} is no glyphmix dataset: it has no manifest.json. Make one with 'import' or 'render'."
    )
    assert failure("export", "lmdb", tmp_path / "in", "-o", file / "out") == (
        f"cannot use {file / 'out'}: Not a directory. Check the path."
    )
    assert not out.exists()


def test_export_refuses_an_existing_output(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "in", ["a"])
    with pytest.raises(UserError, match="exists already"):
        export_lmdb(dataset, tmp_path / "in")
