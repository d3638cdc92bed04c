from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from study_fakes import dataset
from study_tiny import ADDED, TINY, fake_steps, forked, lay_out, recipe, run, toml, without_timing

from curation.core.errors import UserError
from train.study.ablate_command import ablate as ablate_command
from train.study.laws_command import laws
from train.study.plan import plan
from train.study.report_command import report
from train.study.rows import Study, read_rows

__all__ = ["forked"]
ROOT = Path(__file__).parents[1]
R0, R1, R3, ALONE = "real40", "real40-rendered40", "real40-rendered120", "rendered120"
RUN1 = f"{R1}-s0"


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def test_a_failed_run_is_named_and_the_others_go_on(words: Path) -> None:
    study, out, told = plan(recipe(), words / "out"), words / "out", []
    result = run(study, out, fake_steps(broken=(RUN1,)), told)
    assert [row["cell"] for row in result.rows] == [R0, R3, ALONE]
    trace = out / "runs" / f"{RUN1}.error.txt"
    assert result.failed == {RUN1: f"FloatingPointError: loss nan (traceback in {trace})"}
    assert f"run {RUN1} failed: FloatingPointError: loss nan (traceback in {trace})" in told
    assert "FloatingPointError: loss nan" in trace.read_text()
    done: list[str] = []
    again = run(study, out, fake_steps(done=done))
    assert done == [RUN1]
    assert [row["cell"] for row in again.rows] == [R0, R1, R3, ALONE]
    assert not again.failed
    assert not trace.exists()


def test_cells_share_their_held_out_words_and_nest(words: Path) -> None:
    from curation.mixture import Mixture

    run(plan(recipe(), words / "out"), words / "out", fake_steps())
    mixtures = {
        path.name.removesuffix("-s0"): Mixture.open(path)
        for path in sorted((words / "out/mixtures").iterdir())
    }
    held_out = {name: mixture.validation()[1].tolist() for name, mixture in mixtures.items()}
    assert len({tuple(rows) for rows in held_out.values()}) == 1
    assert len(held_out[R0]) == 20
    assert set(mixtures[R1].training_rows(1)) < set(mixtures[R3].training_rows(1))
    assert set(mixtures[R0].training_rows(0)) == set(mixtures[R3].training_rows(0))
    assert not set(held_out[R0]) & set(mixtures[R0].training_rows(0))


def test_another_recipe_is_refused_by_its_keys(words: Path) -> None:
    run(plan(recipe(), words / "out"), words / "out", fake_steps())
    other = plan(recipe({**ADDED, "ratios": [0, 1]}, train={**TINY, "steps": 13}), words / "out")
    with pytest.raises(UserError) as refusal:
        run(other, words / "out", fake_steps())
    assert str(refusal.value) == (
        f"study {words / 'out'} was begun with another recipe, which differs in: designs, train.steps. "
        "Repeat the recipe it was begun with, or give another name with -o."
    )


def test_a_changed_dataset_is_refused_by_name(words: Path) -> None:
    before = run(plan(recipe(), words / "out"), words / "out", fake_steps()).rows[0]["datasets"]["rendered"]
    (words / "rendered").rename(words / "rendered_before")
    after = dataset(words / "rendered", 120, seed=1).fingerprint
    with pytest.raises(UserError) as refusal:
        run(plan(recipe(), words / "out"), words / "out", fake_steps())
    assert str(refusal.value) == (
        f"dataset rendered has changed since study {words / 'out'} was begun: its fingerprint is "
        f"{after[:16]}, not {before[:16]}. Restore it, or give another name with -o."
    )


def test_words_that_were_taken_out_of_a_dataset_are_a_change_not_a_want_of_words(words: Path) -> None:
    before = run(plan(recipe(), words / "out"), words / "out", fake_steps()).rows[0]["datasets"]["rendered"]
    (words / "rendered").rename(words / "rendered_before")
    after = dataset(words / "rendered", 50).fingerprint
    with pytest.raises(UserError) as refusal:
        plan(recipe(), words / "out")
    assert str(refusal.value) == (
        f"dataset rendered has changed since study {words / 'out'} was begun: it has 50 words, not 120, and "
        f"its fingerprint is {after[:16]}, not {before[:16]}. Restore it, or give another name with -o."
    )


def test_a_folder_with_other_things_is_refused(words: Path) -> None:
    with pytest.raises(UserError) as refusal:
        run(plan(recipe(), words / "real"), words / "real", fake_steps())
    assert str(refusal.value) == (
        f"output {words / 'real'} exists already. Remove it or give another name with -o."
    )


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text('{"run": \n{"run": "b"}\n')
    with pytest.raises(UserError) as refusal:
        read_rows(path)
    assert str(refusal.value) == (f"{path} is damaged in line 1. Delete that line and run ablate again.")


@pytest.mark.usefixtures("forked")
def test_a_study_from_recipe_to_page_and_kill_9_in_the_middle_changes_nothing(words: Path) -> None:
    """Nothing is faked here: mixtures, training, evaluation, laws and page of four tiny runs."""
    (words / "study.toml").write_text(toml(train={**TINY, "device": "cpu"}))
    command = "from train.study.ablate_command import ablate; ablate()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.Popen(
        [sys.executable, "-c", command, "study.toml", "-o", "killed", "-j", "1"], env=environment, cwd=words
    )
    second = words / "killed" / "runs" / RUN1
    until = time.monotonic() + 120
    while not (second / "log.jsonl").exists() and killed.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert len(read_rows(words / "killed" / "runs.jsonl")) == 1
    assert not (second / "run.json").exists()

    for name in ("killed", "undisturbed"):  # the first goes on where it was killed
        arguments = ["study.toml", "-o", name, "-j", "2"]
        shown = CliRunner().invoke(ablate_command, arguments, catch_exceptions=False)
        assert shown.stdout == f"{name}: 4 of 4 runs finished\n"
    assert without_timing(words / "killed") == without_timing(words / "undisturbed")

    study = Study.open(words / "undisturbed")
    row = study.rows[2]
    assert row["unique"] == {"real": 40, "rendered": 120}
    assert row["seen"] == {"real": 48, "rendered": 144}
    assert row["tests"][0]["n_used"] == 40
    assert row["validation"]["n_used"] == 20
    assert "McNemar p" in CliRunner().invoke(laws, ["undisturbed"], catch_exceptions=False).stdout
    printed = CliRunner().invoke(report, ["undisturbed"], catch_exceptions=False).stdout
    assert printed.splitlines()[-1] == "undisturbed/report.html"
    page = (words / "undisturbed" / "report.html").read_text()
    assert "Trained on: rendered words" in page
    assert "not shown" not in page


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            RUN1,
            "{out}/runs.jsonl has 2 rows of {run}. Delete all but the one that its folder in "
            "runs/ belongs to, or all of them and run ablate again.",
        ),
        (
            "real9-s0",
            "{out}/runs.jsonl has a row of real9-s0, no run of this study. Delete that row.",
        ),
    ],
)
def test_a_row_twice_or_of_another_study_is_refused(words: Path, name: str, message: str) -> None:
    out = words / "out"
    rows = run(plan(recipe(), out), out, fake_steps()).rows
    with (out / "runs.jsonl").open("a") as file:
        file.write(json.dumps({**rows[1], "run": name}) + "\n")
    with pytest.raises(UserError) as refusal:
        Study.open(out)
    assert str(refusal.value) == message.format(out=out, run=RUN1)
