from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import train_words
from click.testing import CliRunner

from curation.core.errors import UserError
from curation.core.files import write_json
from glyphmix import main
from train import batches, fit, run_folder
from train.recipe import TrainRecipe
from train.training import Training, learning_rate

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    """30 words of one set, 20 of another; 10 held out."""
    first = train_words.dataset(tmp_path / "first", train_words.random_words(40))
    second = train_words.dataset(tmp_path / "second", train_words.random_words(20, length=4))
    return train_words.mixture(tmp_path / "mixture", first, second, held_out=10)


def same_weights(one: Path, other: Path) -> bool:
    states = [torch.load(path / "model.pt", weights_only=True)["state"] for path in (one, other)]
    return all(torch.equal(states[0][key], states[1][key]) for key in states[0] | states[1])


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
    assert same_weights(tmp_path / "a", tmp_path / "b")
    assert not same_weights(tmp_path / "a", tmp_path / "c")


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
    saved = run_folder.load_checkpoint(tmp_path / "run", torch.device("cpu"))
    assert saved is not None
    assert saved["step"] == 3, "the step that was under way is finished and kept"
    resumed = fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
    assert same_weights(tmp_path / "undisturbed", tmp_path / "run")
    logs = [(tmp_path / name / "log.jsonl").read_bytes() for name in ("undisturbed", "run")]
    assert logs[0] == logs[1]
    del undisturbed["timing"], resumed["timing"]
    assert undisturbed == resumed


def test_a_killed_run_goes_on_to_the_same_bits(mixture: Path, tmp_path: Path) -> None:
    toml = tmp_path / "train.toml"
    toml.write_text(
        'steps = 300\nbatch = 8\ncheckpoint_every = 20\nvalidate_every = 0\nthreads = 1\ndevice = "cpu"\n'
        '[model]\nkind = "conv_ctc"\nchannels = [8, 16, 16, 24]\nblocks = [0, 0, 0]\ntail = 48\n',
        encoding="utf-8",
    )
    arguments = ["train", str(toml), "--mixture", str(mixture), "-o"]
    program = [sys.executable, "-c", "from glyphmix import main; main()"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen([*program, *arguments, str(killed)], cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (killed / ".build" / "checkpoint.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert not (killed / "run.json").exists()
    for out in (killed, whole):
        result = CliRunner().invoke(main, [*arguments, str(out)])
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(f"{out}: 300 steps, 2,400 words seen, ")
    assert same_weights(killed, whole)
    assert (killed / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()


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

    def test_a_checkpoint_cut_short(
        self, mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def diverged(self: Training, *batch: Any) -> float:
            raise FloatingPointError("loss nan")

        advance = Training.advance
        monkeypatch.setattr(
            Training, "advance", lambda self, *b: (advance if self.step < 3 else diverged)(self, *b)
        )
        checkpoint = tmp_path / "run" / ".build" / "checkpoint.pt"
        assert self.refused(train_words.recipe(), tmp_path / "run", mixture) == (
            f"training {tmp_path / 'run'} diverged at step 3 (loss nan). "
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

    def test_a_protocol_without_charset(self, mixture: Path, tmp_path: Path) -> None:
        assert self.refused(train_words.recipe(protocol="exact"), tmp_path / "run", mixture) == (
            "protocol exact has no charset to learn. Train with parseq36 or parseq94."
        )

    def test_no_mixture(self, tmp_path: Path) -> None:
        assert self.refused(train_words.recipe(), tmp_path / "run", None) == (
            "the recipe names no mixture. Add the key 'mixture' with the folder of one."
        )

    def test_words_that_cannot_be_decoded(self, tmp_path: Path) -> None:
        hurt = train_words.dataset(tmp_path / "hurt", ["one", "two", "six"], broken=[1])
        mixture = train_words.mixture(tmp_path / "mixture", hurt)
        assert self.refused(train_words.recipe(), tmp_path / "run", mixture) == (
            f"1 of the mixture's words in {tmp_path / 'hurt'} cannot be decoded, the first being hurt:1: "
            "40 bytes that are no readable image. Make the dataset and the mixture anew."
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


def test_words_that_cannot_be_learned_are_counted(tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", ["one", "a" * 20, "!?", "two"])
    mixture = train_words.mixture(tmp_path / "mixture", words, protocol="exact")
    record = fit.fit(train_words.recipe(steps=1), tmp_path / "run", seed=0, mixture=mixture)
    assert record["unlearnable"] == {"too_long": 1, "empty": 1}


def test_learning_rate_rises_and_falls() -> None:
    recipe = train_words.recipe(steps=100, lr=1.0, warmup=0.1)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[10] == 1
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[99] < 1e-3
    assert sorted(rates[:11]) == rates[:11]
    assert sorted(rates[10:], reverse=True) == rates[10:]


def test_batches_follow_the_mixture(mixture: Path) -> None:
    from curation.core.labels import protocol
    from curation.mixture import Mixture

    opened = Mixture.open(mixture)
    network = train_words.TINY.build("abcdefghij")
    words = batches.Words(opened, network, protocol("parseq36"), (32, 128))
    source, row = opened.positions(45, 53)
    images, targets = words.batch(45, 53)
    labels = [
        opened.datasets()[s].table(["label"])["label"][r].as_py() for s, r in zip(source, row, strict=True)
    ]
    assert torch.equal(targets, network.encode(labels)[0])
    assert images.dtype == torch.uint8
    np.testing.assert_array_equal(images[2], batches.pack(opened.datasets()[source[2]]).images[row[2]])


def test_dry_run_says_what_would_be_done(mixture: Path, tmp_path: Path) -> None:
    arguments = ["train", "conv_ctc", "--mixture", str(mixture), "-o", str(tmp_path / "run"), "--dry-run"]
    result = CliRunner().invoke(main, arguments)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    assert result.output == (
        "model     conv_ctc, 2,021,893 parameters, 36 characters\n"
        f"mixture   {mixture}, 50 positions\n"
        f"training  5,000 steps of 128 words = 640,000 words, 12800.0 passes, on {device} in bf16\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.toml").write_text("step = 5\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["train", str(tmp_path / "train.toml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 1
    assert result.output == "Error: unknown key 'step' in train.toml. Did you mean 'steps'?\n"


def test_a_run_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"kind": "run", "format": 99})
    with pytest.raises(UserError) as error:
        run_folder.read_record(tmp_path)
    assert str(error.value) == f"{tmp_path} has format 99; this glyphmix reads up to 1. Update it."
