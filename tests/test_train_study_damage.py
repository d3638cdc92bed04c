"""Files of a study that somebody has edited or lost: one sentence that says which, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from study_tiny import fake_steps, lay_out, recipe, run

from curation.core.errors import UserError
from curation.core.files import read_json
from train.study.plan import Plan, plan
from train.study.rows import Study, read_rows
from train.study.running.progress import Progress

R0 = "real40-s0"
TWO = {"kind": "fixed_real", "ratios": [0, 1]}
ANEW = "run ablate again: it only evaluates anew."


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, Path]:
    """A study of two runs, both finished, and its folder."""
    lay_out(tmp_path, monkeypatch)
    study, out = plan(recipe(TWO), Path("out")), Path("out")
    run(study, out, fake_steps())
    return study, out


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as refusal:
        act()
    return str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_real": None}, "{file} is damaged. Remove it and {anew}"),
        ({"steps": "12"}, "{file} is damaged. Remove it and {anew}"),
        ({"tests": "test_a"}, "{file} is damaged. Remove it and {anew}"),
        ({"tests": []}, "{file} is damaged. Remove it and {anew}"),
        ({"tests": [{"name": "test_a"}]}, "{file} is damaged. Remove it and {anew}"),
        ({"tests": [{"name": "other", "n_correct": 1}]}, "{file} is damaged. Remove it and {anew}"),
        ({"seed": 1}, "{file} has another cell, seed or words than {run}. Remove it and {anew}"),
        ({"cell": "real41"}, "{file} has another cell, seed or words than {run}. Remove it and {anew}"),
        (
            {"words": {"real": 41, "rendered": 0}},
            "{file} has another cell, seed or words than {run}. Remove it and {anew}",
        ),
    ],
)
def test_an_edited_row(begun: tuple[Plan, Path], change: dict[str, Any], message: str) -> None:
    study, out = begun
    file = out / "runs" / R0 / "row.json"
    before = read_json(file)
    file.write_text(json.dumps({**before, **change}))
    told = refused(lambda: run(study, out, fake_steps()))
    assert told == message.format(file=file, run=R0, anew=ANEW)
    file.unlink()
    assert run(study, out, fake_steps()).rows[0] == before


@pytest.mark.parametrize("line", ["{x", "[]", "7", "{}", '{"run": "real40-s0"}'])
def test_an_edited_line_of_rows(begun: tuple[Plan, Path], line: str) -> None:
    study, out = begun
    file = out / "runs.jsonl"
    before = file.read_text()
    file.write_text(before.splitlines()[0] + f"\n{line}\n")
    assert refused(lambda: Study.open(out)) == (
        "out/runs.jsonl is damaged in line 2. Delete that line and run ablate again."
    )
    run(study, out, fake_steps())
    assert file.read_text() == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "2"}', '{"format": 2}'])
def test_a_damaged_study(begun: tuple[Plan, Path], text: str) -> None:
    study, out = begun
    file = out / "study.json"
    before, rows = file.read_text(), read_rows(out / "runs.jsonl")
    file.write_text(text)
    for act in (
        lambda: run(study, out, fake_steps()),
        lambda: plan(study.recipe, out),
        lambda: Study.open(out),
        lambda: Progress(out),
    ):
        assert refused(act) == (
            "out/study.json is damaged. Remove it and run ablate again with the recipe that the study was "
            "begun with: runs that have finished stay."
        )
    file.unlink()
    broken = tuple(found.name for found in study.runs)  # none is trained again
    assert run(study, out, fake_steps(broken=broken)).rows == rows
    assert file.read_text() == before


def test_a_mixture_without_a_manifest(begun: tuple[Plan, Path]) -> None:
    study, out = begun
    (out / "mixtures" / R0 / "manifest.json").unlink()
    (out / "runs" / R0 / "row.json").unlink()
    assert run(study, out, fake_steps()).failed[R0] == (
        f"mixture out/mixtures/{R0} is damaged: it has no manifest.json. Remove it and run ablate again. "
        f"(traceback in out/runs/{R0}.error.txt)"
    )
