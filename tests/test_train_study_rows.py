"""Rows on disk: what is damaged, strange or another study's is said in a sentence, and never counted."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_tiny import TINY, FakeFit, FakeScore, fake_evaluate, fake_steps, forked, lay_out, recipe, run, toml

import glyphmix
from curation.core.errors import UserError
from curation.core.files import read_json
from train.study.plan import plan
from train.study.rows import read_rows
from train.study.running.one_run import Steps

__all__ = ["forked"]
R0, R1 = "real40-s0", "real40-rendered40-s0"
TWO = {"kind": "fixed_real", "ratios": [0, 1]}
ANEW = "run ablate again: it only evaluates anew."


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def begun(out: Path) -> Any:
    """A study of two runs, both finished."""
    study = plan(recipe(TWO), out)
    run(study, out, fake_steps())
    return study


def refused(study: Any, out: Path) -> str:
    with pytest.raises(UserError) as refusal:
        run(study, out, fake_steps())
    return str(refusal.value)


@pytest.mark.parametrize("text", ["", '{"run": ', "[]", '{"run": "real40-s0"}'])
def test_a_damaged_row(words: Path, text: str) -> None:
    study, file = begun(words / "out"), words / "out" / "runs" / R0 / "row.json"
    file.write_text(text)
    assert refused(study, words / "out") == f"{file} is damaged. Remove it and {ANEW}"


def test_a_row_with_a_metric_that_is_no_number(words: Path) -> None:
    study, file = begun(words / "out"), words / "out" / "runs" / R0 / "row.json"
    file.write_text(json.dumps({**read_json(file), "tests": [{"accuracy": float("nan")}]}))
    assert refused(study, words / "out") == f"{file} is damaged. Remove it and {ANEW}"


def test_a_row_of_no_run_of_the_study(words: Path) -> None:
    study, runs = begun(words / "out"), words / "out" / "runs"
    shutil.copytree(runs / R0, runs / "real99-s0")
    assert refused(study, words / "out") == (
        f"{runs}/real99-s0/row.json is the row of no run of this study. Remove the folder runs/real99-s0."
    )


def test_a_row_of_another_run(words: Path) -> None:
    study, runs = begun(words / "out"), words / "out" / "runs"
    shutil.copy(runs / R0 / "row.json", runs / R1 / "row.json")
    assert refused(study, words / "out") == (
        f"{runs / R1 / 'row.json'} is the row of {R0}. Remove the folder runs/{R1} and run ablate again."
    )


def test_a_row_of_another_study(words: Path) -> None:
    study, other = begun(words / "out"), words / "other"
    run(plan(recipe(TWO, train={**TINY, "steps": 13}), other), other, fake_steps())
    file = words / "out" / "runs" / R0 / "row.json"
    shutil.copy(other / "runs" / R0 / "row.json", file)
    assert refused(study, words / "out") == (
        f"{file} is of another study: its recipe or datasets are not those of {words / 'out'}. "
        f"Remove the folder runs/{R0} and run ablate again."
    )


def test_rows_are_written_whole_and_in_the_order_of_the_grid(words: Path) -> None:
    study, out = begun(words / "out"), words / "out"
    before = (out / "runs.jsonl").read_bytes()
    for text in (before[:100], b"", b"something else\n", before + before):
        (out / "runs.jsonl").write_bytes(text)
        run(study, out, fake_steps(broken=(R0, R1)))
        assert (out / "runs.jsonl").read_bytes() == before
    assert [row["run"] for row in read_rows(out / "runs.jsonl")] == [R0, R1]


def nothing_read(folder: Path, tests: Any, *, protocol: str) -> list[FakeScore]:
    return [FakeScore(accuracy=float("nan"))]


def test_a_metric_that_is_no_number_fails_its_run(words: Path) -> None:
    out = words / "out"
    result = run(plan(recipe(TWO), out), out, Steps(fit=FakeFit(), evaluate=nothing_read))
    assert result.failed[R0] == (
        f"run {R0} has no number for tests.0.accuracy. Remove {out / 'runs' / R0 / 'predictions'} and {ANEW} "
        f"(traceback in {out / 'runs' / R0}.error.txt)"
    )
    assert result.rows == []


def test_a_run_that_was_trained_otherwise(words: Path) -> None:
    study, out = begun(words / "out"), words / "out"
    folder = out / "runs" / R0
    record = read_json(folder / "run.json")
    record["recipe"]["steps"], record["recipe"]["threads"], record["seed"] = 13, 2, 1
    record["mixture"]["fingerprint"] = "other"
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "row.json").unlink()
    told = run(study, out, fake_steps()).failed[R0].partition(" (traceback")[0]
    assert told == (
        f"run {folder} is not trained as this study trains it: it differs in steps, threads, seed, mixture. "
        "Remove it and run ablate again."
    )


def test_a_mixture_that_is_another(words: Path) -> None:
    study, out = begun(words / "out"), words / "out"
    shutil.rmtree(out / "runs" / R0)
    shutil.rmtree(out / "mixtures" / R0)
    shutil.copytree(out / "mixtures" / R1, out / "mixtures" / R0)
    assert (
        run(study, out, fake_steps())
        .failed[R0]
        .startswith(
            f"mixture {out / 'mixtures' / R0} is not the one that this study makes: it differs in sources. "
            "Remove it and run ablate again."
        )
    )


def test_runs_trained_beforehand_are_taken_over(words: Path) -> None:
    """Their folders lie where the study would make them; their rows are those that it would have."""
    before, out = words / "before", words / "out"
    begun(before)
    out.mkdir()
    shutil.move(before / "mixtures", out / "mixtures")
    shutil.move(before / "runs", out / "runs")
    for file in out.glob("runs/*/row.json"):
        file.unlink()
    study = plan(recipe(TWO), out)
    result = run(study, out, fake_steps(broken=(R0, R1)))
    assert [row["run"] for row in result.rows] == [R0, R1]
    assert (out / "runs.jsonl").read_bytes() == (before / "runs.jsonl").read_bytes()


@dataclass(frozen=True)
class Full(FakeFit):
    """Training on a full disk."""

    def __call__(self, recipe: Any, out: Path, **named: Any) -> dict[str, Any]:
        if out.name == R0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().__call__(recipe, out, **named)


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("jobs", [0, 2])
def test_a_full_disk_ends_the_study(words: Path, jobs: int) -> None:
    """Without it every other run would fail for the same reason, one after another."""
    study, out = plan(recipe(TWO), words / "out"), words / "out"
    with pytest.raises(UserError) as refusal:
        run(study, out, Steps(fit=Full(), evaluate=fake_evaluate), jobs=jobs)
    assert str(refusal.value) == (
        f"the disk is full, writing to {out}. Free some space and run the same command again: "
        "it goes on where it stopped."
    )
    assert [row["run"] for row in run(study, out, fake_steps()).rows] == [R0, R1]


def test_a_read_only_folder_is_one_sentence(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (words / "study.toml").write_text(toml())

    def read_only(path: Path) -> Any:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("train.study.running.begin.in_turn", read_only)
    shown = CliRunner().invoke(glyphmix.main, ["ablate", "study.toml", "-o", "out"])
    assert shown.exit_code == 1
    assert shown.stderr.endswith("Error: cannot use out/.lock: Read-only file system. Check the path.\n")


def test_a_failed_run_ends_the_command_with_status_1(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (words / "study.toml").write_text(toml(designs=[TWO]))
    monkeypatch.setattr("train.study.running.run.real_steps", lambda: fake_steps(broken=(R1,)))
    monkeypatch.setattr("train.study.running.run.fitting_jobs", lambda study, out: 0)
    shown = CliRunner().invoke(glyphmix.main, ["ablate", "study.toml", "-o", "out"])
    assert shown.exit_code == 1
    assert shown.stdout == "out: 1 of 2 runs finished\n"
    assert shown.stderr.endswith(
        f"Error: 1 of 2 runs failed: {R1}. See above for why; the same command tries them again.\n"
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)])
def test_a_stop_is_said(words: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    (words / "study.toml").write_text(toml(designs=[TWO]))

    def stopped(*positional: Any, **named: Any) -> None:
        raise error

    monkeypatch.setattr("train.study.running.run.ablate", stopped)
    shown = CliRunner().invoke(glyphmix.main, ["ablate", "study.toml", "-o", "out"])
    assert shown.exit_code in (1, 143)
    assert "out: stopped. The same command goes on where it was.\n" in shown.stderr
