"""Runs in processes of their own, rows that do not depend on how many, and every way for one to end."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from study_tiny import TINY, FakeFit, fake_evaluate, fake_steps, forked, lay_out, recipe, run, without_timing

from curation.core.errors import UserError
from train.study.plan import plan
from train.study.running.one_run import Steps, real_steps
from train.study.running.run import fitting_jobs, n_cores
from train.study.running.workers import gpus

__all__ = ["forked"]
R0, R1, R3 = "real40-s0", "real40-rendered40-s0", "real40-rendered120-s0"
SYNTHETIC = "rendered120-s0"
ONE = {"kind": "fixed_real", "ratios": [0]}


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


@dataclass(frozen=True)
class Dying(FakeFit):
    """Training whose process is ended by a signal, or by itself."""

    name: str = R1
    ending: int = signal.SIGKILL

    def __call__(self, recipe: Any, out: Path, *, seed: int, mixture: Path) -> dict[str, Any]:
        if out.name == self.name and self.ending > 0:
            os.kill(os.getpid(), self.ending)
            time.sleep(60)
        if out.name == self.name:
            os._exit(-self.ending)
        return super().__call__(recipe, out, seed=seed, mixture=mixture)


@pytest.mark.usefixtures("forked")
def test_real_runs_in_two_processes_give_the_rows_that_one_process_gives(words: Path) -> None:
    study = plan(recipe({**ONE, "ratios": [0, 1]}, train={**TINY, "device": "cpu"}), words / "one")
    told: list[str] = []
    run(study, words / "one", real_steps())
    run(study, words / "two", real_steps(), told, jobs=2)
    assert without_timing(words / "one") == without_timing(words / "two")
    assert [line for line in told if line.startswith("run ")] == [f"run 1 of 2: {R0}", f"run 2 of 2: {R1}"]
    weights = [(words / name / "runs" / R1 / "model.pt").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (
            signal.SIGKILL,
            "its process was killed (SIGKILL), perhaps for want of memory. Run the same command again with a "
            "smaller -j: it goes on where it stopped.",
        ),
        (
            signal.SIGTERM,
            "its process was stopped (SIGTERM) before it was done. Run the same command again: it goes on "
            "where it stopped.",
        ),
        (
            -3,
            "its process ended with status 3 before it was done. Run the same command again: it goes on "
            "where it stopped.",
        ),
    ],
)
def test_a_killed_worker_is_one_failed_run(words: Path, ending: int, reason: str) -> None:
    study, out = plan(recipe(), words / "out"), words / "out"
    result = run(study, out, Steps(fit=Dying(ending=ending), evaluate=fake_evaluate), jobs=2)
    assert result.failed == {R1: reason}
    assert [row["run"] for row in result.rows] == [R0, R3, SYNTHETIC]
    again = run(study, out, fake_steps(broken=(R0, R3, SYNTHETIC)), jobs=1)
    assert not again.failed
    assert [row["run"] for row in again.rows] == [R0, R1, R3, SYNTHETIC]


@pytest.mark.usefixtures("forked")
def test_two_processes_share_a_study_and_neither_does_the_other_s_runs(words: Path) -> None:
    """The second is at all runs but the one that the first holds; a third finds nothing left to do."""
    study, out = plan(recipe(), words / "out"), words / "out"
    held, go_on, first = threading.Event(), threading.Event(), []

    class Slow(FakeFit):
        def __call__(self, *positional: Any, **named: Any) -> dict[str, Any]:
            held.set()
            assert go_on.wait(60)
            return super().__call__(*positional, **named)

    slow = Steps(fit=Slow(), evaluate=fake_evaluate)
    thread = threading.Thread(target=lambda: first.append(run(study, out, slow, only=(R0,))))
    thread.start()
    assert held.wait(60)
    second = run(study, out, fake_steps(), jobs=2)
    assert second.busy == [R0]
    assert [row["run"] for row in second.rows] == [R1, R3, SYNTHETIC]
    go_on.set()
    thread.join()
    assert [row["run"] for row in first[0].rows] == [R0, R1, R3, SYNTHETIC]
    done: list[str] = []
    assert len(run(study, out, fake_steps(done=done)).rows) == 4
    assert done == []


@pytest.mark.usefixtures("forked")
def test_ctrl_c_stops_the_workers(words: Path) -> None:
    study, out = plan(recipe(), words / "out"), words / "out"
    pids = words / "pids"
    pids.mkdir()

    def interrupt() -> None:
        while len(list(pids.iterdir())) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(study, out, Steps(fit=Endless(pids), evaluate=fake_evaluate), jobs=2)
    thread.join()
    assert sorted(file.read_text() for file in pids.iterdir()) == ["stopped", "stopped"]


@dataclass(frozen=True)
class Endless:
    """Training that goes on until it is told to stop, and says so then."""

    pids: Path

    def __call__(self, recipe: Any, out: Path, *, seed: int, mixture: Path) -> dict[str, Any]:
        file = self.pids / str(os.getpid())

        def stop(number: int, frame: object) -> None:
            file.write_text("stopped")
            raise SystemExit(128 + number)

        signal.signal(signal.SIGTERM, stop)
        file.touch()
        time.sleep(60)
        return {}


def test_what_a_run_says_is_passed_on_under_its_name(words: Path, forked: None) -> None:
    study, out, told = plan(recipe(ONE), words / "out"), words / "out", []

    run(study, out, Steps(fit=Talking(), evaluate=fake_evaluate), told, jobs=1)
    assert f"{R0}: Warning: 3 words teach nothing." in told
    assert f"{R0}: half a line" in told


class Talking(FakeFit):
    """Training that has something to say."""

    def __call__(self, *positional: Any, **named: Any) -> dict[str, Any]:
        os.write(2, b"Warning: 3 words teach nothing.\n")
        os.write(1, b"half a line")
        return super().__call__(*positional, **named)


def test_threads_are_those_of_the_first_call(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without threads in the recipe; a later call with another -j goes on with as many."""
    monkeypatch.setattr("train.study.running.run.n_cores", lambda: 6)
    bare = {key: value for key, value in TINY.items() if key != "threads"}
    study, out = plan(recipe(train=bare), words / "out"), words / "out"
    assert fitting_jobs(study, out) == 1
    run(study, out, fake_steps(broken=(R3,)), jobs=0, only=(R0,))
    assert json.loads((out / "study.json").read_text())["threads"] == 6
    monkeypatch.setattr("train.study.running.run.n_cores", lambda: 12)
    assert fitting_jobs(study, out) == 2
    assert {row["threads"] for row in run(study, out, fake_steps()).rows} == {6}
    assert fitting_jobs(replace(study, recipe=recipe()), words / "new") == 12


