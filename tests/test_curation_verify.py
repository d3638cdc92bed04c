"""``glyphmix verify``: what is damaged is named, and the rest is checked and can be saved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from damage import flip, halve, rewrite_rows, shard
from published_sets import content, failure, numbers, run
from word_sets import grey_png, write_words

from curation.core.dataset import Dataset
from curation.core.fingerprint import dhash128, sha256, sha256_file
from curation.core.images import decode
from curation.core.sample import Reject, Sample

PNGS = [grey_png(level) for level in range(0, 250, 10)]


def sample(i: int) -> Sample:
    png = PNGS[i % len(PNGS)]
    return Sample(
        uid=f"a:{i}", image=png, label=f"word{i}", size=(40, 16), source="a", dhash128=dhash128(decode(png))
    )


def made(out: Path, n: int = 120, shard_rows: int = 50) -> Dataset:
    return write_words(
        out, [*map(sample, range(n)), Reject(uid="a:x", reason="small")], shard_rows=shard_rows
    )


def sums(path: Path, number: int = 0) -> str:
    """How verify puts it that the SHA-256 of a shard is another."""
    stated = json.loads((path / "manifest.json").read_text())["shards"][number]["sha256"]
    return f"its SHA-256 is {sha256_file(shard(path, number))[:16]}, not {stated[:16]}"


def test_whole(tmp_path: Path) -> None:
    a, b = made(tmp_path / "a").path, made(tmp_path / "b", n=7).path
    said = f"{a}: 120 words in 3 shards, whole\n{b}: 7 words in 1 shard, whole\n"
    assert run("verify", "-j", 1, a, b).stdout == said
    assert run("verify", "-j", 1, b, "--quick").stdout == (
        f"{b}: 7 words in 1 shard, whole as far as its shards tell\n"
    )
    assert numbers("verify", "-j", 1, b) == {
        "whole": True,
        "verified": [{"path": str(b), "n_rows": 7, "n_shards": 1, "faults": []}],
    }
    out = tmp_path / "out"
    said = f"{b}: 7 words in 1 shard, whole\nnothing to salvage: {out} is not written\n"
    assert run("verify", "-j", 1, b, "--salvage", out).stdout == said
    assert not out.exists()


def test_damaged_shards_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    a = made(tmp_path / "a", n=220).path
    whole = made(tmp_path / "b", n=7).path
    size = shard(a, 1).stat().st_size
    halve(shard(a, 1))
    shard(a, 2).unlink()
    flip(a, "label", number=3)
    quick = [
        f"{a}: 220 words in 5 shards, DAMAGED",
        f"  data/shard-00001.parquet: {size // 2:,} bytes, not {size:,}",
        "  data/shard-00002.parquet: the file is missing",
        f"  data/shard-00003.parquet: {sums(a, 3)}",
        f"{whole}: 7 words in 1 shard, whole as far as its shards tell",
    ]
    assert run("verify", "-j", 1, a, whole, "--quick", status=1).stdout.splitlines() == quick
    crc = "could not verify page integrity, CRC checksum verification failed for page_ordinal 0"
    footer = (
        "Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file"
    )
    rows = [
        *quick[:2],
        f"  data/shard-00001.parquet, rows 50 to 99: {footer}",
        *quick[2:4],
        f"  data/shard-00003.parquet, row group 0, rows 150 to 199: {crc}",
        f"{whole}: 7 words in 1 shard, whole",
    ]
    assert run("verify", "-j", 1, a, whole, status=1).stdout.splitlines() == rows
    assert run("verify", "-j", 2, a, whole, status=1).stdout.splitlines() == rows
    faults = json.loads(run("verify", "-j", 1, a, "--json", status=1).stdout)["verified"][0]["faults"]
    place = {"shard": "data/shard-00003.parquet", "row_group": 0, "row": 150, "n_rows": 50, "uid": None}
    assert faults[-1] == {"what": crc, **place}


def test_every_row_is_checked(tmp_path: Path) -> None:
    dataset = made(tmp_path / "a")
    other = {"bytes": PNGS[3], "path": None}
    broken = {"bytes": PNGS[0][:60], "path": None}
    rewrite_rows(
        dataset,
        {
            2: {"image": other},
            3: {"image": {"bytes": None, "path": None}},
            5: {"image": broken, "sha256": sha256(PNGS[0][:60])},
            8: {"width": 41},
            13: {"dhash128": "f" * 32},
            14: {"dhash128": "not hexadecimal"},
            21: {"label": " "},
            34: {"uid": None},
            35: {"uid": "a:60"},
        },
    )
    at = "  data/shard-00000.parquet, row"
    assert run("verify", "-j", 1, dataset.path, status=1).stdout.splitlines() == [
        f"{dataset.path}: 120 words in 3 shards, DAMAGED",
        f"{at} 2 (a:2): the image's bytes do not match sha256",
        f"{at} 3 (a:3): it has no image",
        f"{at} 5 (a:5): the image cannot be read: the PNG file is cut short",
        f"{at} 8 (a:8): the image has 40x16 pixels, not 41x16",
        f"{at} 13 (a:13): the image is 128 bits from dhash128",
        f"{at} 14 (a:14): the image is 128 bits from dhash128",
        f"{at} 21 (a:21): it has no label",
        f"{at} 34: it has no uid",
        "  data/shard-00001.parquet, row 60 (a:60): its uid is that of row 35",
    ]
    assert run("verify", "-j", 1, dataset.path, "--quick").stdout.endswith(
        "whole as far as its shards tell\n"
    )


def test_salvage(tmp_path: Path) -> None:
    dataset = made(tmp_path / "a", n=2_200, shard_rows=2_100)
    rewrite_rows(dataset, {7: {"label": None}, 8: {"uid": "a:1"}, 9: {"uid": None, "label": None}})
    flip(dataset.path, "label", group=1)
    done = run("verify", "-j", 1, dataset.path, "--salvage", tmp_path / "out")
    assert done.stdout.splitlines()[-1] == (
        f"wrote 197 words to {tmp_path / 'out'}; left out: 1,000 damaged_row_group, 3 damaged_row"
    ).replace("197", "1,197").replace(
        "1,000 damaged_row_group, 3 damaged_row", "3 damaged_row, 1,000 damaged_row_group"
    )
    saved = Dataset.open(tmp_path / "out")
    rows = [i for i in (*range(1_000), *range(2_000, 2_200)) if i not in (7, 8, 9)]
    assert saved.table(["uid"])["uid"].to_pylist() == [f"a:{i}" for i in rows]
    assert saved.table(["label"])["label"].to_pylist() == [f"word{i}" for i in rows]
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert [(r["uid"], r["reason"], r["detail"]) for r in rejects[:3]] == [
        ("a:7", "damaged_row", "it has no label"),
        ("a:1", "damaged_row", "its uid is that of row 1"),
        ("row 9", "damaged_row", "it has no uid"),
    ]
    assert [r["uid"] for r in rejects[3:]] == [f"a:{i}" for i in range(1_000, 2_000)]
    assert run("verify", "-j", 1, tmp_path / "out").stdout.endswith("whole\n")
    run("verify", "-j", 1, dataset.path, "--salvage", tmp_path / "again")
    assert content(tmp_path / "again") == content(tmp_path / "out")
    assert failure("verify", dataset.path, "-o", tmp_path / "out") == (
        f"output {tmp_path / 'out'} exists already. Remove it or give another name with -o."
    )


def test_salvage_without_its_first_and_a_cut_shard(tmp_path: Path) -> None:
    path = made(tmp_path / "a").path
    shard(path, 0).unlink()
    halve(shard(path, 1))
    facts = numbers("verify", "-j", 1, path, "--salvage", tmp_path / "out")
    assert facts["salvaged"]["rejected_by_reason"] == {"damaged_row_group": 100}
    assert Dataset.open(tmp_path / "out").table(["uid"])["uid"].to_pylist() == [
        f"a:{i}" for i in range(100, 120)
    ]
    assert pq.read_table(tmp_path / "out" / "rejects.parquet")["uid"][51].as_py() == "row 51"


def test_manifest(tmp_path: Path) -> None:
    a, b, c = (made(tmp_path / name, n=3).path for name in "abc")
    (a / "manifest.json").write_text('{"half', encoding="utf-8")
    facts = json.loads((b / "manifest.json").read_text())
    (b / "manifest.json").write_text(
        json.dumps(facts | {"fingerprint": "0" * 64, "n_rows": 4, "n_rejected": 5})
    )
    (c / "rejects.parquet").unlink()
    shutil.copy(shard(c), c / "data" / "more.parquet")
    gone = tmp_path / "gone"
    assert run("verify", "-j", 1, gone, a, b, c, "--quick", status=1).stdout.splitlines() == [
        f"{gone}: nothing, DAMAGED",
        f"  dataset {gone} does not exist. Check the path.",
        f"{a}: nothing, DAMAGED",
        f"  {a / 'manifest.json'} is damaged: Unterminated string starting at: line 1 column 2 (char 1). "
        f"Make the folder {a} anew.",
        f"{b}: 4 words in 1 shard, DAMAGED",
        "  manifest.json: the fingerprint is not that of the shards listed",
        "  manifest.json: n_rows is not the sum of the shards' rows",
        "  rejects.parquet: 1 rejects, not 5",
        f"{c}: 3 words in 1 shard, DAMAGED",
        "  data/more.parquet: manifest.json does not list it, but other readers will read it",
        "  rejects.parquet: the file is missing",
    ]
    del facts["shards"]
    (b / "manifest.json").write_text(json.dumps(facts))
    assert run("verify", "-j", 1, b, status=1).stdout.splitlines()[1] == (
        f"  {b / 'manifest.json'} lacks 'shards'. Restore it, or make the dataset {b} anew."
    )
    assert failure("verify", a, "--salvage", tmp_path / "out") == (
        f"{a} has no dataset to salvage. {a / 'manifest.json'} is damaged: Unterminated string starting at: "
        f"line 1 column 2 (char 1). Make the folder {a} anew."
    )


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    dataset = made(tmp_path / "a", n=30)
    rewrite_rows(dataset, {i: {"label": ""} for i in range(30)})
    lines = run("verify", "-j", 1, dataset.path, status=1).stdout.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 10 more; --json names them all"
    assert (
        len(
            json.loads(run("verify", "-j", 1, dataset.path, "--json", status=1).stdout)["verified"][0][
                "faults"
            ]
        )
        == 30
    )


@pytest.mark.parametrize("args", [("--quick",), ("another",)])
def test_salvage_is_for_all_rows_of_one_dataset(args: tuple[str, ...], tmp_path: Path) -> None:
    odd = "--quick" if args == ("--quick",) else "more than one DATASET"
    assert failure("verify", "a", *args, "-o", tmp_path / "out") == (
        f"--salvage checks every row of one dataset, so it cannot go with {odd}."
    )


def test_jpeg_of_a_drawing_is_near_enough_to_its_hash(tmp_path: Path) -> None:
    near = sample(0)
    bits = f"{int('1' * 29, 2):032x}"
    assert near.dhash128 == "0" * 32
    words = [
        Sample(
            uid=f"a:{i}",
            image=near.image,
            label="a",
            size=(40, 16),
            source="a",
            dhash128=h,
        )
        for i, h in enumerate([bits, f"{int('1' * 33, 2):032x}"])
    ]
    dataset = write_words(tmp_path / "a", words)
    assert run("verify", "-j", 1, dataset.path, status=1).stdout.splitlines()[1:] == [
        "  data/shard-00000.parquet, row 1 (a:1): the image is 33 bits from dhash128"
    ]
