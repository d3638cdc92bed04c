from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from measured_words import measured
from test_curation_inspect_page import sample

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from train.evaluation.slices import refuse_unknown, slice_by


def groups(by: str, *sets: object) -> list[tuple[str, int, int]]:
    return [(g.name, g.n, g.n_correct) for g in slice_by(by, sets).groups]  # type: ignore[arg-type]


def test_by_length_every_value_is_a_group(tmp_path: Path) -> None:
    one = measured(tmp_path / "one", ["a", "bb", "cc"], ["a", "bb", "x"])
    other = measured(tmp_path / "other", ["d" * 20], ["d"])
    assert groups("length", one, other) == [("1", 1, 1), ("2", 2, 1), ("20", 1, 0)]
    (first, *_) = slice_by("length", [one]).groups
    assert (first.least, first.greatest, first.accuracy, first.one_minus_ned) == (1, 1, 1.0, 1.0)


def test_texts_by_frequency_and_the_rare_together(tmp_path: Path) -> None:
    one = measured(tmp_path / "one", ["a", "b"], ["a", "b"])
    other = measured(tmp_path / "other", ["c"], ["x"])
    assert groups("set", one, other) == [("one", 2, 2), ("other", 1, 0)]
    assert groups("source", one, other) == [("one", 2, 2), ("other", 1, 0)]
    labels = [f"w{i}" for i in range(25)]
    many = measured(tmp_path / "many", labels, labels)
    found = groups("label", many)
    assert len(found) == 21
    assert found[0] == ("w0", 1, 1)
    assert found[-1] == ("5 others", 5, 5)


def test_numbers_go_into_bins_of_equally_many_words(tmp_path: Path) -> None:
    labels = [f"w{i}" for i in range(100)]
    one = measured(tmp_path / "one", labels, labels)
    path = tmp_path / "wide"
    shards.start(path, {})
    shards.write_shard(path, 0, [sample(i, size=(10 + i, 20), label=f"w{i}") for i in range(100)])
    shards.finish(path)
    wide = type(one)(score=one.score, dataset=Dataset.open(path), rows=one.rows, table=one.table)
    assert groups("width", wide) == [(f"{least} to {least + 19}", 20, 20) for least in (10, 30, 50, 70, 90)]
    assert groups("aspect", wide)[0] == ("0.5 to 1.45", 20, 20)
    assert groups("size", wide)[-1] == ("1800 to 2180", 20, 20)
    assert groups("height", wide) == [("20", 100, 100)]


def test_rows_that_took_no_part_do_not_shift_the_others(tmp_path: Path) -> None:
    one = measured(tmp_path / "one", ["a", "b", "c"], ["a", "x", "c"])
    score = replace(one.score, n_used=2)
    part = type(one)(score=score, dataset=one.dataset, rows=one.rows[1:], table=one.table.slice(1))
    assert groups("label", part) == [("b", 1, 0), ("c", 1, 1)]


class TestRendered:
    @pytest.fixture
    def drawn(self, tmp_path: Path) -> Dataset:
        path = tmp_path / "drawn"
        shards.start(path, {})
        render = [{"font": "Ubuntu" if i else "Lato", "size": 1.5 * i, "fill": [i]} for i in range(4)]
        kind = pa.struct([("font", pa.string()), ("size", pa.float32()), ("fill", pa.list_(pa.int32()))])
        words = [sample(i, render=r, label="abcd"[i]) for i, r in enumerate(render)]
        shards.write_shard(path, 0, words, render=kind)
        shards.finish(path)
        return Dataset.open(path)

    def test_decisions_of_the_renderer_are_columns(self, drawn: Dataset, tmp_path: Path) -> None:
        one = measured(tmp_path / "one", list("abcd"), list("abcx"))
        made = type(one)(score=one.score, dataset=drawn, rows=one.rows, table=one.table)
        assert groups("render.font", made) == [("Ubuntu", 3, 2), ("Lato", 1, 1)]
        assert groups("render.size", made) == [("0", 1, 1), ("1.5", 1, 1), ("3", 1, 1), ("4.5", 1, 0)]
        assert groups("render.size", made, one)[-1] == ("no such column", 4, 3)
        assert groups("render.font", made, one)[-1] == ("no such column", 4, 3)

    def test_great_numbers(self, tmp_path: Path) -> None:
        path = tmp_path / "great"
        shards.start(path, {})
        render = [{"seed": 2**60 + i * 2**40, "area": 1_234_567 + i} for i in range(2)]
        kind = pa.struct([("seed", pa.int64()), ("area", pa.int64())])
        words = [sample(i, render=r, label="ab"[i]) for i, r in enumerate(render)]
        shards.write_shard(path, 0, words, render=kind)
        shards.finish(path)
        one = measured(tmp_path / "one", ["a", "b"], ["a", "b"])
        great = type(one)(score=one.score, dataset=Dataset.open(path), rows=one.rows, table=one.table)
        assert groups("render.area", great) == [("1234567", 1, 1), ("1234568", 1, 1)]
        assert [(n, right) for _, n, right in groups("render.seed", great)] == [(1, 1), (1, 1)]

    def test_unknown_columns(self, drawn: Dataset) -> None:
        refuse_unknown(["render.font", "length", "source"], [drawn])
        for name, message in {
            "lenght": "unknown column 'lenght' in --by. Did you mean 'length' or 'height'?",
            "sourced": "unknown column 'sourced' in --by. Did you mean 'source'?",
            "render.fill": "column render.fill holds no single values. Give --by another column.",
            "origin_box": "column origin_box holds no single values. Give --by another column.",
        }.items():
            with pytest.raises(UserError) as error:
                refuse_unknown([name], [drawn])
            assert str(error.value) == message
