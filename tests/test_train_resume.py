"""A training that is stopped, killed or out of disk goes on, and ends as if nothing had happened."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import train_words
from click.testing import CliRunner

from glyphmix import main
from train import checkpoints, fit, run_folder
from train.training import Training

ROOT = Path(__file__).parents[1]
FULL = Path("/dev/full")
KILLED_IN_STEP_8 = """
import os, signal
from glyphmix import main
from train.training import Training
advance = Training.advance
def killed(self, *batch):
    loss = advance(self, *batch)
    if self.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    return loss
Training.advance = killed
main()
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    return train_words.two_sets(tmp_path)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, None)])
def test_a_stopped_run_goes_on_to_the_same_bits(
    number: int, status: int | None, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = train_words.recipe(checkpoint_every=100)
    undisturbed = fit.fit(recipe, tmp_path / "undisturbed", seed=0, mixture=mixture)
    advance = Training.advance

    def stopped(self: Training, *batch: Any) -> float:
        if self.step == 2:
            signal.raise_signal(number)
        return advance(self, *batch)

    monkeypatch.setattr(Training, "advance", stopped)
    with pytest.raises(SystemExit if status else KeyboardInterrupt) as stop:
        fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
    assert getattr(stop.value, "code", None) == status
    monkeypatch.setattr(Training, "advance", advance)
    saved = checkpoints.load(tmp_path / "run", torch.device("cpu"))
    assert saved is not None
    assert saved["step"] == 3, "the step that was under way is finished and kept"
    resumed = fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
    assert train_words.same_weights(tmp_path / "undisturbed", tmp_path / "run")
    logs = [(tmp_path / name / "log.jsonl").read_bytes() for name in ("undisturbed", "run")]
    assert logs[0] == logs[1]
    del undisturbed["timing"], resumed["timing"]
    assert undisturbed == resumed


@pytest.fixture
def arguments(mixture: Path, tmp_path: Path) -> list[str]:
    """Of the command, but for the output: 12 steps of 8 words, a checkpoint every 5."""
    toml = tmp_path / "train.toml"
    toml.write_text(
        'steps = 12\nbatch = 8\ncheckpoint_every = 5\nvalidate_every = 0\nthreads = 1\ndevice = "cpu"\n'
        '[model]\nkind = "conv_ctc"\nchannels = [8, 16, 16, 24]\nblocks = [0, 0, 0]\ntail = 48\n',
        encoding="utf-8",
    )
    return ["train", str(toml), "--mixture", str(mixture), "-o"]


def test_a_killed_run_goes_on_to_the_same_bits(arguments: list[str], tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.run([sys.executable, "-c", KILLED_IN_STEP_8, *arguments, str(killed)], cwd=ROOT)
    assert process.returncode == -signal.SIGKILL
    assert (killed / ".build" / "checkpoint.pt").is_file()
    assert not (killed / "run.json").exists()
    for out in (killed, whole):
        result = CliRunner().invoke(main, [*arguments, str(out)])
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(f"{out}: 12 steps, 96 words seen, ")
    assert train_words.same_weights(killed, whole)
    assert (killed / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("file", ["log.jsonl", "checkpoint.pt", "model.pt"])
def test_a_full_disk_is_one_sentence_and_the_run_goes_on(
    file: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, whole = tmp_path / "run", run_folder.whole

    @contextmanager
    def full(path: Path) -> Iterator[Path]:
        if path.name == file:
            yield FULL
            raise AssertionError(f"{path} was written to a full disk")
        with whole(path) as draft:
            yield draft

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "whole", full)
        if file == "log.jsonl":
            patch.setattr(run_folder, "cut_log", lambda out, step: (out / file).symlink_to(FULL))
        result = CliRunner().invoke(main, [*arguments, str(out)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == (
        "Error: the disk is full. Free some space and run the same command again: what was finished is kept."
    )
    again = CliRunner().invoke(main, [*arguments, str(out)])
    assert again.exit_code == 0, again.output
    assert len((out / "log.jsonl").read_text(encoding="utf-8").splitlines()) == 12


class FullForAMoment(io.RawIOBase):
    """Takes 20,000 bytes, then refuses once: as a disk does that has no room for much, but for a little."""

    def __init__(self) -> None:
        self.n_written, self.has_refused = 0, False

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        if self.n_written + len(part) > 20_000 and not self.has_refused:
            self.has_refused = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.n_written += len(part)
        return len(part)


def test_a_disk_that_is_full_for_large_parts_only_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch, writing to a file by itself, notices no more than that its own count of bytes is wrong."""
    (tmp_path / ".build").mkdir()
    monkeypatch.setattr(Path, "open", lambda path, mode: io.BufferedWriter(FullForAMoment()))
    with pytest.raises(OSError, match="No space left on device"):
        checkpoints.save(tmp_path, {"step": 1, "weights": torch.zeros(100_000)})
