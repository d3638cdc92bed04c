"""``glyphmix verify`` of mixtures, and what other commands make of damage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import flip, halve, rewrite_rows, shard
from published_sets import content, failure, run
from test_curation_verify import PNGS, made, sums

from curation.core.dataset import Dataset
from curation.mixing import MixRecipe, MixSource, mix
from curation.page_checksums import has_page_checksums
from glyphmix import main


def test_mixture(tmp_path: Path) -> None:
    a, b = made(tmp_path / "a").path, made(tmp_path / "b", n=7).path
    sources = (MixSource(name="a", paths=(a,)), MixSource(name="b", paths=(b,)))
    path = tmp_path / "m"
    mix(MixRecipe(sources=sources), path)
    n = json.loads((path / "manifest.json").read_text())["n_positions"]
    whole = [
        f"{path}: {n} positions, whole",
        f"{a}: 120 words in 3 shards, whole",
        f"{b}: 7 words in 1 shard, whole",
    ]
    assert run("verify", "-j", 1, path).stdout.splitlines() == whole
    assert run("verify", "-j", 1, path, a).stdout.splitlines() == whole
    kept = (path / "selection.parquet").read_bytes()
    table = pq.read_table(path / "selection.parquet")
    pq.write_table(table.slice(1), path / "selection.parquet")
    assert run("verify", "-j", 1, path, status=1).stdout.splitlines()[:2] == [
        f"{path}: {n} positions, DAMAGED",
        "  the fingerprint is not that of the selection and its datasets",
    ]
    beyond = table.set_column(table.column_names.index("row"), "row", [[10**6] * len(table)])
    pq.write_table(beyond, path / "selection.parquet")
    assert run("verify", "-j", 1, path, status=1).stdout.splitlines()[1] == (
        f"  selection.parquet: {n} positions name a row that their dataset does not have"
    )
    halve(path / "selection.parquet")
    flip(a, "label", number=1)
    shutil.rmtree(b)
    assert run("verify", "-j", 1, path, status=1).stdout.splitlines() == [
        f"{path}: {n} positions, DAMAGED",
        f"  dataset {b} does not exist. Check the path.",
        "  selection.parquet: the file is damaged",
        f"{a}: 120 words in 3 shards, DAMAGED",
        f"  data/shard-00001.parquet: {sums(a, 1)}",
        "  data/shard-00001.parquet, row group 0, rows 50 to 99: could not verify page integrity, "
        "CRC checksum verification failed for page_ordinal 0",
    ]
    (path / "selection.parquet").write_bytes(kept)
    rewrite_rows(Dataset.open(made(tmp_path / "c", n=7).path), {})
    (tmp_path / "c").rename(b)
    assert (
        run("verify", "-j", 1, path, status=1)
        .stdout.splitlines()[1]
        .startswith(f"  dataset {b} has changed since: its fingerprint is ")
    )


@pytest.mark.parametrize("command", [("export", "lmdb"), ("inspect",)])
def test_other_commands_name_the_way_out(command: tuple[str, ...], tmp_path: Path) -> None:
    path = made(tmp_path / "a").path
    file = flip(path, "label")
    out = tmp_path / "out.png"
    assert failure(*command, path, "-o", out) == (
        f"{file} is damaged: could not verify page integrity, CRC checksum verification failed for "
        f"page_ordinal 0. Restore it, make the dataset {path} anew, or save what is whole: "
        f"'glyphmix verify {path} --salvage OUT'."
    )
    assert not out.exists()
    run("verify", "-j", 1, path, "--salvage", tmp_path / "saved")
    run(*command, tmp_path / "saved", "-o", out)


def test_export_of_a_row_that_is_not_its_own_names_it(tmp_path: Path) -> None:
    dataset = made(tmp_path / "a")
    rewrite_rows(dataset, {7: {"image": {"bytes": PNGS[0], "path": None}}}, number=1)
    assert failure("export", "lmdb", dataset.path, "-o", tmp_path / "out") == (
        f"dataset {dataset.path} is damaged: the image of row 57 (a:57) does not match its SHA-256. "
        f"{dataset.way_out}"
    )
    assert not (tmp_path / "out").exists()


def test_a_damaged_shard_is_not_published(tmp_path: Path) -> None:
    dataset = made(tmp_path / "a")
    file = flip(dataset.path, "label", number=1)
    assert failure("export", "hub", dataset.path, "-o", tmp_path / "out") == (
        f"{file} is damaged: {sums(dataset.path, 1)}. {dataset.way_out}"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("checksums", [False, True])
def test_pages_without_checksums_are_told_of(checksums: bool, tmp_path: Path) -> None:
    path = made(tmp_path / "a", n=30).path
    table = pq.read_table(shard(path))
    pq.write_table(table, shard(path), write_page_checksum=checksums)  # others' writers leave them out
    assert has_page_checksums(shard(path)) is checksums
    told = "  data/shard-00000.parquet: its pages have no checksums, so a damaged label may look whole"
    assert (told in run("verify", "-j", 1, path, status=1).stdout.splitlines()) is not checksums


def test_a_file_without_rows_has_no_page_to_check(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "empty.parquet")
    assert has_page_checksums(tmp_path / "empty.parquet")


def test_a_column_by_a_damaged_name_is_told_of(tmp_path: Path) -> None:
    dataset = made(tmp_path / "a", n=30)
    table = pq.read_table(shard(dataset.path))
    names = [name.replace("origin_size", "origin_sizd") for name in table.column_names]
    pq.write_table(table.rename_columns(names), shard(dataset.path), write_page_checksum=True)
    told = run("verify", "-j", 1, dataset.path, "--salvage", tmp_path / "out").stdout.splitlines()
    assert "  data/shard-00000.parquet: it has columns that are none of ours: 'origin_sizd'" in told
    columns = dataset.schema(damaged=True).names
    assert "origin_sizd" not in columns
    saved = Dataset.open(tmp_path / "out")
    assert len(saved) == 30
    assert saved.schema().names == [*names[: names.index("origin_sizd")], "origin_size", "label_published"]


def test_salvage_goes_on_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = made(tmp_path / "a")
    flip(dataset.path, "label")
    command = ("verify", "-j", 1, dataset.path, "--salvage")
    run(*command, tmp_path / "at once")
    with monkeypatch.context() as patched:
        patched.setattr("curation.rewriting.history_of", lambda datasets: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            main([*map(str, command), str(tmp_path / "out")], standalone_mode=False)
    assert not (tmp_path / "out" / "manifest.json").exists()
    run(*command, tmp_path / "out")
    assert content(tmp_path / "out") == content(tmp_path / "at once")
    assert failure(*command, tmp_path / "out") == (
        f"output {tmp_path / 'out'} exists already. Remove it or give another name with -o."
    )
