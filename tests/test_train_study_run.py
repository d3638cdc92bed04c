from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_fakes import dataset

from curation.core.errors import UserError
from curation.core.recipe import build
from train.study import StudyRecipe
from train.study_commands import ablate as ablate_command
from train.study_commands import laws, report
from train.study_plan import Plan, grid_table, plan
from train.study_rows import Study, append_row, read_rows
from train.study_run import Steps, ablate

ROOT = Path(__file__).parents[1]
TINY = {
    "model": {
        "kind": "conv_ctc",
        "channels": [8, 8, 8, 8],
        "blocks": [0, 0, 0],
        "tail": 16,
        "tail_blocks": 1,
    },
    "steps": 12,
    "batch": 16,
    "threads": 1,
    "checkpoint_every": 4,
    "validate_every": 6,
}


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 60 real, 120 rendered and 40 test words; paths in recipes are relative to it."""
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    dataset(tmp_path / "real", 60, rejects={"broken_image": 2})
    dataset(tmp_path / "rendered", 120)
    dataset(tmp_path / "test_a", 40)
    return tmp_path


def table(**changes: Any) -> dict[str, Any]:
    return {
        "question": "Does it help?",
        "design": "fixed_real",
        "ratios": [0, 1, 3],
        "synthetic_only": True,
        "tests": ["test_a"],
        "validation": 20,
        "real": {"name": "real", "paths": ["real"]},
        "synthetic": {"name": "rendered", "paths": ["rendered"]},
        "train": TINY,
        **changes,
    }


def recipe(**changes: Any) -> StudyRecipe:
    return build(StudyRecipe, table(**changes), where="study.toml")


def toml(**changes: Any) -> str:
    """The same as TOML: JSON values are TOML values, but for tables, which get headings."""

    def written(items: dict[str, Any], prefix: str) -> list[str]:
        plain = [f"{k} = {json.dumps(v)}" for k, v in items.items() if not isinstance(v, dict)]
        for key, value in items.items():
            if isinstance(value, dict):
                plain += [f"[{prefix}{key}]", *written(value, f"{prefix}{key}.")]
        return plain

    return "\n".join(written(table(**changes), ""))


def without_timing(path: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "timing"} for row in read_rows(path / "runs.jsonl")]


@dataclass(frozen=True)
class FakeScore:
    name: str = "test_a"
    accuracy: float = 0.5


def fake_steps(*, broken: tuple[str, ...] = (), done: list[str] | None = None) -> Steps:
    """Training that only leaves a record."""

    def fit(recipe: Any, out: Path, *, seed: int, mixture: Path) -> dict[str, Any]:
        if out.name in broken:
            raise FloatingPointError("loss nan")
        if done is not None:
            done.append(out.name)
        out.mkdir()
        manifest = json.loads((mixture / "manifest.json").read_text())
        record = {
            "recipe": {"model": {"kind": "conv_ctc"}, "threads": 1},
            "mixture": {
                "fingerprint": manifest["fingerprint"],
                "sources": [
                    {"name": s["name"], "unique": s["unique"], "seen": s["positions"]}
                    for s in manifest["sources"]
                ],
            },
            "steps": recipe.steps,
            "samples_seen": recipe.steps * recipe.batch,
            "unlearnable": {},
            "parameters": 1,
            "device": "cpu",
            "validation": {"accuracy": 0.5, "n_used": 20, "n_correct": 10},
            "versions": {},
            "git_commit": None,
            "timing": {"seconds": time.perf_counter()},
        }
        (out / "run.json").write_text(json.dumps(record))
        return record

    return Steps(fit=fit, evaluate=lambda *_, **__: [FakeScore()])


def run(study: Plan, out: Path, steps: Steps, told: list[str] | None = None) -> Any:
    return ablate(study, out, toml="", steps=steps, tell=(told if told is not None else []).append)


def test_the_grid_is_counted_before_anything_runs(words: Path) -> None:
    assert grid_table(plan(recipe(), words / "out")) == (
        "| run                     | real | rendered | different words | samples seen | passes |\n"
        "| ----------------------- | ---: | -------: | --------------: | -----------: | -----: |\n"
        "| fixed_real-r0-s0        |   40 |        0 |              40 |          192 |    4.8 |\n"
        "| fixed_real-r1-s0        |   40 |       40 |              80 |          192 |    2.4 |\n"
        "| fixed_real-r3-s0        |   40 |      120 |             160 |          192 |    1.2 |\n"
        "| fixed_real-synthetic-s0 |    0 |      120 |             120 |          192 |    1.6 |"
    )
    assert not (words / "out").exists()


def test_fixed_total_keeps_the_volume(words: Path) -> None:
    grid = plan(recipe(design="fixed_total", ratios=[0, 0.5, 3]), words / "out").cells
    assert [(c.name, c.n_real, c.n_synthetic) for c in grid] == [
        ("r0", 40, 0),
        ("r0.5", 27, 13),
        ("r3", 10, 30),
        ("synthetic", 0, 30),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ratios": [0, 4]},
            "the cell r4 needs 160 rendered words, and there are 120. "
            "Make more, or lower the ratios or the words that every cell starts from.",
        ),
        (
            {"real": {"name": "real", "paths": ["real"], "count": 50}},
            "beside the 20 held out there are 40 real words, fewer than the 50 asked for. "
            "Add datasets to real.paths, or lower count or validation.",
        ),
        (
            {"tests": ["real"]},
            "test set real is also trained on, as real. Take it out of one of the two.",
        ),
        ({"tests": ["nowhere"]}, "dataset nowhere does not exist. Check the path."),
        (
            {"design": "fixed_total", "total": 100},
            "the cell r0 needs 100 real words, and there are 40. "
            "Make more, or lower the ratios or the words that every cell starts from.",
        ),
        (
            {"ratios": [1, 1]},
            "study.toml: ratios must be different numbers of 0 or more, got [1.0, 1.0].",
        ),
        ({"total": 5}, "study.toml: total must be 1 or more, and only the design fixed_total has one."),
        (
            {"synthetic": {"name": "real", "paths": ["rendered"]}},
            "study.toml: real and synthetic are both named 'real'; give them two names.",
        ),
        (
            {"train": {**TINY, "mixture": "m"}},
            "study.toml: train must name no mixture; a study makes its own.",
        ),
        (
            {"protocol": "exact"},
            "protocol exact has no charset to learn. Train with parseq36 or parseq94.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_run(
    words: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as refusal:
        plan(recipe(**changes), words / "out")
    assert str(refusal.value) == message
    assert not (words / "out").exists()


def test_a_failed_run_is_named_and_the_others_go_on(words: Path) -> None:
    study, out, told = plan(recipe(), words / "out"), words / "out", []
    result = run(study, out, fake_steps(broken=("fixed_real-r1-s0",)), told)
    assert result.failed == {"fixed_real-r1-s0": "FloatingPointError: loss nan"}
    assert [row["cell"] for row in result.rows] == ["r0", "r3", "synthetic"]
    trace = out / "runs" / "fixed_real-r1-s0.error.txt"
    assert f"run fixed_real-r1-s0 failed: FloatingPointError: loss nan (traceback in {trace})" in told
    assert "FloatingPointError: loss nan" in trace.read_text()
    done: list[str] = []
    again = run(study, out, fake_steps(done=done))
    assert done == ["fixed_real-r1-s0"]
    assert [row["cell"] for row in again.rows] == ["r0", "r1", "r3", "synthetic"]
    assert not again.failed
    assert not trace.exists()


def test_cells_share_their_held_out_words_and_nest(words: Path) -> None:
    from curation.mixture import Mixture

    run(plan(recipe(), words / "out"), words / "out", fake_steps())
    mixtures = {
        path.name.split("-")[1]: Mixture.open(path) for path in sorted((words / "out/mixtures").iterdir())
    }
    held_out = {name: mixture.validation()[1].tolist() for name, mixture in mixtures.items()}
    assert len({tuple(rows) for rows in held_out.values()}) == 1
    assert len(held_out["r0"]) == 20
    assert set(mixtures["r1"].training_rows(1)) < set(mixtures["r3"].training_rows(1))
    assert set(mixtures["r0"].training_rows(0)) == set(mixtures["r3"].training_rows(0))
    assert not set(held_out["r0"]) & set(mixtures["r0"].training_rows(0))


def test_another_recipe_is_refused_by_its_keys(words: Path) -> None:
    run(plan(recipe(), words / "out"), words / "out", fake_steps())
    other = plan(recipe(ratios=[0, 1], train={**TINY, "steps": 13}), words / "out")
    with pytest.raises(UserError) as refusal:
        run(other, words / "out", fake_steps())
    assert str(refusal.value) == (
        f"study {words / 'out'} was begun with another recipe, which differs in: ratios, train.steps. "
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


def test_a_folder_with_other_things_is_refused(words: Path) -> None:
    with pytest.raises(UserError) as refusal:
        run(plan(recipe(), words / "real"), words / "real", fake_steps())
    assert str(refusal.value) == (
        f"output {words / 'real'} exists already. Remove it or give another name with -o."
    )


def test_a_row_cut_short_by_a_kill_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append_row(path, {"run": "a"})
    with path.open("a") as file:
        file.write('{"run": "b", "accu')
    assert read_rows(path) == [{"run": "a"}]
    append_row(path, {"run": "b"})
    assert path.read_text() == '{"run": "a"}\n{"run": "b"}\n'


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text('{"run": \n{"run": "b"}\n')
    with pytest.raises(UserError) as refusal:
        read_rows(path)
    assert str(refusal.value) == (f"{path} is damaged in line 1. Delete that line and run ablate again.")


def test_a_missing_metric_never_becomes_a_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_row(tmp_path / "runs.jsonl", {"accuracy": float("nan")})
    assert read_rows(tmp_path / "runs.jsonl") == []


def test_a_study_from_recipe_to_page_and_kill_9_in_the_middle_changes_nothing(words: Path) -> None:
    """Nothing is faked here: mixtures, training, evaluation, laws and page of four tiny runs."""
    (words / "study.toml").write_text(toml())
    command = "from train.study_commands import ablate; ablate()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.Popen(
        [sys.executable, "-c", command, "study.toml", "-o", "killed"], env=environment, cwd=words
    )
    second = words / "killed" / "runs" / "fixed_real-r1-s0"
    until = time.monotonic() + 120
    while not (second / "log.jsonl").exists() and killed.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert len(read_rows(words / "killed" / "runs.jsonl")) == 1
    assert not (second / "run.json").exists()

    for name in ("killed", "undisturbed"):  # the first goes on where it was killed
        shown = CliRunner().invoke(ablate_command, ["study.toml", "-o", name], catch_exceptions=False)
        assert shown.stdout == f"{name}: 4 of 4 runs finished\n"
    assert without_timing(words / "killed") == without_timing(words / "undisturbed")

    study = Study.open(words / "undisturbed")
    row = study.rows[2]
    assert row["unique"] == {"real": 40, "synthetic": 120}
    assert row["seen"] == {"real": 48, "synthetic": 144}
    assert row["tests"][0]["n_used"] == 40
    assert row["validation"]["n_used"] == 20
    assert "McNemar p" in CliRunner().invoke(laws, ["undisturbed"], catch_exceptions=False).stdout
    printed = CliRunner().invoke(report, ["undisturbed"], catch_exceptions=False).stdout
    assert printed.splitlines()[-1] == "undisturbed/report.html"
    page = (words / "undisturbed" / "report.html").read_text()
    assert "Trained on: rendered words" in page
    assert "not shown" not in page


def test_dry_run_prints_the_grid_and_writes_nothing(words: Path) -> None:
    (words / "study.toml").write_text(toml())
    shown = CliRunner().invoke(ablate_command, ["study.toml", "-o", "out", "--dry-run"])
    assert shown.stdout.splitlines()[2].startswith("| fixed_real-r0-s0 ")
    assert not (words / "out").exists()


def test_seeds_name_their_runs(words: Path) -> None:
    study = replace(recipe(), seeds=(0, 7), synthetic_only=False)
    assert [found.name for found in plan(study, words / "out").runs] == [
        "fixed_real-r0-s0",
        "fixed_real-r0-s7",
        "fixed_real-r1-s0",
        "fixed_real-r1-s7",
        "fixed_real-r3-s0",
        "fixed_real-r3-s7",
    ]
