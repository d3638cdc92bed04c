from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_tiny import ADDED, TINY, lay_out, recipe, toml

from train.study import estimate as estimates
from train.study.ablate_command import ablate
from train.study.estimate import estimate
from train.study.plan import plan

WIDE = {**TINY["model"], "kind": "conv_ctc", "tail": 32}
SIZES = {"kind": "model_size", "models": [{"name": "wide", "model": WIDE, "lr": 1e-3}], "ratio": 0}


@pytest.fixture(autouse=True)
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every model learns from as many words a second as its tail is wide."""
    monkeypatch.setattr(estimates, "learning_speed", lambda training: float(training.recipe.model.tail))
    return lay_out(tmp_path, monkeypatch)


def test_time_is_samples_by_measured_speed_shared_among_jobs() -> None:
    """Four cells of 192 samples at 16 words a second and one at 32: 48 and 6 seconds."""
    study = plan(recipe(ADDED, SIZES), Path("out"))
    alone, by_two = estimate(study, Path("out")), estimate(study, Path("out"), jobs=2)
    assert (alone.runs, alone.jobs, alone.samples, alone.seconds) == (5, 1, 960, 54.0)
    assert (by_two.jobs, by_two.seconds) == (2, 27.0)
    assert list(alone.words_per_second.values()) == [16.0, 32.0]


def test_runs_that_have_their_row_cost_nothing(words: Path) -> None:
    study = plan(recipe(), Path("out"))
    done = words / "out" / "runs" / study.runs[0].name
    done.mkdir(parents=True)
    (done / "row.json").write_text("{}")
    assert estimate(study, words / "out").runs == 3


def test_a_model_too_large_to_be_tried_leaves_the_time_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "learning_speed", lambda training: None)
    found = estimate(plan(recipe(), Path("out")), Path("out"))
    assert found.seconds is None
    first, model, *_ = found.text().splitlines()
    assert first.startswith("time   unknown for 4 runs on cpu: 768 words seen")
    assert model.endswith(": not tried: more than 100,000,000 parameters on a processor")


def test_a_dry_run_prints_grid_cost_and_what_is_known_to_be_weak(words: Path) -> None:
    (words / "study.toml").write_text(toml())
    shown = CliRunner().invoke(ablate, ["study.toml", "-o", "out", "--dry-run", "-j", "1"])
    table, cost, remark = shown.stdout.rstrip("\n").split("\n\n")
    assert table.startswith("| run ")
    n = estimates.count_parameters(recipe().train.model.build("abcdefghijklmnopqrstuvwxyz0123456789"))
    weights = (4 * 4 * n + 16 * (40 + 80 + 160 + 120)) / 1e6
    assert cost == (
        "time   about 48 seconds for 4 runs on cpu: 768 words seen; packing them and reading the tests come "
        "on top\n"
        f"       conv_ctc, {n:,} parameters, batches of 16: 16 words/s, tried on a few steps\n"
        f"disk   {weights + 4 * 40 * 45 / 1e6:,.1f} MB: weights {weights:,.1f}, predictions 0.0\n"
        f"       and up to {2 * 3 * 4 * n / 1e6:,.1f} MB of checkpoints while runs are at work"
    )
    assert remark.startswith("Design fixed_real moves the volume with the ratio")
    printed = CliRunner().invoke(ablate, ["study.toml", "-o", "out", "--dry-run", "-j", "1", "--json"])
    found: dict[str, Any] = json.loads(printed.stdout)
    assert found["cost"]["seconds"] == 48.0
    assert not (words / "out").exists()


def test_a_dry_run_of_one_run_reckons_with_it_alone(words: Path) -> None:
    (words / "study.toml").write_text(toml())
    asked = ["study.toml", "-o", "out", "--dry-run", "-j", "1", "--json", "--only", "real40-s0"]
    found = json.loads(CliRunner().invoke(ablate, asked).stdout)
    assert found["runs"] == ["real40-s0"]
    assert (found["cost"]["runs"], found["cost"]["samples"]) == (1, 192)
