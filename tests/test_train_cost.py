from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import train_words

from train import cost, fit
from train.cost import Meter
from train.training import Training


def burn(seconds: float) -> None:
    begun = time.process_time()
    while time.process_time() - begun < seconds:
        pass


def burn_and_wait(seconds: float, burnt: Callable[[], object], wait: Callable[[], object]) -> None:
    burn(seconds)
    burnt()
    wait()


def test_processor_time_is_that_of_work_not_of_waiting() -> None:
    meter = Meter()
    time.sleep(0.2)
    assert meter.state()["processor_seconds"] < 0.15
    burn(0.2)
    assert 0.2 <= meter.state()["processor_seconds"] < 0.4


def test_processor_time_of_children_counts_while_they_live_and_after() -> None:
    context, meter = multiprocessing.get_context("fork"), Meter()
    burnt, done = context.Event(), context.Event()
    child = context.Process(target=burn_and_wait, args=(0.3, burnt.set, done.wait))
    child.start()
    assert burnt.wait(30)
    assert meter.state()["processor_seconds"] >= 0.25
    done.set()
    child.join()
    assert 0.25 <= meter.state()["processor_seconds"] < 0.6


def test_a_meter_goes_on_where_another_stopped() -> None:
    meter = Meter()
    meter.restore({"seconds": 5.0, "processor_seconds": 7.0, "peak_memory_mb": 1e9})
    burn(0.1)
    state = meter.state()
    assert state["seconds"] == 5.0
    assert 7.1 <= state["processor_seconds"] < 7.4
    assert state["peak_memory_mb"] == 1e9


def test_peak_memory_holds_what_was_allocated() -> None:
    block = bytearray(60_000_000)
    block[::4096] = b"x" * len(block[::4096])
    del block
    assert cost.peak_memory_mb() > 60


def test_the_record_tells_the_cost_of_all_the_sittings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    mixture, advance = train_words.two_sets(tmp_path), Training.advance

    def slow(self: Training, *batch: object) -> float:
        if self.step == 4:
            monkeypatch.setattr(Training, "advance", advance)
            raise KeyboardInterrupt
        burn(0.1)
        return advance(self, *batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Training, "advance", slow)
    with pytest.raises(KeyboardInterrupt):
        fit.fit(train_words.recipe(), tmp_path / "run", seed=0, mixture=mixture)
    timing = fit.fit(train_words.recipe(), tmp_path / "run", seed=0, mixture=mixture)["timing"]
    assert sorted(timing) == ["peak_memory_mb", "processor_seconds", "seconds", "words_per_second"]
    assert timing["seconds"] >= 0.4
    assert timing["processor_seconds"] >= 0.4
    assert timing["peak_memory_mb"] > 100
