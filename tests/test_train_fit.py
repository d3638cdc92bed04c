from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import train_words
from click.testing import CliRunner

from curation.core import fingerprint
from curation.core.errors import UserError
from curation.core.files import write_json
from glyphmix import main
from train import fit, run_folder
from train.augments import augments
from train.processes import ALONE
from train.recipe import TrainRecipe
from train.training import Training, learning_rate


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    return train_words.two_sets(tmp_path)


def test_the_record_says_what_was_trained_on_what(mixture: Path, tmp_path: Path) -> None:
    record = fit.fit(train_words.recipe(), tmp_path / "run", seed=3, mixture=mixture)
    assert record == json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["mixture"]["sources"] == [
        {"name": "first", "unique": 30, "seen": 29},
        {"name": "second", "unique": 20, "seen": 19},
    ]
    assert (record["kind"], record["seed"], record["steps"], record["samples_seen"]) == ("run", 3, 6, 48)
    assert record["recipe"]["model"]["kind"] == "conv_ctc"
    assert record["recipe"]["augment"] == {"kind": "none"}
    assert record["validation"]["n_used"] == 10
    assert record["validation"]["accuracy_low"] <= record["validation"]["accuracy"]
    lines = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    log = [json.loads(line) for line in lines]
    assert [entry["step"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert ["validation" in entry for entry in log] == [False, False, False, True, False, False]
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "log.jsonl", "model.pt", "run.json", "trained_on.npz",
    ]  # fmt: skip


def test_seeds_differ_and_repeat(mixture: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit.fit(train_words.recipe(steps=2), tmp_path / name, seed=seed, mixture=mixture)
    assert train_words.same_weights(tmp_path / "a", tmp_path / "b")
    assert not train_words.same_weights(tmp_path / "a", tmp_path / "c")


class TestRefusals:
    def refused(self, recipe: TrainRecipe, out: Path, mixture: Path | None, seed: int = 0) -> str:
        with pytest.raises(UserError) as error:
            fit.fit(recipe, out, seed=seed, mixture=mixture)
        return str(error.value)

    def test_a_finished_run(self, mixture: Path, tmp_path: Path) -> None:
        fit.fit(train_words.recipe(steps=1), tmp_path / "run", seed=0, mixture=mixture)
        assert self.refused(train_words.recipe(steps=1), tmp_path / "run", mixture) == (
            f"output {tmp_path / 'run'} holds a finished run. Remove it or give another name with -o."
        )

    def test_other_files(self, mixture: Path, tmp_path: Path) -> None:
        assert self.refused(train_words.recipe(), tmp_path, mixture) == (
            f"output {tmp_path} exists already. Remove it or give another name with -o."
        )

    def test_an_unfinished_run_of_another_recipe(
        self, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stopped(self: Training, *batch: Any) -> float:
            raise KeyboardInterrupt

        monkeypatch.setattr(Training, "advance", stopped)
        with pytest.raises(KeyboardInterrupt):
            fit.fit(train_words.recipe(), tmp_path / "run", seed=0, mixture=mixture)
        other = train_words.recipe(lr=0.5, steps=7)
        assert self.refused(other, tmp_path / "run", mixture, seed=1) == (
            f"output {tmp_path / 'run'} holds an unfinished run that differs in: "
            "recipe.lr, recipe.steps, seed. Repeat the command it was begun with, or remove the folder."
        )

    @pytest.mark.parametrize("kind", ["none", "albumentations"])
    def test_an_unfinished_run_of_another_opencv(
        self, kind: str, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stopped(self: Training, *batch: Any) -> float:
            raise KeyboardInterrupt

        monkeypatch.setattr(Training, "advance", stopped)
        recipe = train_words.recipe(augment=augments.get(kind)())
        with pytest.raises(KeyboardInterrupt):
            fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
        now, drawing = fingerprint.versions, {"albumentations", "opencv-python-headless"}
        monkeypatch.setattr(
            fingerprint, "versions", lambda names: now(names) | dict.fromkeys(drawing & {*names}, "0")
        )
        package = "versions.albumentations, " if kind == "albumentations" else ""
        assert self.refused(recipe, tmp_path / "run", mixture) == (
            f"output {tmp_path / 'run'} holds an unfinished run that differs in: "
            f"{package}versions.opencv-python-headless. "
            "Repeat the command it was begun with, or remove the folder."
        )

    def test_a_checkpoint_cut_short(
        self, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def diverged(self: Training, *batch: Any) -> torch.Tensor:
            self.step += 1
            return torch.tensor([math.nan, 2.0])

        advance = Training.advance
        monkeypatch.setattr(
            Training, "advance", lambda self, *b: (advance if self.step < 3 else diverged)(self, *b)
        )
        checkpoint = tmp_path / "run" / ".build" / "checkpoint.pt"
        assert self.refused(train_words.recipe(), tmp_path / "run", mixture) == (
            f"training {tmp_path / 'run'} diverged at step 4 (loss nan, gradient norm 2). "
            f"Step 2 is kept in {checkpoint}; lower lr and train to another folder."
        )
        os.truncate(checkpoint, checkpoint.stat().st_size // 2)
        assert self.refused(train_words.recipe(), tmp_path / "run", mixture) == (
            f"{checkpoint} is damaged or cut short. Remove {tmp_path / 'run'} and train again."
        )

    def test_a_loss_that_is_not_finite(self, mixture: Path, tmp_path: Path) -> None:
        message = self.refused(train_words.recipe(lr=1e30, warmup=0, steps=20), tmp_path / "run", mixture)
        assert message.startswith(f"training {tmp_path / 'run'} diverged at step ")
        assert message.endswith("lower lr and train to another folder.")

    def test_another_number_of_cores_only_where_it_matters(self) -> None:
        for device, n_jobs in (("cpu", 2), ("cuda", 1)):
            recipes = [train_words.recipe(device=device, threads=n) for n in (1, 2)]
            jobs = [json.dumps(fit._job(recipe, 0, None, None, ALONE)) for recipe in recipes]
            assert len({*jobs}) == n_jobs, device

    def test_a_protocol_without_charset(self, mixture: Path, tmp_path: Path) -> None:
        assert self.refused(train_words.recipe(protocol="exact"), tmp_path / "run", mixture) == (
            "protocol exact has no charset to learn. Train with parseq36 or parseq94."
        )

    def test_no_mixture(self, tmp_path: Path) -> None:
        assert self.refused(train_words.recipe(), tmp_path / "run", None) == (
            "the recipe names no mixture. "
            "Add the key 'mixture' with the folder of one, or a table 'rendered'."
        )

    def test_words_that_cannot_be_decoded(self, tmp_path: Path) -> None:
        hurt = train_words.dataset(tmp_path / "hurt", ["one", "two", "six"], broken=[1])
        mixture = train_words.mixture(tmp_path / "mixture", hurt)
        assert self.refused(train_words.recipe(), tmp_path / "run", mixture) == (
            f"1 of the mixture's words in {tmp_path / 'hurt'} cannot be decoded, the first being hurt:1: "
            "the PNG file is cut short. Make the dataset and the mixture anew."
        )

    def test_no_word_to_learn(self, tmp_path: Path) -> None:
        long = train_words.dataset(tmp_path / "long", ["a" * 24, "!!"])
        mixture = train_words.mixture(tmp_path / "mixture", long, protocol="exact")
        assert self.refused(train_words.recipe(), tmp_path / "run", mixture) == (
            f"no word of the mixture {mixture} can be learned under protocol parseq36 "
            "(1 empty, 1 too_long). Check its labels and the recipe's protocol."
        )
        assert not (tmp_path / "run" / "log.jsonl").exists()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"steps": 0}, "steps must be 1 or more, got 0"),
            ({"lr": 0.0}, "lr and clip must be above 0, got 0 and 5"),
            ({"threads": 0}, "threads must be 1 or more, got 0"),
            ({"validate_every": -1}, "validate_every must be 0 or more, got -1"),
            ({"weight_decay": -1.0}, "weight_decay must be 0 or more, got -1"),
            ({"warmup": 1.5}, "warmup must be from 0 to 1, got 1.5"),
        ],
    )
    def test_numbers_out_of_range(self, change: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
            train_words.recipe(**change)
        assert str(error.value) == message


def test_learning_rate_rises_and_falls() -> None:
    recipe = train_words.recipe(steps=100, lr=1.0, warmup=0.1)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[10] == 1
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[99] < 1e-3
    assert sorted(rates[:11]) == rates[:11]
    assert sorted(rates[10:], reverse=True) == rates[10:]


def test_dry_run_says_what_would_be_done(mixture: Path, tmp_path: Path) -> None:
    arguments = ["train", "conv_ctc", "--mixture", str(mixture), "-o", str(tmp_path / "run"), "--dry-run"]
    result = CliRunner().invoke(main, arguments)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    *said, time = result.output.splitlines()
    assert "\n".join(said) == (
        "model     conv_ctc, 1,271,157 parameters, 36 characters\n"
        "weights   drawn at random\n"
        f"mixture   {mixture}, 50 positions\n"
        "          packed: 60 words, 0.7 MB\n"
        f"training  5,000 steps of 128 words = 640,000 words, 12800.0 passes, on {device} in bf16\n"
        "          adamw, learning rate up to 0.002, 500 steps of warm-up, then one_cycle\n"
        "          average of weights: none; compiled: no"
    )
    duration = r"\d+ (seconds|minutes|hours|days)"
    assert re.fullmatch(rf"time      about {duration} at [\d,]+ words/s, tried on a few steps", time)
    assert not (tmp_path / "run").exists()


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.toml").write_text("step = 5\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["train", str(tmp_path / "train.toml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 1
    assert result.output == "Error: unknown key 'step' in train.toml. Did you mean 'steps' or 'ns_steps'?\n"


def test_a_run_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"kind": "run", "format": 99})
    with pytest.raises(UserError) as error:
        run_folder.read_record(tmp_path)
    assert str(error.value) == f"{tmp_path} has format 99; this glyphmix reads up to 1. Update it."
