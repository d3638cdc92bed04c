from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import train_words

from curation.core.errors import UserError
from train import compiling, fit, loop
from train.dry_run import dry_run
from train.loop import Loop
from train.recipe import TrainRecipe, resolve
from train.training import Training

CPU = torch.device("cpu")
Does = Callable[[TrainRecipe, Path, Path], object]


def train(recipe: TrainRecipe, out: Path, mixture: Path) -> None:
    fit.fit(recipe, out, seed=0, mixture=mixture)


def only_plan(recipe: TrainRecipe, out: Path, mixture: Path) -> None:
    dry_run(resolve(recipe, mixture))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    return train_words.two_sets(tmp_path)


def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """Look at losses only every so many steps, and when there is something else to do."""
    is_due = Loop._is_due

    def seldom(self: Loop, stop: list[BaseException]) -> bool:
        step, settles = self.training.step, self._saves() or self._validates()
        return is_due(self, stop) and (step % every == 0 or step == self.recipe.steps or settles)

    monkeypatch.setattr(Loop, "_is_due", seldom)


def test_looking_at_losses_late_writes_the_same_log(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = train_words.recipe(steps=11, checkpoint_every=6)
    fit.fit(recipe, tmp_path / "each", seed=0, mixture=mixture)
    as_on_a_gpu(monkeypatch, 5)
    fit.fit(recipe, tmp_path / "late", seed=0, mixture=mixture)
    logs = [(tmp_path / name / "log.jsonl").read_bytes() for name in ("each", "late")]
    assert logs[0] == logs[1]
    assert train_words.same_weights(tmp_path / "each", tmp_path / "late")


def test_a_loss_that_is_seen_late_is_of_its_own_step_and_nothing_after_it_is_kept(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Training.advance

    def diverged(self: Training, *words: Any) -> torch.Tensor:
        seen = advance(self, *words)
        return seen * math.nan if self.step == 8 else seen

    monkeypatch.setattr(Training, "advance", diverged)
    as_on_a_gpu(monkeypatch, 50)
    recipe = train_words.recipe(steps=20, checkpoint_every=5, validate_every=0)
    with pytest.raises(UserError) as error:
        fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
    assert str(error.value) == (
        f"training {tmp_path / 'run'} diverged at step 8 (loss nan, gradient norm nan). "
        f"Step 5 is kept in {tmp_path / 'run' / '.build' / 'checkpoint.pt'}; "
        "lower lr and train to another folder."
    )
    assert len((tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()) == 7


def test_the_bar_shows_loss_and_accuracy_last_measured(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    class Bar(loop.tqdm):  # type: ignore[misc, type-arg, name-defined]
        def set_postfix(self, values: Any, refresh: bool = True) -> None:
            shown.append(", ".join(f"{key} {value}" for key, value in values.items()))

    monkeypatch.setattr(loop, "progress", lambda total, unit, what: Bar(total=total, disable=True))
    fit.fit(train_words.recipe(steps=3, validate_every=2), tmp_path / "run", seed=0, mixture=mixture)
    assert [text.partition(" ")[0] for text in shown] == ["loss", "loss", "loss"]
    assert ["accuracy" in text for text in shown] == [False, True, True]
    assert shown[2].endswith("accuracy 0.0 %")


class TestTensorBoard:
    def test_a_log_that_goes_on_has_each_step_once(
        self, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        recipe, advance = train_words.recipe(tensorboard=True, steps=7, checkpoint_every=3), Training.advance

        def killed(self: Training, *words: Any) -> torch.Tensor:
            if self.step == 5:
                raise KeyboardInterrupt
            return advance(self, *words)

        monkeypatch.setattr(Training, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
        monkeypatch.setattr(Training, "advance", advance)
        fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
        events = accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
        events.Reload()
        assert sorted(events.Tags()["scalars"]) == ["loss", "lr", "validation/accuracy"]
        assert [event.step for event in events.Scalars("loss")] == [1, 2, 3, 4, 5, 6, 7]
        assert [event.step for event in events.Scalars("validation/accuracy")] == [4]

    @pytest.mark.parametrize("does", [train, only_plan])
    def test_a_missing_package_is_one_sentence(
        self, does: Does, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(UserError) as error:
            does(train_words.recipe(tensorboard=True), tmp_path / "run", mixture)
        assert str(error.value) == (
            "the recipe says tensorboard = true, and the package tensorboard is not installed. "
            "Install it with: pip install 'glyphmix[tensorboard]', or set tensorboard to false."
        )
        assert not (tmp_path / "run").exists()


class TestCompile:
    # torch's compiler asks for it where a graph breaks, as at the loss of CTC.
    @pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
    def test_a_compiled_loss_trains_as_the_plain_one(
        self, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With the backend that traces and differentiates, but writes no C++, which takes a minute."""
        monkeypatch.setattr(compiling, "BACKEND", "aot_eager")
        for name, compile_ in (("plain", False), ("compiled", True)):
            recipe = train_words.recipe(
                model=train_words.Plain(), precision="float32", compile=compile_, steps=3, validate_every=0
            )
            fit.fit(recipe, tmp_path / name, seed=0, mixture=mixture)
        states = [torch.load(tmp_path / name / "model.pt")["state"] for name in ("plain", "compiled")]
        assert list(states[0]) == list(states[1])
        torch.testing.assert_close(states[0], states[1])

    @pytest.mark.parametrize("does", [train, only_plan])
    def test_no_compiler_is_one_sentence(
        self, does: Does, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CXX", "no-such-compiler")
        with pytest.raises(UserError) as error:
            does(train_words.recipe(compile=True), tmp_path / "run", mixture)
        assert str(error.value) == (
            "the recipe says compile = true, and there is no C++ compiler no-such-compiler. "
            "Install it or name another one in CXX, or set compile to false."
        )
        assert not (tmp_path / "run").exists()