@dataclass(frozen=True)
class Seeing(FakeFit):
    """Training that says which GPU it sees."""

    def __call__(self, *positional: Any, **named: Any) -> dict[str, Any]:
        os.write(2, f"GPU {os.environ['CUDA_VISIBLE_DEVICES']}\n".encode())
        return super().__call__(*positional, **named)


@pytest.mark.usefixtures("forked")
def test_runs_take_the_gpus_in_turn(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the user lets be seen; no run here needs one, nor is one there."""
    study, out, told = plan(recipe(), words / "out"), words / "out", []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert fitting_jobs(study, out) == 2
    assert fitting_jobs(plan(recipe(train={**TINY, "device": "cpu"}), out), out) == n_cores()
    run(study, out, Steps(fit=Seeing(), evaluate=fake_evaluate), told, jobs=2)
    assert {line.partition(": ")[2] for line in told if "GPU" in line} == {"GPU 2", "GPU 5"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,5"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert gpus(study) == ["0", "1"]


def test_more_threads_than_cores_are_said(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.study.running.run.n_cores", lambda: 6)
    study, out, told = plan(recipe(train={**TINY, "threads": 4}), words / "out"), words / "out", []
    run(study, out, fake_steps(), only=(R0,))
    run(study, out, fake_steps(), told, jobs=2, only=(R0,))
    assert told == [
        "2 runs of 4 threads each share 6 cores and will wait for each other. A smaller -j is faster."
    ]


def test_a_study_of_another_format(words: Path) -> None:
    study, out = plan(recipe(), words / "out"), words / "out"
    run(study, out, fake_steps(), only=(R0,))
    facts = json.loads((out / "study.json").read_text())
    (out / "study.json").write_text(json.dumps({**facts, "format": 1}))
    with pytest.raises(UserError) as refusal:
        run(study, out, fake_steps())
    assert str(refusal.value) == (
        f"study {out} has format 1, and this glyphmix goes on with format 2 only. "
        "Go on with the version that began it, or give another name with -o."
    )


def test_a_run_that_the_study_does_not_have(words: Path) -> None:
    study, out = plan(recipe(), words / "out"), words / "out"
    with pytest.raises(UserError) as refusal:
        run(study, out, fake_steps(), only=("real40-rendered4-s0",))
    assert str(refusal.value) == (
        f"unknown run 'real40-rendered4-s0'. Did you mean '{R1}' or '{R3}' or '{SYNTHETIC}'?"
    )
