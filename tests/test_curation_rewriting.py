"""Making a dataset out of others, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import flip
from word_sets import word, write_labels, write_words

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.sample import Reject
from curation.rewriting import Verdicts, rewrite


@dataclass(frozen=True)
class EveryThird:
    """Drops the rows whose number divides by three, and mends the label ``word4``."""

    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        rows = np.arange(first, first + len(batch))
        keep = rows % 3 > 0
        uids, labels = batch["uid"].to_pylist(), batch["label"].to_pylist()
        rejects = [Reject(uid=uids[i], reason="third", duplicate_of=uids[0]) for i in np.flatnonzero(~keep)]
        mended = {i: "four" for i, label in enumerate(labels) if label == "word4"}
        return Verdicts(keep=keep, rejects=rejects, labels=mended)


def content(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def made(out: Path, datasets: Sequence[Dataset], jobs: int = 1) -> Dataset:
    rewrite(datasets, out, lambda number: EveryThird(), {"command": "test"}, jobs=jobs, what="test")
    return Dataset.open(out)


def test_rows_are_copied_dropped_and_mended(tmp_path: Path) -> None:
    first = write_labels(tmp_path / "a", 120)
    second = write_labels(tmp_path / "b", 7)
    dataset = made(tmp_path / "out", [first, second])
    rows = [f"a:{i}" for i in range(120) if i % 3] + [f"b:{i}" for i in range(7) if i % 3]
    table = dataset.table(["uid", "label", "label_published"])
    assert table["uid"].to_pylist() == rows
    mended = [row for row in table.to_pylist() if row["label_published"]]
    assert mended == [
        {"uid": f"{name}:4", "label": "four", "label_published": "word4"} for name in ("a", "b")
    ]
    assert dataset.manifest["rejected_by_reason"] == {"third": 43}
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert rejects[1] == {"uid": "a:3", "reason": "third", "detail": "", "duplicate_of": "a:0"}


def test_the_bytes_do_not_depend_on_workers_or_a_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = [write_labels(tmp_path / "a", 170)]
    made(tmp_path / "one", datasets)
    made(tmp_path / "two", datasets, jobs=2)
    assert dict(content(tmp_path / "two")) == dict(content(tmp_path / "one"))

    judge = EveryThird.judge

    def dies(self: EveryThird, batch: pa.RecordBatch, first: int) -> Verdicts:
        if first >= 100:
            raise KeyboardInterrupt
        return judge(self, batch, first)

    with monkeypatch.context() as patch:
        patch.setattr(EveryThird, "judge", dies)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path / "broken", datasets)
    assert [shards.is_done(tmp_path / "broken", index) for index in range(4)] == [True, True, False, False]
    made(tmp_path / "broken", datasets)
    assert dict(content(tmp_path / "broken")) == dict(content(tmp_path / "one"))


def test_row_groups_are_filled_up_again(tmp_path: Path) -> None:
    made(tmp_path / "out", [write_labels(tmp_path / "a", 3_100, shard_rows=3_100)])
    file = pq.ParquetFile(tmp_path / "out" / "data" / "shard-00000.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [1000, 1000, 66]


def test_columns_that_one_dataset_lacks_are_null(tmp_path: Path) -> None:
    plain = write_labels(tmp_path / "plain", 5)
    into = pa.struct([("angle_deg", pa.float32())])
    shards.start(tmp_path / "drawn", {})
    row = word("drawn:0")
    shards.write_shard(
        tmp_path / "drawn",
        0,
        [
            type(row)(
                **{k: getattr(row, k) for k in ("uid", "image", "label", "size", "source")},
                render={"angle_deg": i},
            )
            for i in (1.0, 2.0)
        ],
        render=into,
    )
    shards.finish(tmp_path / "drawn")
    both = made(tmp_path / "out", [plain, Dataset.open(tmp_path / "drawn")])
    assert both.table(["render"])["render"].to_pylist() == [None] * 3 + [{"angle_deg": 2.0}]


def test_columns_of_different_kinds_are_refused(tmp_path: Path) -> None:
    plain = write_words(tmp_path / "plain", [word("a:1")])
    path = tmp_path / "plain" / "data" / "shard-00000.parquet"
    table = pq.read_table(path)
    (tmp_path / "other" / "data").mkdir(parents=True)
    odd = table.set_column(6, "width", pa.array([[1]], pa.list_(pa.int32())))
    pq.write_table(odd, tmp_path / "other" / "data" / "shard-00000.parquet")
    text = (tmp_path / "plain" / "manifest.json").read_text()
    size = (tmp_path / "other" / "data" / "shard-00000.parquet").stat().st_size
    (tmp_path / "other" / "manifest.json").write_text(
        text.replace(f'"bytes": {path.stat().st_size}', f'"bytes": {size}')
    )
    with pytest.raises(UserError, match=r"cannot be brought together: .*width.* Keep them apart"):
        made(tmp_path / "out", [plain, Dataset.open(tmp_path / "other")])


@dataclass(frozen=True)
class KeepsAll:
    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        assert batch["uid"][0].as_py().endswith(f":{first}")  # numbers go on after what is passed over
        return Verdicts(keep=np.ones(len(batch), bool))


@pytest.mark.parametrize("column", ["label", "uid"])
def test_what_cannot_be_read_is_passed_over_if_told(column: str, tmp_path: Path) -> None:
    dataset = write_labels(tmp_path / "a", 3_500, shard_rows=2_500)
    flip(dataset.path, column, group=1)
    rewrite(
        [dataset], tmp_path / "out", lambda number: KeepsAll(), {}, jobs=1, what="test", salvage=True
    )  # fmt: skip
    made = Dataset.open(tmp_path / "out")
    whole = [*range(1_000), *range(2_000, 3_500)]
    assert made.table(["uid"])["uid"].to_pylist() == [f"a:{i}" for i in whole]
    assert made.manifest["rejected_by_reason"] == {"damaged_row_group": 1_000}
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert rejects[5]["uid"] == ("a:1005" if column == "label" else "row 1005")
    assert "crc" in rejects[5]["detail"].lower()
    with pytest.raises(UserError, match="is damaged: "):
        rewrite([dataset], tmp_path / "other", lambda number: KeepsAll(), {}, jobs=1, what="test")
