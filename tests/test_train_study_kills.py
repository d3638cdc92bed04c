"""kill -9 at any moment and the same command again: the same rows. Told to stop: a checkpoint first."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from study_tiny import TINY, FakeFit, FakeScore, forked, lay_out, recipe, run, without_timing

from curation.core.files import write_text
from train.study.plan import Plan, plan
from train.study.rows import Study
from train.study.running.one_run import Steps, real_steps

__all__ = ["forked"]
VOLUME = {"kind": "volume", "ratio": 0, "totals": [10, 20, 40]}  # the largest is held out
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def evaluate(folder: Path, tests: list[Path], *, protocol: str) -> list[FakeScore]:
    (folder / "predictions").mkdir(exist_ok=True)
    draft = folder / "predictions" / "draft"
    pq.write_table(pa.table({"correct": [True, False]}), draft)
    draft.replace(folder / "predictions" / "test_a.parquet")
    return [FakeScore()]


def forecast(study: Study, held_out: list[str]) -> dict[str, Any]:
    return {"from": [row["run"] for row in study.rows]}


class WholeFit(FakeFit):
    """Training whose record appears whole or not at all, as the real one's does."""

    def __call__(self, recipe: Any, out: Path, *, seed: int, mixture: Path) -> dict[str, Any]:
        shutil.rmtree(out, ignore_errors=True)
        record = super().__call__(recipe, out, seed=seed, mixture=mixture)
        text = (out / "run.json").read_text()
        (out / "run.json").unlink()
        write_text(out / "run.json", text)
        return record


STEPS = Steps(fit=WholeFit(), evaluate=evaluate, forecast=forecast)


def renaming(act: Callable[[int], None]) -> None:
    """Call ``act`` with a count around every renaming in this process: so does each file come to be."""
    count = 0

    def around(original: Callable[..., None]) -> Callable[..., None]:
        def wrapped(*paths: Any) -> None:
            nonlocal count
            act(count)
            original(*paths)
            act(count + 1)
            count += 2

        return wrapped

    os.replace, os.rename = around(os.replace), around(os.rename)


def child(study: Plan, out: Path, at: int | None, counts: Any) -> None:
    def act(count: int) -> None:
        counts.value = count
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    renaming(act)
    run(study, out, STEPS)


def in_child(study: Plan, out: Path, at: int | None) -> tuple[int, int]:
    """Run a study in a process that is killed at a renaming; its exit status and the renamings there were."""
    counts = FORK.Value("i", 0)
    process = FORK.Process(target=child, args=(study, out, at, counts))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode, counts.value


def test_killed_at_any_moment_the_same_rows(words: Path) -> None:
    """Before one file appears and after another: mixtures, records, scores, rows, forecast."""
    study = plan(recipe(VOLUME, held_out="largest"), words / "whole")
    status, n = in_child(study, words / "whole", None)
    assert status == 0
    assert n > 40
    rows = (words / "whole" / "runs.jsonl").read_bytes()
    stable = without_timing(words / "whole")
    for at in range(0, n, 5):  # even: before a file appears, odd: after
        out = words / f"killed{at}"
        status, _ = in_child(study, out, at)
        assert status == -signal.SIGKILL
        run(study, out, STEPS)
        assert without_timing(out) == stable, at
        assert (out / "forecast.json").read_bytes() == (words / "whole" / "forecast.json").read_bytes()
    assert len(rows.splitlines()) == 3


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_a_run_writes_a_checkpoint_and_goes_on_from_it(words: Path, signum: int) -> None:
    """Nothing is faked: the run has one checkpoint only, the one that is written when it is told to stop."""
    train = {**TINY, "steps": 60, "checkpoint_every": 1000, "validate_every": 0, "device": "cpu"}
    study = plan(recipe({"kind": "fixed_real", "ratios": [0]}, train=train), words / "out")
    folder = words / "out" / "runs" / "real40-s0"

    def stop() -> None:
        until = time.monotonic() + 60
        log = folder / "log.jsonl"
        while time.monotonic() < until and not (log.exists() and log.stat().st_size):
            time.sleep(0.002)
        os.kill(os.getpid(), signum)

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(KeyboardInterrupt if signum == signal.SIGINT else SystemExit):
        run(study, words / "out", real_steps(), jobs=1)
    thread.join()
    assert (folder / ".build" / "checkpoint.pt").is_file()
    assert not (folder / "run.json").exists()
    if signum == signal.SIGINT:
        run(study, words / "out", real_steps(), jobs=1)
        run(study, words / "undisturbed", real_steps())
        assert without_timing(words / "out") == without_timing(words / "undisturbed")
