"""Writing a dataset survives being killed, and never mixes two jobs."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from word_sets import word, write_words

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.sample import Reject, Sample

ROOT = Path(__file__).parents[1]
JOB = {"seed": 0, "recipe": {"sizes": (1, 2)}}


def words(shard: int, n: int = 2500) -> list[Sample | Reject]:
    """``n`` words of which every hundredth is rejected."""
    uids = [f"set:{shard}-{i}" for i in range(n)]
    return [word(uid) if i % 100 else Reject(uid=uid, reason="empty") for i, uid in enumerate(uids)]


def write(out: Path, indices: tuple[int, ...] = (0, 1, 2)) -> None:
    shards.start(out, JOB)
    for index in indices:
        if not shards.is_done(out, index):
            shards.write_shard(out, index, words(index))


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, bytes]:
    write(tmp_path / "undisturbed")
    shards.finish(tmp_path / "undisturbed")
    return content(tmp_path / "undisturbed")


def test_finished_folder_holds_nothing_but_the_dataset(undisturbed: dict[str, bytes]) -> None:
    assert list(undisturbed) == [
        "README.md",
        "data/shard-00000.parquet",
        "data/shard-00001.parquet",
        "data/shard-00002.parquet",
        "manifest.json",
        "rejects.parquet",
    ]


def test_row_groups_and_rejects(tmp_path: Path) -> None:
    write(tmp_path / "set", (0,))
    manifest = shards.finish(tmp_path / "set")
    file = pq.ParquetFile(tmp_path / "set" / "data" / "shard-00000.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [1000, 1000, 475]
    assert (manifest["n_rows"], manifest["n_rejected"]) == (2475, 25)
    assert manifest["rejected_by_reason"] == {"empty": 25}
    assert pq.read_table(tmp_path / "set" / "rejects.parquet").to_pylist()[1] == {
        "uid": "set:0-100",
        "reason": "empty",
        "detail": "",
        "duplicate_of": None,
    }


def test_ticks_add_up(tmp_path: Path) -> None:
    ticks: list[int] = []
    shards.start(tmp_path / "set", JOB)
    shards.write_shard(tmp_path / "set", 0, words(0, 130), tick=ticks.append)
    assert sum(ticks) == 130


def test_order_of_the_shards_does_not_matter(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    write(tmp_path / "set", (2, 0, 1))
    shards.finish(tmp_path / "set")
    assert content(tmp_path / "set") == undisturbed


KILLED = """
import os, signal, sys
from pathlib import Path
import test_core_shards as t
from curation.core import shards

def dying():
    yield from t.words(1)[:1700]
    os.kill(os.getpid(), signal.SIGKILL)

