"""Datasets of the Hugging Face library, and our own: they come in as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from published_sets import content, failure, picture, run, write_png
from word_sets import write_words

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.images import encode_jpeg, encode_png
from curation.core.sample import Reject, Sample

PICTURES = [encode_png(picture("a")), encode_jpeg(picture("b")), encode_png(picture("c"))]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test may see what another, or the user, has prepared, nor ask the network."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    yield
    datasets.enable_progress_bars()


def table(n: int = 3, image: str = "image", label: str = "text") -> datasets.Dataset:
    rows = {
        image: [{"bytes": PICTURES[i], "path": None} for i in range(n)],
        label: [f"né {i}" for i in range(n)],
    }
    features = datasets.Features({image: datasets.Image(), label: datasets.Value("string")})
    return datasets.Dataset.from_dict(rows, features=features)


def words(out: Path) -> list[tuple[str, str, bytes]]:
    dataset = Dataset.open(out)
    rows = dataset.take(range(len(dataset)), ["uid", "label", "image"])
    return [(row["uid"], row["label"], row["image"]["bytes"]) for row in rows]


THREE = [(f"hf:{i:09d}", f"né {i}", PICTURES[i]) for i in range(3)]


def test_saved_to_disk_with_and_without_splits(tmp_path: Path) -> None:
    table().save_to_disk(tmp_path / "one")
    run("import", "hf", tmp_path / "one", "-o", tmp_path / "a", "--name", "hf", "-j", 1)
    assert words(tmp_path / "a") == THREE
    parts = datasets.DatasetDict({"train": table(1), "validation": table(2), "extra": table(3)})
    parts.save_to_disk(tmp_path / "many")
    run("import", "hf", tmp_path / "many", "-o", tmp_path / "b", "--name", "hf", "--split", "val")
    assert words(tmp_path / "b") == THREE[:2]
    run("import", "hf", tmp_path / "many", "-o", tmp_path / "c", "--name", "hf", "--option", "part=extra")
    assert words(tmp_path / "c") == THREE
    assert failure("import", "hf", tmp_path / "many", "-o", tmp_path / "d", "--split", "test") == (
        f"{tmp_path / 'many'} has no split 'test', only 'train', 'validation', 'extra'. "
        "Give --option part=NAME."
    )


def test_folder_of_parquet(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    table().to_parquet(tmp_path / "p" / "train-00000-of-00001.parquet")
    run("import", "hf", tmp_path / "p", "-o", tmp_path / "out", "--name", "hf")
    assert words(tmp_path / "out") == THREE


def test_folder_of_pictures(tmp_path: Path) -> None:
    data = [write_png(tmp_path / "p" / f"{i}.png") for i in range(2)]
    lines = [{"file_name": "0.png", "text": "zero"}, {"file_name": "1.png", "text": "one"}]
    (tmp_path / "p" / "metadata.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    run("import", "hf", tmp_path / "p", "-o", tmp_path / "out", "--name", "hf")
    assert words(tmp_path / "out") == [("hf:000000000", "zero", data[0]), ("hf:000000001", "one", data[1])]


def test_classes_are_labels_and_columns_can_be_chosen(tmp_path: Path) -> None:
    features = datasets.Features(
        {
            "crop": datasets.Image(),
            "photo": datasets.Image(),
            "word": datasets.ClassLabel(names=["stop", "go"]),
            "who": datasets.Value("string"),
        }
    )
    images = [{"bytes": data, "path": None} for data in PICTURES]
    rows: dict[str, list[Any]] = {
        "crop": images,
        "photo": images[::-1],
        "word": [1, 0, None],
        "who": ["x", "y", "z"],
    }
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "d")
    assert failure("import", "hf", tmp_path / "d", "-o", tmp_path / "out") == (
        f"{tmp_path / 'd'}: 'crop', 'photo' may be the image. Say which with --option image=NAME."
    )
    chosen = ("--option", "image=photo", "--name", "hf", "--max-dropped", "0.4")
    run("import", "hf", tmp_path / "d", "-o", tmp_path / "out", *chosen)
    assert words(tmp_path / "out") == [
        ("hf:000000000", "go", PICTURES[2]),
        ("hf:000000001", "stop", PICTURES[1]),
    ]
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {"missing_label": 1}


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    def error(src: object) -> str:
        return failure("import", "hf", src, "-o", tmp_path / "out")

    datasets.Dataset.from_dict({"a": ["x"], "b": [1]}).save_to_disk(tmp_path / "d")
    assert error(tmp_path / "d") == (
        f"{tmp_path / 'd'} has no column of pictures, only 'a', 'b'. Cast one with datasets.Image()."
    )
    assert error(tmp_path / "gone") == (
        f"folder {tmp_path / 'gone'} does not exist. Give the folder of a dataset, or a name on the Hub."
    )
    (tmp_path / "file").write_text("x")
    assert error(tmp_path / "file") == (
        f"{tmp_path / 'file'} is a file, not a folder. Give the folder of a dataset, or a name on the Hub."
    )
    (tmp_path / "d" / "state.json").write_text("{")
    assert error(tmp_path / "d") == (
        f"{tmp_path / 'd'} cannot be opened as a Hugging Face dataset: Expecting property name enclosed in "
        "double quotes: line 1 column 2 (char 1). "
        "Check the folder or name, and the network if it is on the Hub."
    )


def ours(out: Path) -> Dataset:
    items: list[Sample | Reject] = [
        Sample(
            uid=f"{source}:{i}",
            image=PICTURES[i],
            label=f"né {i}",
            size=(40, 16),
            source=source,
            split="test",
            licence="CC-BY-4.0",
            origin_image="openimages:0001c8fbfb30d3a6",
            origin_box=(1.5, 2, 3, 4),
            origin_size=(100, 80),
            label_published="n",
        )
        for i, source in enumerate(("art", "art", "svt"))
    ]
    return write_words(out, [*items, Reject(uid="art:9", reason="illegible")], shard_rows=2)


def test_a_dataset_of_ours_stays_as_it_is(tmp_path: Path) -> None:
    dataset = ours(tmp_path / "ours")
    run("import", "dataset", tmp_path / "ours", "-o", tmp_path / "again")
    names = [name for name in dataset.schema().names if name != "dhash128"]  # the test's own words lack it
    again = Dataset.open(tmp_path / "again")
    assert again.table(names).equals(dataset.table(names))
    run("export", "hub", tmp_path / "again", "-o", tmp_path / "hub")
    run("import", "dataset", tmp_path / "hub", "-o", tmp_path / "third")
    third = Dataset.open(tmp_path / "third")
    assert third.fingerprint == again.fingerprint
    assert third.manifest["sources"] == again.manifest["sources"]
    assert [(s["name"], s["licence"], s["rows"]) for s in third.manifest["sources"]] == [
        ("art", "CC-BY-4.0", 2),
        ("svt", "CC-BY-4.0", 1),
    ]


def test_lmdb_and_back_changes_nothing(tmp_path: Path) -> None:
    ours(tmp_path / "ours")
    run("import", "dataset", tmp_path / "ours", "-o", tmp_path / "a")
    run("export", "lmdb", tmp_path / "a", "-o", tmp_path / "lmdb")
    run("import", "lmdb", tmp_path / "lmdb", "-o", tmp_path / "b")
    shards_of = [content(tmp_path / name / "data") for name in ("a", "b")]
    assert shards_of[0] == shards_of[1]


def test_rendered_words_keep_how_they_were_drawn(tmp_path: Path) -> None:
    import pyarrow as pa

    render = pa.struct([("font", pa.string()), ("size_px", pa.float64())])
    shards.start(tmp_path / "r", {"recipe": "r"})
    boxes = [[1.0, 1, 9, 1, 9, 9, 1, 9]]
    items = [
        Sample(
            uid=f"r:{i}",
            image=PICTURES[0],
            label=f"w{i}",
            size=(40, 16),
            source="r",
            word_boxes=boxes,
            render={"font": f"f{i}", "size_px": i + 0.5},
        )
        for i in range(3)
    ]
    shards.write_shard(tmp_path / "r", 0, items, render=render, boxes=["word_boxes"])
    shards.finish(tmp_path / "r")
    run("import", "dataset", tmp_path / "r", "-o", tmp_path / "again", "-j", 1)
    found = Dataset.open(tmp_path / "again").table(["uid", "render", "word_boxes"])
    assert found.equals(Dataset.open(tmp_path / "r").table(["uid", "render", "word_boxes"]))


def test_a_class_that_nobody_has_given_is_no_label(tmp_path: Path) -> None:
    features = datasets.Features({"image": datasets.Image(), "word": datasets.ClassLabel(names=["a", "b"])})
    images = [{"bytes": data, "path": None} for data in PICTURES]
    rows: dict[str, list[Any]] = {"image": images, "word": [1, -1, 0]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "d")
    run("import", "hf", tmp_path / "d", "-o", tmp_path / "out", "--name", "hf", "--max-dropped", "0.4")
    assert [word[:2] for word in words(tmp_path / "out")] == [("hf:000000000", "b"), ("hf:000000002", "a")]
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {"missing_label": 1}


def test_pictures_elsewhere_are_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    inside = write_png(tmp_path / "p" / "1.png")
    write_png(tmp_path / "other.png")
    paths = ["1.png", str(tmp_path / "p" / "1.png"), str(tmp_path / "other.png"), "../other.png"]
    rows = [{"image": {"bytes": None, "path": path}, "text": "x"} for path in paths]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    hints = {
        "info": {"features": {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}}
    }
    schema = pa.schema([("image", kind), ("text", pa.string())], {"huggingface": json.dumps(hints)})
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "p" / "train-00000-of-00001.parquet")
    run("import", "hf", tmp_path / "p", "-o", tmp_path / "out", "--max-dropped", 0.5, "--name", "hf")
    assert words(tmp_path / "out") == [(f"hf:{i:09d}", "x", inside) for i in range(2)]
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert [(row["reason"], row["detail"]) for row in rejects] == [
        ("broken_image", f"the path {path!r} leads out of {tmp_path / 'p'}") for path in paths[2:]
    ]
