"""``glyphmix export hub``: what the Hub, ``datasets`` and Croissant make of the folder."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from damage import flip, shard
from published_sets import content, failure, numbers, run
from word_sets import grey_png, write_words

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.sample import Reject, Sample
from curation.hub import export_hub
from curation.licences import NONE, OWN_TERMS, asks, hub_names, roll_up
from curation.sources import sources_of


def sample(i: int, split: str = "train", **options: Any) -> Sample:
    fields = {"source": "a", "licence": "CC-BY-4.0", **options}
    return Sample(uid=f"a:{i}", image=grey_png(i), label=f"word {i} ñ|", size=(40, 16), split=split, **fields)


@pytest.fixture
def mixed(tmp_path: Path) -> Dataset:
    """30 train words, then 20 of three splits and two sources, then 10 test words."""
    splits = ["train"] * 30 + ["train", "val"] * 8 + ["test"] * 4 + ["test"] * 10
    words = [sample(i, split, origin_box=(1, 2, 3, i)) for i, split in enumerate(splits)]
    words[31] = sample(31, "val", source="b", licence="unknown")
    path = tmp_path / "mixed"
    shards.start(
        path, {"command": "import", "name": "a", "licence": "CC-BY-4.0", "citation": "Ann: A|B. 2020"}
    )
    for index, part in enumerate([words[:30], words[30:50], words[50:]]):
        shards.write_shard(path, index, [*part, Reject(uid=f"a:x{index}", reason="broken_image")])
    shards.finish(path)
    return Dataset.open(path)


def load(folder: Path, split: str, tmp_path: Path) -> Any:
    import datasets

    return datasets.load_dataset(str(folder), split=split, cache_dir=str(tmp_path / "cache"))


def test_files_by_split(mixed: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "hub"
    done = run("export", "hub", mixed.path, "-o", out)
    assert done.stdout == f"wrote 60 words to {out} as 5 Parquet files (train 38, validation 8, test 14)\n"
    assert sorted(path.name for path in (out / "data").iterdir()) == [
        "test-00000-of-00002.parquet",
        "test-00001-of-00002.parquet",
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
        "validation-00000-of-00001.parquet",
    ]
    linked = out / "data" / "train-00000-of-00002.parquet"
    assert linked.stat().st_ino == shard(mixed.path, 0).stat().st_ino
    assert run("verify", "-j", 1, out).stdout == f"{out}: 60 words in 5 shards, whole\n"
    by_split = {row["uid"]: row for row in Dataset.open(out).table(["uid", "split", "label"]).to_pylist()}
    assert by_split == {row["uid"]: row for row in mixed.table(["uid", "split", "label"]).to_pylist()}
    again = tmp_path / "again" / "hub"
    export_hub(mixed, again)
    assert content(again) == content(out)


def test_datasets_opens_it_split_by_split(mixed: Dataset, tmp_path: Path) -> None:
    export_hub(mixed, tmp_path / "hub")
    for split, n in (("train", 38), ("validation", 8), ("test", 14)):
        words = load(tmp_path / "hub", split, tmp_path)
        assert len(words) == n
        assert {word["split"] for word in words} == {"val" if split == "validation" else split}
        assert words[0]["image"].size == (40, 16)
    assert words.column_names == mixed.schema().names


@pytest.mark.parametrize(("split", "name"), [("train", "train"), ("val", "validation"), ("test", "test")])
def test_datasets_opens_our_own_folder(split: str, name: str, tmp_path: Path) -> None:
    shards.start(tmp_path / "set", {"split": split})
    shards.write_shard(tmp_path / "set", 0, [sample(i, split) for i in range(3)])
    shards.finish(tmp_path / "set")
    words = load(tmp_path / "set", name, tmp_path)
    assert [word["label"] for word in words] == [f"word {i} ñ|" for i in range(3)]


def test_front_matter(mixed: Dataset, tmp_path: Path) -> None:
    export_hub(mixed, tmp_path / "hub")
    front = yaml.safe_load((tmp_path / "hub" / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    features = front["dataset_info"].pop("features")
    assert features[0] == {"name": "image", "dtype": "image"}
    assert [feature["name"] for feature in features] == mixed.schema().names
    data = tmp_path / "hub" / "data"
    sizes = {
        split: sum(path.stat().st_size for path in data.glob(f"{split}-*"))
        for split in ("train", "validation", "test")
    }
    assert front == {
        "pretty_name": "hub",
        "license": ["cc-by-4.0", "unknown"],
        "task_categories": ["image-to-text"],
        "tags": ["ocr", "scene-text-recognition", "word-images"],
        "size_categories": ["n<1K"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*.parquet"}
                    for split in ("train", "validation", "test")
                ],
            }
        ],
        "dataset_info": {
            "splits": [
                {"name": "train", "num_bytes": sizes["train"], "num_examples": 38},
                {"name": "validation", "num_bytes": sizes["validation"], "num_examples": 8},
                {"name": "test", "num_bytes": sizes["test"], "num_examples": 14},
            ],
            "download_size": sum(sizes.values()),
            "dataset_size": sum(sizes.values()),
        },
    }


def test_datasets_has_nothing_against_the_front_matter(
    mixed: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    export_hub(mixed, tmp_path / "hub")
    monkeypatch.setattr(logging.getLogger("datasets"), "propagate", True)
    told = datasets.load_dataset_builder(str(tmp_path / "hub"), cache_dir=str(tmp_path / "cache")).info.splits
    assert {name: split.num_examples for name, split in told.items()} == {
        "train": 38, "validation": 8, "test": 14,
    }  # fmt: skip
    assert caplog.messages == []


def test_card(mixed: Dataset, tmp_path: Path) -> None:
    export_hub(mixed, tmp_path / "hub")
    card = (tmp_path / "hub" / "README.md").read_text(encoding="utf-8")
    said = card.partition("\n# hub\n")[2]
    assert said.startswith("\n60 cropped word images with their transcriptions, from 2 sources: a, b.\n")
    for line in (
        "| a | 59 | test 14, train 38, val 7 | CC-BY-4.0 | not stated |",
        "| b | 1 | val 1 | unknown | not stated |",
        "| **unknown** | 1 | b | no licence stated, so nothing is granted; ask the publisher |",
        "| CC-BY-4.0 | 59 | a | name the authors |",
        "| `origin_box` | list&lt;float> | Left, top, width, height in that photo, in pixels. |",
        "| 1 | a | broken_image | 3 |",
        "- Ann: A\\|B. 2020",
        "- Nothing is known of whom to cite for: b.",
        "hf upload USER/NAME hub . --repo-type dataset",
        'words = load_dataset("hub", split="train")  # this folder, or USER/NAME once it is on the Hub',
    ):
        assert f"\n{line}\n" in said, line
    assert f"| 1 | `glyphmix import` | a | 60 | 3 |  | `{mixed.fingerprint[:16]}` |" in said
    assert "allows, in bold (1 words): no licence stated, so nothing is granted; ask the publisher." in said


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning:rdflib")
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:Warning:mlcroissant")
@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_croissant(split: str, mixed: Dataset, tmp_path: Path) -> None:
    import mlcroissant

    export_hub(mixed, tmp_path / "hub")
    path = tmp_path / "hub" / "croissant.json"
    opened = mlcroissant.Dataset(jsonld=str(path))
    issues = opened.metadata.issues
    assert issues.errors == set()
    assert [text.partition("] ")[2] for text in issues.warnings] == [
        'Property "https://schema.org/datePublished" is recommended, but does not exist.'
    ]
    rows = pq.read_table(
        tmp_path / "hub" / "data", filters=[("split", "==", "val" if split[0] == "v" else split)]
    )
    records = list(opened.records(split))
    assert [r[f"{split}/uid"].decode() for r in records] == rows["uid"].to_pylist()
    assert [r[f"{split}/label"].decode() for r in records] == rows["label"].to_pylist()
    assert records[0][f"{split}/image"].size == (40, 16)
    assert list(records[-1][f"{split}/origin_box"]) == rows["origin_box"].to_pylist()[-1]


def test_croissant_says_what_the_manifest_says(mixed: Dataset, tmp_path: Path) -> None:
    manifest = export_hub(mixed, tmp_path / "hub")
    told = json.loads((tmp_path / "hub" / "croissant.json").read_text(encoding="utf-8"))
    files = [one for one in told["distribution"] if one["@type"] == "cr:FileObject"]
    assert [(f["contentUrl"], f["sha256"], f["contentSize"]) for f in files] == [
        (s["file"], s["sha256"], f"{s['bytes']} B") for s in manifest["shards"]
    ]
    assert told["license"] == ["unknown", "https://spdx.org/licenses/CC-BY-4.0.html"]
    assert told["citeAs"] == "Ann: A|B. 2020"
    assert told["identifier"] == f"sha256:{manifest['fingerprint']}"
    assert manifest["sources"] == sources_of(mixed)


def test_copies_where_links_cannot_be(
    mixed: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuses)
    export_hub(mixed, tmp_path / "hub")
    copied = tmp_path / "hub" / "data" / "train-00000-of-00002.parquet"
    assert copied.read_bytes() == shard(mixed.path, 0).read_bytes()
    assert copied.stat().st_ino != shard(mixed.path, 0).stat().st_ino


def test_dry_run_and_errors(mixed: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "new" / "hub"
    args = ("export", "hub", mixed.path, "-o", out)
    assert numbers(*args, "--dry-run") == {
        "n_rows": 60,
        "splits": {
            "train": {"files": 2, "rows": 38},
            "validation": {"files": 1, "rows": 8},
            "test": {"files": 2, "rows": 14},
        },
    }
    assert not out.parent.exists()
    odd = write_words(tmp_path / "odd", [sample(1, "my split")])
    assert failure("export", "hub", odd.path, "-o", out) == (
        f"dataset {odd.path} has the split 'my split', a name that the Hub refuses. "
        "Import it again with --split train, val or test."
    )
    none = write_words(tmp_path / "none", [])
    assert failure("export", "hub", none.path, "-o", out) == (
        f"dataset {none.path} has no words. Export one that has."
    )
    damaged = flip(mixed.path, "label", number=1)
    said = failure(*args)
    assert said.startswith(f"{damaged} is damaged: ")
    assert said.endswith(mixed.way_out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("licence", "asked"),
    [
        ("CC0-1.0", "nothing"),
        ("CC-BY-4.0", "name the authors"),
        ("MIT", "name the authors"),
        ("CC-BY-SA-4.0", "name the authors, share alike"),
        ("rendered; fonts, words and photos as listed with them", "name the authors, share alike"),
        ("CC-BY-ND-4.0", "pass on unchanged only"),
        ("CC-BY-NC-SA-4.0", "no commercial use"),
        ("non-commercial use, as the authors told Baek et al.", "no commercial use"),
        ("no explicit licence; non-commercial use only", "no commercial use"),
        ("the publisher's terms", OWN_TERMS),
        ("its 14 sources' own: CC-BY-4.0, non-commercial, unknown", NONE),
        ("no explicit licence", NONE),
        ("unknown", NONE),
        ("", NONE),
    ],
)
def test_what_licences_ask(licence: str, asked: str) -> None:
    assert asks(licence) == asked


def test_strictest_licences_come_first() -> None:
    names = ["MIT", "CC-BY-NC-4.0", "research only", "CC0-1.0"]
    found = roll_up([{"name": name, "licence": name, "rows": 5, "splits": {}} for name in names])
    assert [one.name for one in found] == ["CC-BY-NC-4.0", "research only", "MIT", "CC0-1.0"]
    assert [one.name for one in found if one.strictest] == ["CC-BY-NC-4.0", "research only"]
    assert hub_names(found) == ["cc-by-nc-4.0", "cc0-1.0", "mit", "other"]