out = Path(sys.argv[1])
t.write(out, (0,))
shards.write_shard(out, 1, dying())
"""


def test_killed_in_the_middle_of_a_shard(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    out = tmp_path / "set"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, out], env={**os.environ, "PYTHONPATH": paths}, check=False
    )
    assert killed.returncode == -9
    assert [shards.is_done(out, index) for index in range(3)] == [True, False, False]
    assert not (out / "data" / "shard-00001.parquet").exists()
    assert [record["rows"] for record in shards.completed(out)] == [2475]
    before = (out / "data" / "shard-00000.parquet").stat().st_mtime_ns
    write(out)
    assert (out / "data" / "shard-00000.parquet").stat().st_mtime_ns == before
    shards.finish(out)
    assert content(out) == undisturbed


class Killed(BaseException):
    """Stands for kill -9, in a test that must go on."""


def killed(*args: object, **named: object) -> None:
    raise Killed


def killed_amid_removing(path: Path, ignore_errors: bool = False) -> None:
    """Remove the rejects only, as a run does that is killed then."""
    if path.exists():
        for file in path.rglob("*.rejects.parquet"):
            file.unlink()
        raise Killed


def test_killed_between_finishing_and_clearing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, bytes]
) -> None:
    out = tmp_path / "set"
    write(out)
    with monkeypatch.context() as patch:
        patch.setattr(shards, "remove_folder", killed)
        with pytest.raises(Killed):
            shards.finish(out)
    assert len(Dataset.open(out)) == 3 * 2475
    write(out)
    shards.finish(out)
    assert content(out) == undisturbed


def test_killed_while_clearing_up_loses_no_reject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, bytes]
) -> None:
    out = tmp_path / "set"
    write(out)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed_amid_removing)
        with pytest.raises(Killed):
            shards.finish(out)
    with pytest.raises(UserError, match="exists already"):  # it was finished
        write(out)
    assert content(out) == undisturbed
    assert shards.is_finished(out)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["set", "undisturbed"]


def test_killed_before_the_first_record_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shards, "write_json", killed)
        with pytest.raises(Killed):
            shards.start(tmp_path / "set", JOB)
    assert not (tmp_path / "set").exists()
    write_words(tmp_path / "set", [word("x:1")])
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_error_in_the_middle_of_a_shard_leaves_no_part_of_it(tmp_path: Path) -> None:
    def failing() -> Iterator[Sample | Reject]:
        yield from words(0)[:1700]
        raise UserError("photo 7 is gone. Restore it.")

    shards.start(tmp_path / "set", JOB)
    with pytest.raises(UserError, match=r"^photo 7 is gone"):
        shards.write_shard(tmp_path / "set", 0, failing())
    assert list((tmp_path / "set" / "data").iterdir()) == []
    assert not shards.is_done(tmp_path / "set", 0)


def test_other_jobs_unfinished_work_is_refused(tmp_path: Path) -> None:
    shards.start(tmp_path / "set", JOB)
    shards.start(tmp_path / "set", {"seed": 0, "recipe": {"sizes": [1, 2]}})  # the same, as JSON has it
    with pytest.raises(UserError) as caught:
        shards.start(tmp_path / "set", {**JOB, "seed": 1, "jobs": 2})
    assert str(caught.value) == (
        f"output {tmp_path / 'set'} holds unfinished work that differs in: jobs, seed. "
        "Repeat the command it was begun with, or remove the folder."
    )


@pytest.mark.parametrize("what", ["finished dataset", "other files", "file"])
def test_existing_output_is_refused(what: str, tmp_path: Path) -> None:
    out = tmp_path / "set"
    if what == "finished dataset":
        write(out, (0,))
        shards.finish(out)
    elif what == "other files":
        out.mkdir()
        (out / "thesis.tex").touch()
    else:
        out.touch()
    with pytest.raises(UserError) as caught:
        shards.start(out, JOB)
    assert str(caught.value) == f"output {out} exists already. Remove it or give another name with -o."


@pytest.mark.parametrize(
    ("items", "reasons"),
    [
        ([], "there was none"),
        (
            [Reject(uid=f"x:{i}", reason="empty" if i else "broken_image") for i in range(4)],
            "1 broken_image, 3 empty",
        ),
    ],
)
def test_no_word_at_all(items: list[Reject], reasons: str, tmp_path: Path) -> None:
    shards.start(tmp_path / "set", JOB)
    shards.write_shard(tmp_path / "set", 0, items)
    with pytest.raises(UserError) as caught:
        shards.finish(tmp_path / "set")
    assert str(caught.value) == f"no word to write to {tmp_path / 'set'} ({reasons}). Check the input."
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_keeps_what_was_finished(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, bytes]
) -> None:
    def full(*args: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    out = tmp_path / "set"
    write(out, (0,))
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_batch", full)
        with pytest.raises(UserError) as caught:
            shards.write_shard(out, 1, words(1))
    assert str(caught.value) == (
        f"the disk is full, writing to {out}. Free some space and run the same command again: "
        "it goes on where it stopped."
    )
    assert [path.name for path in (out / "data").iterdir()] == ["shard-00000.parquet"]
    write(out)
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(UserError, match=r"^the disk is full"):
            shards.finish(out)
    shards.finish(out)
    assert content(out) == undisturbed


def test_other_system_errors_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    shards.start(tmp_path / "set", JOB)
    monkeypatch.setattr(pq.ParquetWriter, "write_batch", broken)
    with pytest.raises(OSError, match="Input/output error"):
        shards.write_shard(tmp_path / "set", 0, words(0))


def test_decisions_are_laid_out_by_name_whatever_their_order() -> None:
    into = shards.schema(pa.struct([("size_px", pa.float32()), ("kind", pa.string())]))
    rows = [{"size_px": 1.5, "kind": "a"}, {"kind": "b", "size_px": None}]
    for order in (rows, rows[::-1], rows[1:]):
        samples = [dataclasses.replace(word(f"x:{i}"), render=row) for i, row in enumerate(order)]
        assert shards.to_batch(samples, into).column("render").to_pylist() == order


def test_schema_says_image_to_hugging_face() -> None:
    into = shards.schema(pa.struct([("size_px", pa.float32()), ("box", pa.list_(pa.int32()))]))
    features = json.loads(into.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"dtype": "string", "_type": "Value"}
    assert features["origin_box"] == {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "List"}
    assert features["render"] == {
        "size_px": {"dtype": "float32", "_type": "Value"},
        "box": {"feature": {"dtype": "int32", "_type": "Value"}, "_type": "List"},
    }
