"""Two processes on one machine, found through the environment as ``torchrun`` sets it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import small_recipe
import torch
import train_words

from curation.core.errors import UserError
from train import fit
from train.augments.mild import Mild
from train.averages.ema import Ema
from train.data.rendered import Rendered
from train.processes import Processes
from train.recipe import TrainRecipe, resolve
from train.training import Training

LOST = (
    "another of the processes that train together has ended, and this one cannot go on alone. "
    "See what it said, and give the same command again: it goes on from the last checkpoint."
)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["train_words", "train.fit", "torch._dynamo", "torch.distributed"]
)  # seconds of imports, once


@dataclass(frozen=True)
class Said:
    """How a process ended: its exit status, and what it said if it was a mistake."""

    status: int | None
    error: str = ""


def train_one(
    said: dict[str, str],
    out: Path,
    mixture: Path,
    dies: tuple[int, int],
    errors: Path,
    rendered: Rendered | None,
) -> None:
    """Be one of the processes; the second sends itself a signal in a step, ``dies`` being both numbers."""
    os.environ.update(said)
    advance = Training.advance

    def dying(self: Training, *words: Any) -> torch.Tensor:
        if said["RANK"] == "1" and self.step == dies[0]:
            os.kill(os.getpid(), dies[1])
        return advance(self, *words)

    Training.advance = dying  # type: ignore[method-assign]
    recipe = train_words.recipe(
        model=train_words.Plain(), augment=Mild(), precision="float32", steps=8, batch=7, accumulate=2,
        checkpoint_every=3, validate_every=4, average=Ema(), rendered=rendered,
    )  # fmt: skip
    try:
        fit.fit(recipe, out, seed=0, mixture=mixture)
    except UserError as error:
        errors.write_text(str(error), encoding="utf-8")
        sys.exit(1)


def start(
    count: int, out: Path, folder: Path, dies: tuple[int, int] = (-1, 0), rendered: Rendered | None = None
) -> list[Said]:
    """Run ``count`` processes to their ends, by rank."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"GLYPHMIX_CACHE": folder / "cache"}
    started = []
    for rank in range(count):
        said = {key: str(value) for key, value in (shared | {"RANK": rank, "LOCAL_RANK": rank}).items()}
        errors = out.with_name(f"{out.name}.{rank}.txt")
        errors.unlink(missing_ok=True)
        arguments = said, out, folder / "mixture", dies, errors, rendered
        process = FORKS.Process(target=train_one, args=arguments)
        process.start()
        started.append((process, errors))
    for process, _ in started:
        process.join(120)
        if process.is_alive():  # its status stays None; left alone, it would keep pytest from ending
            process.kill()
    return [
        Said(process.exitcode, errors.read_text("utf-8") if errors.is_file() else "")
        for process, errors in started
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    train_words.two_sets(folder)
    return folder


@pytest.fixture(scope="module")
def alone(folder: Path) -> list[dict[str, float]]:
    """The log of one process."""
    assert start(1, folder / "alone", folder) == [Said(0)]
    return log(folder / "alone")


def log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]


def same(one: list[dict[str, float]], other: list[dict[str, float]]) -> bool:
    for a, b in zip(one, other, strict=True):
        if a["step"] != b["step"] or a["loss"] != pytest.approx(b["loss"], rel=1e-4, abs=1e-5):
            return False
    return True


def test_two_processes_have_the_losses_of_one(folder: Path, alone: list[dict[str, float]]) -> None:
    assert start(2, folder / "two", folder) == [Said(0), Said(0)]
    assert same(alone, log(folder / "two"))
    one, two = (json.loads((folder / name / "run.json").read_text("utf-8")) for name in ("alone", "two"))
    assert (one["processes"], two["processes"]) == (1, 2)
    assert one["validation"] == two["validation"]
    assert two["timing"]["processor_seconds"] > 0


def test_rendered_words_are_divided_and_counted_over_both(folder: Path) -> None:
    recipe = small_recipe.write_recipe(folder)
    (folder / "words.txt").write_text(f"alpha\n{'a' * 20}\n", encoding="utf-8")
    rendered = Rendered(recipe=str(recipe), jobs=1)
    for count, name in ((1, "rendered_alone"), (2, "rendered_two")):
        assert start(count, folder / name, folder, rendered=rendered) == [Said(0)] * count
    assert same(log(folder / "rendered_alone"), log(folder / "rendered_two"))
    one, two = (
        json.loads((folder / name / "run.json").read_text("utf-8"))
        for name in ("rendered_alone", "rendered_two")
    )
    assert one["rendered"] == two["rendered"]
    assert one["rendered"]["words"] == 42
    assert 0 < one["rendered"]["unlearnable"]["too_long"] < 42


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_ends_ends_the_other_and_the_run_goes_on(
    number: signal.Signals, folder: Path, alone: list[dict[str, float]]
) -> None:
    out = folder / number.name
    ends = start(2, out, folder, (5, int(number)))
    if number == signal.SIGKILL:
        assert ends == [Said(1, LOST), Said(-signal.SIGKILL)]
    else:  # it tells the other at the end of the step, and both stop there
        assert ends == [Said(143), Said(143)]
    assert not (out / "run.json").exists()
    assert start(2, out, folder) == [Said(0), Said(0)]
    assert same(alone, log(out))


def test_a_mistake_is_said_once(folder: Path) -> None:
    out = folder / "taken"
    out.mkdir()
    said = f"output {out} exists already. Remove it or give another name with -o."
    assert start(2, out, folder) == [Said(1, said), Said(1)]


def test_words_are_divided_as_equally_as_can_be() -> None:
    found = [Processes(rank=rank, count=3).part(8) for rank in range(3)]
    assert found == [slice(0, 2), slice(2, 5), slice(5, 8)]


def test_without_torchrun_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert Processes.from_environment() == Processes()


def test_threads_are_shared_among_the_processes_of_a_machine() -> None:
    recipe = TrainRecipe(mixture=Path("m"), device="cpu")
    cores = len(os.sched_getaffinity(0))
    assert resolve(recipe, None, Processes(count=2, local_count=2)).threads == max(1, cores // 2)


def test_more_processes_than_words() -> None:
    with pytest.raises(UserError) as error:
        resolve(TrainRecipe(mixture=Path("m"), batch=6, accumulate=2), None, Processes(count=4))
    assert str(error.value) == (
        "a batch of 6 words cannot be divided among 4 processes, in 2 parts each. "
        "Make batch larger, or start fewer processes."
    )


def test_another_number_of_processes_does_not_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(self: Training, *words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Training, "advance", stop)
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    with pytest.raises(KeyboardInterrupt):
        fit.fit(train_words.recipe(), tmp_path / "run", seed=0, mixture=folder / "mixture")
    record = json.loads((tmp_path / "run" / ".build" / "job.json").read_text("utf-8"))
    assert record["processes"] == 1
