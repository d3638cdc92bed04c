"""How far the runs of a study are: read from its folder, told as a table."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.core.errors import UserError
from train.study.ablate_command import ablate
from train.study.running import watch
from train.study.running.progress import Progress, left_s

NOW = 1_000_000.0


def a_study(out: Path) -> Path:
    """Three runs of one stage, and one of two stages with steps of its own; batches of 10 words."""
    stages = {
        "real4": [{"words": {"real": 4}, "changes": {}}],
        "real8": [{"words": {"real": 8}, "changes": {}}],
        "real8--then--real4": [
            {"words": {"real": 8}, "changes": {"steps": 50}},
            {"words": {"real": 4}, "changes": {}},
        ],
    }
    facts = {
        "format": 2,
        "recipe": {"seeds": [0, 1], "train": {"steps": 100, "batch": 10}},
        "cells": [{"name": name, "stages": found} for name, found in stages.items()],
        "runs": [f"{name}-s{seed}" for name in stages for seed in (0, 1)],
        **{"parts": [], "designs": [], "datasets": []},
    }
    (out / "runs").mkdir(parents=True)
    (out / "study.json").write_text(json.dumps(facts))
    return out


def log(out: Path, folder: str, steps: int, *, at: float, validation: float | None = None) -> None:
    """The log of a training that took its last step at a time."""
    file = out / "runs" / folder / "log.jsonl"
    file.parent.mkdir(exist_ok=True)
    lines = [{"step": step, "loss": 1.0, "lr": 0.1} for step in range(1, steps + 1)]
    if validation is not None:
        lines[-1] |= {"validation": {"accuracy": validation}}
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for path in (file, file.parent):
        os.utime(path, (at, at))


def row(out: Path, run: str, *, seconds: float = 20.0) -> None:
    found = {
        "timing": {"seconds": seconds},
        "validation": {"accuracy": 0.5},
        "tests": [{"name": "cute80", "accuracy": 0.25}],
    }
    (out / "runs" / run).mkdir(exist_ok=True)
    (out / "runs" / run / "row.json").write_text(json.dumps(found))


def filled(out: Path) -> Progress:
    """One run of every state; looked at twice, 10 seconds apart."""
    a_study(out)
    row(out, "real4-s0")
    log(out, "real4-s1", 20, at=NOW - 1, validation=0.125)
    log(out, "real8-s0", 30, at=NOW - 3600)
    (out / "runs" / "real8-s1.error.txt").write_text(
        "Traceback\n  ...\ncuration.core.errors.UserError: training diverged. Lower lr.\n"
    )
    log(out, "real8--then--real4-s0.1", 50, at=NOW - 1)
    progress = Progress(out)
    progress.look(NOW)
    log(out, "real4-s1", 40, at=NOW + 9, validation=0.25)
    log(out, "real8--then--real4-s0", 10, at=NOW + 9)
    return progress


def test_every_state_is_read_from_the_folder(tmp_path: Path) -> None:
    states = filled(tmp_path / "out").look(NOW + 10)
    assert [(s.run, s.state, s.step, s.steps) for s in states] == [
        ("real4-s0", "done", 100, 100),
        ("real4-s1", "training", 40, 100),
        ("real8-s0", "stopped", 30, 100),
        ("real8-s1", "failed", 0, 100),
        ("real8--then--real4-s0", "training", 60, 150),
        ("real8--then--real4-s1", "waiting", 0, 150),
    ]
    assert states[1].words_per_second == pytest.approx(200 / 11)  # 20 steps of 10 words since its last log
    assert states[1].left_s == pytest.approx(600 / (200 / 11))
    assert states[1].validation == 0.25
    assert states[3].reason == "training diverged. Lower lr."


def test_the_table(tmp_path: Path) -> None:
    out = Path("out")
    states = filled(tmp_path / "out").look(NOW + 10)
    assert watch.table(out, states).splitlines() == [
        "study out: 1 of 6 runs done, 2 training, 1 failed, 1 stopped, 1 waiting; about 2 min left",
        "run                    state                      words/s   left  held out  cute80",
        "real4-s0               done                            50           50.0 %  25.0 %",
        "real4-s1               step 40 of 100                  18   33 s    25.0 %",
        "real8-s0               stopped at step 30 of 100",
        "real8-s1               failed: training diverged. Lower lr.",
        "real8--then--real4-s0  step 60 of 150                   9  2 min",
        "real8--then--real4-s1  waiting",
    ]


def test_a_small_terminal_shows_where_something_happens(tmp_path: Path) -> None:
    states = filled(tmp_path / "out").look(NOW + 10)
    shown = watch.table(Path("out"), states, width=60, height=8).splitlines()
    assert [line.partition(" ")[0] for line in shown[2:-1]] == [
        "real4-s1",
        "real8-s0",
        "real8-s1",
        "real8-…l4-s0",
    ]
    assert shown[-1] == "not shown: 1 done, 1 waiting"
    assert max(map(len, shown)) < 60


def test_time_left_is_that_of_the_runs_at_work_and_of_those_to_come(tmp_path: Path) -> None:
    """Two at once at 20 words/s; four wait."""
    out = a_study(tmp_path / "out")
    progress = Progress(out)
    progress.look(NOW)
    for seconds in (0, 10):
        for run in ("real4-s0", "real4-s1"):
            log(out, run, 20 + 2 * seconds, at=NOW + seconds)
        states = progress.look(NOW + seconds)
    assert [s.words_per_second for s in states[:2]] == [20.0, 20.0]
    assert left_s(states) == pytest.approx((600 + 600 + 1000 + 1000 + 1500 + 1500) / 20 / 2)
    assert left_s(states[2:]) is None


def test_a_run_that_goes_back_to_a_checkpoint_is_followed(tmp_path: Path) -> None:
    out = a_study(tmp_path / "out")
    progress = Progress(out)
    for steps, at in ((20, 0), (40, 10), (10, 20), (20, 30)):
        log(out, "real4-s0", steps, at=NOW + at)
        state = progress.look(NOW + at)[0]
    assert (state.step, state.words_per_second) == (20, 10.0)


def test_a_failed_run_that_is_tried_again_trains(tmp_path: Path) -> None:
    out = a_study(tmp_path / "out")
    trace = out / "runs" / "real4-s0.error.txt"
    trace.write_text("ValueError: once\n")
    os.utime(trace, (NOW, NOW))
    log(out, "real4-s0", 5, at=NOW - 5)
    assert Progress(out).look(NOW + 1)[0].state == "failed"
    log(out, "real4-s0", 9, at=NOW + 5)
    assert Progress(out).look(NOW + 6)[0].state == "training"


def test_watching_without_a_recipe_prints_the_table_where_there_is_no_terminal(tmp_path: Path) -> None:
    out = a_study(tmp_path / "out")
    row(out, "real4-s0")
    shown = CliRunner().invoke(ablate, ["-o", str(out), "--watch"])
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"study {out}: 1 of 6 runs done, 5 waiting\nrun ")


def test_watching_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        watch.attach(tmp_path)
    assert str(refusal.value) == (f"{tmp_path} holds no study: it has no study.json. Make one with 'ablate'.")


def test_without_a_recipe_only_watching_works(tmp_path: Path) -> None:
    shown = CliRunner().invoke(ablate, ["-o", str(tmp_path)])
    assert shown.exit_code == 2
    assert "Missing argument 'RECIPE'. Only --watch does without one." in shown.stderr


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_table_is_drawn_in_its_place_and_lines_stay_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = a_study(tmp_path / "out")
    terminal, clock = Terminal(), iter([5.0, 5.0, 5.2, 7.0, 7.0, 9.0, 9.0])
    monkeypatch.setattr(sys, "stderr", terminal)
    with watch.Watch(out, clock=lambda: next(clock)) as view:
        view.look()
        view.look()  # too soon
        view.tell("run 1 of 6: real4-s0")
        view.look()
    text = terminal.getvalue()
    assert text.count("study ") == 3
    assert text.count("\x1b[8A\x1b[J") == 2
    assert "\x1b[8A\x1b[Jrun 1 of 6: real4-s0\nstudy " in text


def test_the_bar_counts_words_of_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = a_study(tmp_path / "out")
    row(out, "real4-s0")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with watch.Bar(out) as bar:
        bar.look()
        log(out, "real4-s1", 50, at=NOW)
        bar.look()
        bar.tell("run 2 of 6: real4-s1")
        shown: Any = bar._bar
        assert (shown.n, shown.total) == (1500, 7000)
    assert "study out:" in terminal.getvalue()
    assert "1/6 runs" in terminal.getvalue()
    assert "run 2 of 6: real4-s1\n" in terminal.getvalue()
