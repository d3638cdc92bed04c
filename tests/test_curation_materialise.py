"""Writing the words of a mixture out in their order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
from published_sets import content, failure, run
from word_sets import grey_png, word, write_labels, write_words

from curation import exporting, materialising, spilling
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.materialising import materialise
from curation.mixing import MixRecipe, MixSource, mix
from curation.mixture import Mixture


@pytest.fixture
def mixture(tmp_path: Path) -> Mixture:
    """130 real words, and 60 synthetic ones that come two and a half times: 280 positions."""
    write_labels(tmp_path / "a", 120)
    pictures = [word(f"b:{i}", image=grey_png(i)) for i in range(10)]
    write_words(tmp_path / "b", pictures, shard_rows=4)
    write_labels(tmp_path / "rendered", 60, shard_rows=7)
    sources = (
        MixSource(name="real", paths=(tmp_path / "a", tmp_path / "b")),
        MixSource(name="synthetic", paths=(tmp_path / "rendered",), repeat=2.5),
    )
    mix(MixRecipe(sources=sources), tmp_path / "m")
    return Mixture.open(tmp_path / "m")


def expected(mixture: Mixture, columns: list[str]) -> list[dict[str, Any]]:
    """The words at the positions of one pass, one by one."""
    datasets = mixture.datasets()
    seen: dict[tuple[int, int], int] = {}
    rows = []
    for number, row in zip(*(c.tolist() for c in mixture.positions(0, len(mixture))), strict=True):
        found = datasets[number].take([row], columns)[0]
        time = seen[number, row] = seen.get((number, row), 0) + 1
        rows.append(found | ({"uid": f"{found['uid']}#{time}"} if time > 1 else {}))
    return rows


def test_rows_are_those_of_the_positions_in_order(mixture: Mixture, tmp_path: Path) -> None:
    manifest = materialise(mixture, tmp_path / "out", jobs=1, shard_rows=100)
    dataset = Dataset.open(tmp_path / "out")
    columns = ["uid", "label", "image", "source", "sha256"]
    rows = dataset.table(columns).to_pylist()
    assert rows == expected(mixture, columns)
    assert len({row["uid"] for row in rows}) == len(rows) == 280
    assert sum("#2" in row["uid"] for row in rows) == 60
    assert sum("#3" in row["uid"] for row in rows) == 30
    assert [shard["rows"] for shard in manifest["shards"]] == [100, 100, 80]
    assert (manifest["mixture"], manifest["n_unique"]) == (mixture.fingerprint, 190)
    assert [(s["name"], s["rows"]) for s in manifest["sources"]] == [("a", 120), ("b", 10), ("rendered", 150)]
    assert not list(tmp_path.glob(".*"))


def test_the_bytes_do_not_depend_on_workers_blocks_or_a_break(
    mixture: Mixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    materialise(mixture, tmp_path / "one", jobs=1, shard_rows=90)
    materialise(mixture, tmp_path / "two", jobs=2, shard_rows=90)
    assert content(tmp_path / "two") == content(tmp_path / "one")
    monkeypatch.setattr(spilling, "BLOCK", 1)
    for step in ("spill", "collect"):
        real, calls = getattr(materialising, step), list[int]()

        def dies(*args: Any, real: Any = real, calls: list[int] = calls) -> None:
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            real(*args)

        with monkeypatch.context() as patch:
            patch.setattr(materialising, step, dies)
            with pytest.raises(KeyboardInterrupt):
                materialise(mixture, tmp_path / step, jobs=1, shard_rows=90)
        assert (tmp_path / step / ".build").is_dir()
        materialise(mixture, tmp_path / step, jobs=1, shard_rows=90)
        assert content(tmp_path / step) == content(tmp_path / "one")


def test_as_lmdb(mixture: Mixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise lmdb.DiskError("full")

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "_write", full)
        with pytest.raises(UserError, match="the disk is full"):
            materialise(mixture, tmp_path / "out", jobs=1, format="lmdb")
    assert (tmp_path / ".out.words" / "manifest.json").is_file()  # kept for the next run
    facts = materialise(mixture, tmp_path / "out", jobs=1, format="lmdb")
    assert facts["n_rows"] == 280
    assert not list(tmp_path.glob(".*"))
    with lmdb.open(str(tmp_path / "out"), readonly=True, lock=False) as env, env.begin() as txn:
        assert txn.get(b"num-samples") == b"280"
        for i, row in enumerate(expected(mixture, ["uid", "label", "image"]), 1):
            assert txn.get(b"label-%09d" % i) == row["label"].encode()
            assert txn.get(b"image-%09d" % i) == row["image"]["bytes"]
            assert json.loads(txn.get(b"meta-%09d" % i))["uid"] == row["uid"]


def test_leftovers_of_another_mixture_are_not_mistaken(mixture: Mixture, tmp_path: Path) -> None:
    write_labels(tmp_path / ".out.words", 3)
    with pytest.raises(UserError) as caught:
        materialise(mixture, tmp_path / "out", jobs=1, format="lmdb")
    assert str(caught.value) == (
        f"{tmp_path / '.out.words'} holds the unfinished work of another mixture. "
        "Remove it, or give another name with -o."
    )


def test_existing_output_is_refused(mixture: Mixture, tmp_path: Path) -> None:
    for format_name in ("dataset", "lmdb"):
        for dry in ([], ["--dry-run"]):
            said = failure("materialise", mixture.path, "-o", tmp_path / "a", "--format", format_name, *dry)
            assert said == f"output {tmp_path / 'a'} exists already. Remove it or give another name with -o."


def test_command(mixture: Mixture, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("materialise", mixture.path, "-o", out, "--dry-run").stdout == (
        f"would write 280 words to {out} as a dataset\n"
    )
    assert not out.exists()
    assert run("materialise", mixture.path, "-o", out, "-j", 1).stdout == (
        f"wrote 280 words to {out} as a dataset\n"
    )
    assert len(Dataset.open(out)) == 280


def test_a_dataset_named_by_two_sources(tmp_path: Path) -> None:
    rows = [word(f"{name}:{i}") for name in ("x", "y") for i in range(12)]
    write_words(tmp_path / "xy", rows, shard_rows=5)
    sources = tuple(MixSource(name=n, paths=(tmp_path / "xy",), only=(n,), count=8) for n in "xy")
    mix(MixRecipe(sources=sources), tmp_path / "m")
    materialise(Mixture.open(tmp_path / "m"), tmp_path / "out", jobs=1)
    uids = Dataset.open(tmp_path / "out").table(["uid"])["uid"].to_pylist()
    assert [uid[0] for uid in uids] == ["x", "y"] * 8
    assert len(np.unique(uids)) == 16
