"""A dataset is read back as it was written, by us and by others."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import flip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from word_sets import grey_png, word, write_labels, write_words

from curation.core import shards
from curation.core.dataset import Damage, Dataset
from curation.core.errors import UserError
from curation.core.sample import Reject, Sample
from curation.core.schema import BASE

EVERYTHING = Sample(
    uid="svt:7",
    image=grey_png(7),
    label="naïve 日本",
    size=(40, 16),
    source="svt",
    split="test",
    licence="CC-BY-4.0",
    dhash128="0" * 32,
    origin_image="photos/7.jpg",
    origin_box=(1.5, 2.0, 40.0, 16.0),
    origin_polygon=(1.5, 2.0, 41.5, 2.0, 41.5, 18.0, 1.5, 18.0),
    origin_size=(640, 480),
    label_published="naïve 日本 €",
)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """2,600 words in shards of 1,200, 0 and 1,400, so that row groups and shards end at odd places."""
    out = tmp_path_factory.mktemp("sets") / "numbered"
    words = [word(f"numbered:{i}", str(i)) for i in range(2600)]
    shards.start(out, {})
    for index, part in enumerate((words[:1200], [], words[1200:])):
        shards.write_shard(out, index, part)
    shards.finish(out)
    return Dataset.open(out)


def failure(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        Dataset.open(path)
    return str(caught.value)


def labels(batches: list[pa.RecordBatch]) -> list[int]:
    return [int(label) for batch in batches for label in batch["label"].to_pylist()]


def test_every_column_comes_back(tmp_path: Path) -> None:
    dataset = write_words(tmp_path / "set", [EVERYTHING, word("x:1")])
    columns = [name for name, _ in BASE]
    full, bare = dataset.take([0, 1], columns)
    assert full == {
        "image": {"bytes": EVERYTHING.image, "path": None},
        "label": "naïve 日本",
        "uid": "svt:7",
        "source": "svt",
        "split": "test",
        "licence": "CC-BY-4.0",
        "width": 40,
        "height": 16,
        "sha256": hashlib.sha256(EVERYTHING.image).hexdigest(),
        "dhash128": "0" * 32,
        "origin_image": "photos/7.jpg",
        "origin_box": [1.5, 2.0, 40.0, 16.0],
        "origin_polygon": [1.5, 2.0, 41.5, 2.0, 41.5, 18.0, 1.5, 18.0],
        "origin_size": [640, 480],
        "label_published": "naïve 日本 €",
    }
    assert (bare["split"], bare["licence"], bare["dhash128"], bare["origin_box"]) == (
        "train",
        "unknown",
        None,
        None,
    )


def test_rendered_words_keep_their_decisions(tmp_path: Path) -> None:
    decisions = {"font": "Lato", "size_px": 32.5, "colour": [1, 2, 3]}
    into = pa.struct([("font", pa.string()), ("size_px", pa.float32()), ("colour", pa.list_(pa.uint8()))])
    shards.start(tmp_path / "set", {})
    words = [dataclasses.replace(EVERYTHING, render=decisions)]
    shards.write_shard(tmp_path / "set", 0, words, render=into)
    shards.finish(tmp_path / "set")
    assert Dataset.open(tmp_path / "set").take([0], ["render"]) == [{"render": decisions}]


def test_scan_gives_all_rows_in_order(numbered: Dataset) -> None:
    batches = list(numbered.scan(["label"]))
    assert labels(batches) == list(range(2600))
    assert [len(batch) for batch in batches] == [1000, 200, 1000, 400]


@pytest.mark.parametrize("span", [(0, 1), (999, 1001), (1199, 1201), (1200, 2600), (5, 5), (2599, 9999)])
def test_scan_gives_a_span(span: tuple[int, int], numbered: Dataset) -> None:
    batches = list(numbered.scan(["label"], start=span[0], stop=span[1]))
    assert labels(batches) == list(range(span[0], min(span[1], 2600)))


def test_tables_and_table_give_whole_columns(numbered: Dataset) -> None:
    assert [len(table) for table in numbered.tables(["uid", "label"])] == [1200, 0, 1400]
    table = numbered.table(["uid", "label"])
    assert table.column_names == ["uid", "label"]
    assert table["uid"].to_pylist() == [f"numbered:{i}" for i in range(2600)]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(st.integers(0, 2599), max_size=30))
def test_take_gives_rows_in_the_order_asked_for(rows: list[int], numbered: Dataset) -> None:
    assert numbered.take(rows, ["label", "uid"]) == [{"label": str(r), "uid": f"numbered:{r}"} for r in rows]


def test_take_accepts_arrays(numbered: Dataset) -> None:
    assert numbered.take(np.array([2599, 1200], np.uint32), ["label"]) == [
        {"label": "2599"},
        {"label": "1200"},
    ]


@pytest.mark.parametrize("row", [-1, 2600])
def test_take_out_of_range(row: int, numbered: Dataset) -> None:
    with pytest.raises(IndexError, match=r"^rows -?\d+ to \d+ of a dataset of 2600$"):
        numbered.take([3, row], ["label"])


def test_zero_rows(tmp_path: Path) -> None:
    for name, parts in (("one empty shard", 1), ("no shard", 0)):
        shards.start(tmp_path / name, {})
        for index in range(parts):
            shards.write_shard(tmp_path / name, index, [Reject(uid="x:1", reason="empty")])
        shards.finish(tmp_path / name, allow_empty=True)
        dataset = Dataset.open(tmp_path / name)
        assert len(dataset) == 0
        assert list(dataset.scan(["label"])) == []
        assert dataset.take([], ["label"]) == []
        assert len(dataset.table(["label", "uid"])) == 0


def test_fingerprint_follows_the_content(tmp_path: Path) -> None:
    same = [write_labels(tmp_path / place / "set", ["a", "b"]).fingerprint for place in ("x", "y")]
    other = write_labels(tmp_path / "z" / "set", ["a", "c"]).fingerprint
    assert same[0] == same[1] != other


LOAD = """
import sys, datasets
data = datasets.load_dataset(sys.argv[1], split="train", cache_dir=sys.argv[2])
print(len(data), type(data[1]["image"]).__name__, data[1]["image"].size, data[1]["image"].getpixel((0, 0)))
print(data[1]["label"], data[1]["origin_box"], data.features["image"])
"""


def test_hugging_face_datasets_opens_the_folder(tmp_path: Path) -> None:
    write_words(tmp_path / "set", [word("x:1", image=grey_png(1)), EVERYTHING])
    offline = {
        **os.environ,
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, tmp_path / "set", tmp_path / "cache"],
        capture_output=True,
        text=True,
        env=offline,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "2 PngImageFile (40, 16) (7, 7, 7)",
        "naïve 日本 [1.5, 2.0, 40.0, 16.0] Image(mode=None, decode=True)",
    ], done.stderr


def test_any_parquet_reader_finds_the_picture(tmp_path: Path) -> None:
    write_words(tmp_path / "set", [EVERYTHING])
    table = pq.read_table(tmp_path / "set" / "data" / "shard-00000.parquet")
    assert Image.open(io.BytesIO(table["image"][0]["bytes"].as_py())).size == (40, 16)


def test_what_is_no_dataset(tmp_path: Path) -> None:
    assert failure(tmp_path / "gone") == f"dataset {tmp_path / 'gone'} does not exist. Check the path."
    (tmp_path / "file").touch()
    assert failure(tmp_path / "file") == (
        f"dataset {tmp_path / 'file'} is a file, not a folder. Check the path."
    )
    (tmp_path / "empty").mkdir()
    assert failure(tmp_path / "empty") == (
        f"{tmp_path / 'empty'} is no glyphmix dataset: it has no manifest.json. "
        "Make one with 'import' or 'render'."
    )
    shards.start(tmp_path / "begun", {})
    assert failure(tmp_path / "begun") == (
        f"dataset {tmp_path / 'begun'} is unfinished. Run the command that makes it again: it resumes."
    )


def test_another_kind_or_format(tmp_path: Path) -> None:
    path = write_labels(tmp_path / "set", 3).path
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    (path / "manifest.json").write_text(json.dumps(manifest | {"kind": "mixture"}))
    assert failure(path) == f"{path} holds a mixture, not a dataset. Give the folder of a dataset."
    (path / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    assert failure(path) == f"{path} has format 99; this glyphmix reads up to 1. Update it."


def test_shard_missing_or_cut_short(tmp_path: Path) -> None:
    dataset = write_labels(tmp_path / "set", 100)
    second = dataset.path / "data" / "shard-00001.parquet"
    message = f"{second} is missing or cut short. {dataset.way_out}"
    second.write_bytes(second.read_bytes()[:-1])
    assert failure(dataset.path) == message
    second.unlink()
    assert failure(dataset.path) == message
    with pytest.raises(UserError) as caught:
        dataset.take([60], ["label"])
    assert str(caught.value) == f"{second} is missing. {dataset.way_out}"


@pytest.mark.parametrize("how", ["take", "scan", "table"])
@pytest.mark.parametrize("where", ["footer", "pages"])
def test_damaged_shard_is_named(where: str, how: str, tmp_path: Path) -> None:
    dataset = write_labels(tmp_path / "set", 100)
    second = dataset.path / "data" / "shard-00001.parquet"
    data = bytearray(second.read_bytes())
    span = slice(len(data) - 60, len(data)) if where == "footer" else slice(4, len(data) // 3)
    data[span] = bytes(len(data[span]))
    second.write_bytes(data)
    read = {
        "take": lambda: dataset.take([60], ["label"]),
        "scan": lambda: list(dataset.scan(["label"])),
        "table": lambda: dataset.table(["label"]),
    }[how]
    with pytest.raises(UserError) as caught:
        read()
    assert str(caught.value).startswith(f"{second} is damaged: ")
    assert str(caught.value).endswith(f". {dataset.way_out}")


def test_rows_that_cannot_be_read_can_be_passed_over(tmp_path: Path) -> None:
    dataset = write_labels(tmp_path / "set", 4_500, shard_rows=2_500)
    second = dataset.path / "data" / "shard-00001.parquet"
    flip(dataset.path, "label", group=1)
    second.write_bytes(second.read_bytes()[:-5])
    lost: list[Damage] = []
    opened = Dataset.open(dataset.path, damaged=True)
    batches = list(opened.scan(["label"], start=10, stop=4_000, damaged=lost.append))
    assert [len(batch) for batch in batches] == [990, 500]
    assert [(d.shard, d.group, d.first, d.n_rows) for d in lost] == [
        ("data/shard-00000.parquet", 1, 1_000, 1_000),
        ("data/shard-00001.parquet", None, 2_500, 1_500),
    ]
    assert "crc" in lost[0].fault.lower()
    assert opened.schema(damaged=True) == dataset.schema()
    with pytest.raises(UserError, match=r"shard-00000.parquet is damaged: "):
        list(opened.scan(["label"]))
    second.unlink()
    lost.clear()
    list(opened.scan(["label"], start=3_000, damaged=lost.append))
    assert [d.fault for d in lost] == ["the file is missing"]


def test_another_programs_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        Dataset.open(tmp_path)
    assert str(caught.value) == f"{tmp_path} holds a None, not a dataset. Give the folder of a dataset."
