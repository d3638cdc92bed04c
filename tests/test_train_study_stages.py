"""Runs that train more than once, for real: what a second training begins with, and what the row says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from study_tiny import TINY, lay_out, recipe

from train.study.plan import plan
from train.study.rows import Study
from train.study.running.run import ablate

ORDERS = {"kind": "pretrain", "orders": ["real", "synthetic_then_real"], "ratio": 2, "shares": [0.25, 0.75]}
LONGER = {"kind": "compute", "steps": [3, 12], "ratio": 0}
WIDE = {**TINY["model"], "kind": "conv_ctc", "tail": 32}
SIZES = {"kind": "model_size", "models": [{"name": "wide", "model": WIDE, "lr": 1e-3}], "ratio": 0}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = lay_out(tmp_path_factory.mktemp("stages"), monkeypatch)
        asked = recipe(ORDERS, LONGER, SIZES, held_out="none")
        result = ablate(plan(asked, Path("out")), Path("out"), toml="")
        assert not result.failed
        return Study.open(folder / "out")


def test_the_second_training_begins_with_the_weights_of_the_first(study: Study) -> None:
    run = "rendered80-steps3--then--real40-steps9-s0"
    record = json.loads((study.path / "runs" / run / "run.json").read_text())
    assert record["recipe"]["init"] == {"kind": "run", "path": f"out/runs/{run}.1"}
    assert record["init"]["loaded"].startswith(f"run out/runs/{run}.1: ")
    first = json.loads((study.path / "runs" / f"{run}.1" / "run.json").read_text())
    assert (first["steps"], record["steps"]) == (3, 9)
    assert first["recipe"]["init"]["kind"] == "scratch"


def test_the_row_of_two_trainings_counts_both(study: Study) -> None:
    real, both = (study.runs(cell)[0] for cell in study.cells[:2])
    assert real["samples_seen"] == both["samples_seen"] == 12 * 16
    assert real["flops"] == both["flops"]
    assert both["words"] == {"real": 40, "rendered": 80}
    assert both["unique"] == {"real": 40, "rendered": 80}
    assert both["seen"] == {"real": 144, "rendered": 48}
    assert [stage["seen"] for stage in both["stages"]] == [
        {"real": 0, "rendered": 48},
        {"real": 144, "rendered": 0},
    ]
    assert [stage["words"] for stage in both["stages"]] == [
        {"real": 0, "rendered": 80},
        {"real": 40, "rendered": 0},
    ]


def test_points_have_what_laws_reckon_with(study: Study) -> None:
    points = study.points("test_a")
    assert points.cell.tolist() == [row["cell"] for row in study.rows]
    assert points.right.tolist() == [row["tests"][0]["n_correct"] for row in study.rows]
    assert points.columns["n_rendered"].tolist() == [0, 80, 0, 0]
    assert points.columns["samples"].tolist() == [192, 192, 48, 192]
    assert points.columns["seen_synthetic"].tolist() == [0, 48, 0, 0]
    first, _, short, wide = points.columns["flops"].tolist()
    assert short == first / 4
    assert wide > first
    assert points.columns["parameters"][3] > points.columns["parameters"][0]
    assert study.points().correct.shape == (4, 40)
