"""Cells that are foretold: trained like the others, and read only once the forecast is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from study_tiny import FakeFit, FakeScore, fake_evaluate, lay_out, recipe, run

from curation.core.errors import UserError
from curation.core.files import read_json
from train.study.plan import plan
from train.study.rows import Study
from train.study.running.one_run import Steps

VOLUME = {"kind": "volume", "ratio": 0, "totals": [10, 20, 40]}
SMALL, MIDDLE, LARGEST = "real10-s0", "real20-s0", "real40-s0"


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def fake_forecast(study: Study, held_out: list[str]) -> dict[str, Any]:
    return {"from": [row["run"] for row in study.rows], "of": held_out}


@dataclass(frozen=True)
class Watched:
    """Evaluation that notes of each run whether the forecast was there."""

    seen: list[tuple[str, bool]]

    def __call__(self, folder: Path, tests: Any, *, protocol: str) -> list[FakeScore]:
        self.seen.append((folder.name, (folder.parents[1] / "forecast.json").is_file()))
        return [FakeScore()]


def steps(**changes: Any) -> Steps:
    return replace(Steps(fit=FakeFit(), evaluate=fake_evaluate, forecast=fake_forecast), **changes)


def test_test_words_are_read_after_the_forecast(words: Path) -> None:
    out, seen = words / "out", []
    study = plan(recipe(VOLUME, held_out="largest"), out)
    assert study.held_out == ("real40",)
    result = run(study, out, steps(evaluate=Watched(seen)))
    assert seen == [(SMALL, False), (MIDDLE, False), (LARGEST, True)]
    assert read_json(out / "forecast.json") == {"from": [SMALL, MIDDLE], "of": ["real40"]}
    assert [row["run"] for row in result.rows] == [SMALL, MIDDLE, LARGEST]


def test_whichever_process_is_last_reads_them(words: Path) -> None:
    """As a job array does it: one run a process, the held-out one in the middle."""
    out, seen = words / "out", []
    study, watched = plan(recipe(VOLUME, held_out="largest"), out), steps(evaluate=Watched(seen))
    run(study, out, watched, only=(SMALL,))
    second = run(study, out, watched, only=(LARGEST,))
    assert second.waiting == [LARGEST]
    assert [row["run"] for row in second.rows] == [SMALL]
    last = run(study, out, watched, only=(MIDDLE,))
    assert seen == [(SMALL, False), (MIDDLE, False), (LARGEST, True)]
    assert [row["run"] for row in last.rows] == [SMALL, MIDDLE, LARGEST]
    assert last.waiting == []


def test_a_failed_run_keeps_them_unread(words: Path) -> None:
    out, seen = words / "out", []
    study = plan(recipe(VOLUME, held_out="largest"), out)
    result = run(study, out, steps(fit=FakeFit(broken=(SMALL,)), evaluate=Watched(seen)))
    assert list(result.failed) == [SMALL]
    assert result.waiting == [LARGEST]
    assert not (out / "forecast.json").exists()
    run(study, out, steps(evaluate=Watched(seen)))
    assert seen == [(MIDDLE, False), (SMALL, False), (LARGEST, True)]


def test_the_forecast_is_written_once(words: Path) -> None:
    out = words / "out"
    study = plan(recipe(VOLUME, held_out="largest"), out)
    run(study, out, steps())
    before = (out / "forecast.json").stat()
    (out / "runs" / SMALL / "row.json").unlink()
    run(study, out, steps(forecast=refused))
    assert (out / "forecast.json").stat() == before


def refused(study: Study, held_out: list[str]) -> dict[str, Any]:
    raise UserError("the predictions of real10-s0 are damaged. Restore them.")


def not_a_number(study: Study, held_out: list[str]) -> dict[str, Any]:
    return {"predicted": float("nan")}


@pytest.mark.parametrize(
    ("forecast", "reason"),
    [
        (refused, "the predictions of real10-s0 are damaged. Restore them."),
        (not_a_number, "ValueError: Out of range float values are not JSON compliant"),
    ],
)
def test_no_forecast_no_reading(words: Path, forecast: Any, reason: str) -> None:
    out, told = words / "out", []
    study = plan(recipe(VOLUME, held_out="largest"), out)
    result = run(study, out, steps(forecast=forecast), told)
    assert result.failed["forecast"].startswith(reason)
    assert result.failed["forecast"].endswith(f" (traceback in {out / 'forecast.error.txt'})")
    assert told[-1] == f"forecast failed: {result.failed['forecast']}"
    assert result.waiting == [LARGEST]
    assert not (out / "forecast.json").exists()
    assert run(study, out, steps()).failed == {}
    assert not (out / "forecast.error.txt").exists()


def test_a_forecast_that_is_lost_is_not_made_after_the_fact(words: Path) -> None:
    out = words / "out"
    study = plan(recipe(VOLUME, held_out="largest"), out)
    run(study, out, steps())
    (out / "forecast.json").unlink()
    with pytest.raises(UserError) as refusal:
        run(study, out, steps())
    assert str(refusal.value) == (
        f"{out}/forecast.json is missing, and test words that it foretells have been read, by {LARGEST}. "
        "Restore it, or remove their row.json to have it made of the other cells."
    )


@dataclass(frozen=True)
class Written:
    """Evaluation that leaves predictions, as the real one does, and counts how often it is asked."""

    asked: list[str]

    def __call__(self, folder: Path, tests: list[Path], *, protocol: str) -> list[FakeScore]:
        self.asked.append(folder.name)
        (folder / "predictions").mkdir(exist_ok=True)
        pq.write_table(pa.table({"correct": [True, False]}), folder / "predictions" / "test_a.parquet")
        return [FakeScore()]


@pytest.mark.parametrize(
    ("harm", "asked"),
    [
        (lambda folder: None, []),
        (lambda folder: (folder / "predictions" / "test_a.parquet").unlink(), [SMALL]),
        (lambda folder: (folder / "predictions" / "test_a.parquet").write_text("other"), [SMALL]),
        (lambda folder: (folder / "scores" / "test_a.json").write_text('{"dataset'), [SMALL]),
        (lambda folder: (folder / "scores" / "test_a.json").write_text('{"dataset": "other"}'), [SMALL]),
        (lambda folder: (folder / "model.pt").write_text("other weights"), [SMALL]),
    ],
)
def test_an_evaluation_that_holds_is_not_made_again(words: Path, harm: Any, asked: list[str]) -> None:
    out, counted = words / "out", []
    study = plan(recipe(VOLUME, held_out="largest"), out)
    first = run(study, out, steps(evaluate=Written(counted)))
    assert counted == [SMALL, MIDDLE, LARGEST]
    counted.clear()
    (out / "runs" / SMALL / "row.json").unlink()
    harm(out / "runs" / SMALL)
    again = run(study, out, steps(fit=FakeFit(broken=(SMALL,)), evaluate=Written(counted)))
    assert counted == asked
    assert json.dumps(again.rows) == json.dumps(first.rows)
