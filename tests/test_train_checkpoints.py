from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
import train_words

from curation.core.errors import UserError
from train import checkpoints, fit
from train.recipe import TrainRecipe
from train.training import Training

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    return train_words.two_sets(tmp_path)


def stop_at(step: int, patches: pytest.MonkeyPatch, recipe: TrainRecipe, out: Path, mixture: Path) -> None:
    """Train until ``step`` is to begin, as if killed then."""
    advance = Training.advance

    def killed(self: Training, *words: Any) -> torch.Tensor:
        if self.step == step:
            raise KeyboardInterrupt
        return advance(self, *words)

    with patches.context() as patch:
        patch.setattr(Training, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            fit.fit(recipe, out, seed=0, mixture=mixture)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out" / ".build").mkdir(parents=True)
    return tmp_path / "out"


def test_none_is_kept_before_the_first(out: Path) -> None:
    assert checkpoints.load(out, CPU) is None


def test_the_last_is_gone_on_from(out: Path) -> None:
    for step in (1, 2, 3):
        checkpoints.save(out, {"step": step})
    found = checkpoints.load(out, CPU)
    assert found is not None
    assert found["step"] == 3
    assert sorted(path.name for path in (out / ".build").iterdir()) == [
        "checkpoint.before.pt",
        "checkpoint.pt",
    ]


def test_a_damaged_one_leaves_the_one_before(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step in (1, 2, 3):
        checkpoints.save(out, {"step": step})
    last = out / ".build" / "checkpoint.pt"
    os.truncate(last, 100)
    found = checkpoints.load(out, CPU)
    assert found is not None
    assert found["step"] == 2
    assert capsys.readouterr().err == (
        f"Warning: {last} is damaged or cut short. Going on from the checkpoint before it, step 2.\n"
    )


def test_a_damaged_one_never_takes_the_place_of_a_whole_one(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (1, 2):
        checkpoints.save(out, {"step": step})
    os.truncate(out / ".build" / "checkpoint.pt", 100)
    checkpoints.load(out, CPU)

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write_tensors", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(out, {"step": 2})
    found = checkpoints.load(out, CPU)
    assert found is not None
    assert found["step"] == 1


def test_two_damaged_ones_are_an_error(out: Path) -> None:
    for step in (1, 2):
        checkpoints.save(out, {"step": step})
    for name in ("checkpoint.pt", "checkpoint.before.pt"):
        os.truncate(out / ".build" / name, 0)
    with pytest.raises(UserError) as error:
        checkpoints.load(out, CPU)
    assert str(error.value) == (
        f"{out / '.build' / 'checkpoint.before.pt'} is damaged or cut short. Remove {out} and train again."
    )


@pytest.mark.parametrize("found", [1, 99])
def test_one_of_another_format_is_an_error(found: int, out: Path) -> None:
    state = {"step": 1} if found == 1 else {"step": 1, "format": found}
    torch.save(state, out / ".build" / "checkpoint.pt")
    with pytest.raises(UserError) as error:
        checkpoints.load(out, CPU)
    assert str(error.value) == (
        f"{out / '.build' / 'checkpoint.pt'} has format {found}, and this glyphmix goes on from format 2 "
        f"only. Finish the run with the version that began it, or remove {out} and train again."
    )


def test_a_file_system_without_hard_links_keeps_the_last_alone(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: Path) -> None:
        raise PermissionError("no hard links")

    monkeypatch.setattr(os, "link", refuse)
    for step in (1, 2):
        checkpoints.save(out, {"step": step})
    assert [path.name for path in (out / ".build").iterdir()] == ["checkpoint.pt"]


def test_a_run_whose_last_checkpoint_is_damaged_ends_with_the_same_bits(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = train_words.recipe()
    fit.fit(recipe, tmp_path / "whole", seed=0, mixture=mixture)
    stop_at(5, monkeypatch, recipe, tmp_path / "hurt", mixture)
    os.truncate(tmp_path / "hurt" / ".build" / "checkpoint.pt", 5_000)
    fit.fit(recipe, tmp_path / "hurt", seed=0, mixture=mixture)
    assert train_words.same_weights(tmp_path / "whole", tmp_path / "hurt")
    logs = [(tmp_path / name / "log.jsonl").read_bytes() for name in ("whole", "hurt")]
    assert logs[0] == logs[1]


def test_what_does_not_change_the_weights_may_change_when_a_run_goes_on(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit.fit(train_words.recipe(), tmp_path / "whole", seed=0, mixture=mixture)
    stop_at(3, monkeypatch, train_words.recipe(), tmp_path / "run", mixture)
    changed = train_words.recipe(checkpoint_every=50, validate_every=5, device="auto" if no_gpu() else "cpu")
    record = fit.fit(changed, tmp_path / "run", seed=0, mixture=mixture)
    assert train_words.same_weights(tmp_path / "whole", tmp_path / "run")
    assert record["recipe"]["validate_every"] == 5
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()]
    assert [entry["step"] for entry in log if "validation" in entry] == [5]


def no_gpu() -> bool:
    return not torch.cuda.is_available()


def test_the_log_is_on_the_disk_before_a_checkpoint_of_its_steps(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut could leave a log that lacks steps, to which the run goes on adding."""
    synced: list[tuple[str, int]] = []
    fsync = os.fsync

    def noted(number: int) -> None:
        fsync(number)
        path = Path(f"/proc/self/fd/{number}").resolve()
        synced.append((path.name, path.stat().st_size))

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not tell the name of an open file")
    monkeypatch.setattr(os, "fsync", noted)
    fit.fit(train_words.recipe(steps=2, validate_every=0), tmp_path / "run", seed=0, mixture=mixture)
    names = [name for name, _ in synced]
    at = names.index(".checkpoint.pt.tmp")
    assert names[at - 1] == "log.jsonl"
    assert synced[at - 1][1] == (tmp_path / "run" / "log.jsonl").stat().st_size > 0


@pytest.mark.parametrize("line", [b"\0\0\0\n", b"{}\n", b"3\n", b"\xff\n"])
def test_a_damaged_log_is_one_sentence(
    line: bytes, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    stop_at(3, monkeypatch, train_words.recipe(), out, mixture)
    (out / "log.jsonl").write_bytes((out / "log.jsonl").read_bytes() + line)
    with pytest.raises(UserError) as error:
        fit.fit(train_words.recipe(), out, seed=0, mixture=mixture)
    n = len((out / "log.jsonl").read_bytes().splitlines())
    assert str(error.value) == (
        f"{out / 'log.jsonl'} is damaged in line {n}. Remove it to go on without the log so far, "
        f"or remove {out} and train again."
    )


def test_weights_that_are_not_finite_are_never_kept(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Training.advance

    def spoilt(self: Training, *words: Any) -> torch.Tensor:
        seen = advance(self, *words)
        if self.step == 4:
            next(self.network.parameters()).data[0] = torch.inf
        return seen

    monkeypatch.setattr(Training, "advance", spoilt)
    with pytest.raises(UserError) as error:
        fit.fit(train_words.recipe(), tmp_path / "run", seed=0, mixture=mixture)
    kept = tmp_path / "run" / ".build" / "checkpoint.pt"
    assert str(error.value) == (
        f"training {tmp_path / 'run'} diverged at step 4 (weights are not finite). "
        f"Step 2 is kept in {kept}; lower lr and train to another folder."
    )
    state = checkpoints.load(tmp_path / "run", CPU)
    assert state is not None
    assert state["step"] == 2
