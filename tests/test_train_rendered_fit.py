"""Whole trainings on words rendered as it goes: what they record, and that they go on after a kill."""

from __future__ import annotations

import json
import multiprocessing
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_recipe
import train_words
from click.testing import CliRunner

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.mixture import Mixture
from glyphmix import main
from synthgen.render import load, render
from train import fit
from train.data.rendered import Rendered
from train.data.rendered_words import RenderedWords
from train.evaluation.evaluate import evaluate
from train.inits.run import FromRun
from train.training import Training

ROOT = Path(__file__).parents[1]
KILLED_IN_STEP_3 = """
import os, signal
from glyphmix import main
from synthgen.render import load, render
from train.training import Training
advance = Training.advance
def killed(self, *batch):
    loss = advance(self, *batch)
    if self.step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return loss
Training.advance = killed
if __name__ == "__main__":
    main()
"""
TRAIN = """
steps = 5
batch = 8
checkpoint_every = 2
validate_every = 0
threads = 1
device = "cpu"
model = {{ kind = "conv_ctc", channels = [8, 16, 16, 24], blocks = [0, 0, 0], tail = 48 }}

[rendered]
recipe = "{recipe}"
validation = 20
per_word = 3
jobs = {jobs}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_recipe.write_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


def write_toml(folder: Path, recipe: Path, jobs: int = 1) -> str:
    toml = folder / f"train{jobs}.toml"
    toml.write_text(TRAIN.format(recipe=recipe, jobs=jobs), encoding="utf-8")
    return str(toml)


def test_a_killed_run_goes_on_with_other_jobs_to_the_same_bits(recipe: Path, tmp_path: Path) -> None:
    mixture = train_words.two_sets(tmp_path)
    options = ["--mixture", str(mixture), "-o"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    arguments = ["train", write_toml(tmp_path, recipe), *options, str(killed)]
    process = subprocess.run([sys.executable, "-c", KILLED_IN_STEP_3, *arguments], cwd=ROOT)
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "run.json").exists()
    for out in (killed, whole):
        result = CliRunner().invoke(main, ["train", write_toml(tmp_path, recipe, 2), *options, str(out)])
        assert result.exit_code == 0, result.output
    assert train_words.same_weights(killed, whole)
    records = [json.loads((out / "run.json").read_text(encoding="utf-8")) for out in (killed, whole)]
    for record in records:
        del record["timing"]
    assert records[0] == records[1]
    assert records[0]["rendered"]["words"] == 30
    assert [source["seen"] for source in records[0]["mixture"]["sources"]] == [6, 4]
    assert not multiprocessing.active_children()


def test_a_run_on_rendered_words_alone_says_what_they_were(recipe: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["train", write_toml(tmp_path, recipe), "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].startswith("word accuracy on the 20 rendered words held out: ")
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    rendered = record["rendered"]
    assert record["mixture"] is None
    assert (rendered["recipe_name"], rendered["seed"], rendered["words"]) == ("small", 0, 40)
    assert rendered["recipe"]["words"][0]["source"]["kind"] == "word_list"
    assert rendered["inputs"]["fonts"]["count"] == 1
    assert rendered["uid_prefix"].startswith("small-")
    assert rendered["unlearnable"] == {}
    render(load(str(recipe)), tmp_path / "test", n=45)
    (score,) = evaluate(tmp_path / "run", [tmp_path / "test"], protocol="parseq36")
    assert score.n_trained_on == 40


def test_words_held_out_that_are_also_rendered_as_it_goes_are_counted(recipe: Path, tmp_path: Path) -> None:
    """The same recipe and seed, once to the disk and once live: numbers 0 to 29 are learned from."""
    render(load(str(recipe)), tmp_path / "disk", n=60)
    disk = Dataset.open(tmp_path / "disk")
    mixture = train_words.mixture(tmp_path / "mixture", disk, held_out=40)
    _, rows = Mixture.open(mixture).validation()
    rendered = Rendered(recipe=str(recipe), per_word=3, jobs=1)
    record = fit.fit(
        train_words.recipe(steps=5, rendered=rendered), tmp_path / "run", seed=0, mixture=mixture
    )
    n = int((np.asarray(rows) < 30).sum())
    assert n > 0
    assert record["rendered"]["words"] == 30
    assert record["validation"]["n_trained_on"] == n


def test_a_run_begun_with_one_of_the_next_seed_has_learned_the_words_held_out(
    recipe: Path, tmp_path: Path
) -> None:
    short = train_words.recipe(steps=1, rendered=Rendered(recipe=str(recipe), seed=1, validation=12, jobs=1))
    fit.fit(short, tmp_path / "first", seed=0)
    rendered = Rendered(recipe=str(recipe), seed=0, validation=12, jobs=1)
    second = replace(short, rendered=rendered, init=FromRun(path=tmp_path / "first"))
    record = fit.fit(second, tmp_path / "second", seed=0)
    assert record["validation"]["n_used"] == 12
    assert record["validation"]["n_trained_on"] == 8, "those of the one batch of 8"


def test_a_stopped_run_leaves_no_processes(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Training.advance

    def stopped(self: Training, *batch: object) -> float:
        signal.raise_signal(signal.SIGTERM)
        return advance(self, *batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Training, "advance", stopped)
    rendered = Rendered(recipe=str(recipe), validation=0, jobs=1)
    with pytest.raises(SystemExit):
        fit.fit(train_words.recipe(rendered=rendered), tmp_path / "run", seed=0)
    assert not multiprocessing.active_children()


class TestWordsThatCannotBeLearned:
    def words(self, recipe: Path, folder: Path, labels: str) -> RenderedWords:
        other = folder / "other.toml"
        (folder / "words.txt").write_text(labels, encoding="utf-8")
        text = recipe.read_text(encoding="utf-8")
        other.write_text(
            text.replace(f"{recipe.parent / 'words.txt'}", f"{folder / 'words.txt'}"), encoding="utf-8"
        )
        opened = Rendered(recipe=str(other), jobs=1)
        network = train_words.TINY.build("abcdefg")
        stream = opened.open(fit.protocol("parseq36"), (32, 128))
        return RenderedWords(opened, stream, network)

    def test_they_keep_their_positions_and_are_counted(self, recipe: Path, tmp_path: Path) -> None:
        words = self.words(recipe, tmp_path, "beg\nzoo\n")
        with words.drawers(iter([np.arange(50)])) as drawers:
            _, targets = words.take(drawers, 0, 50)
        unlearnable = int((targets == 0).all(1).sum())
        assert 0 < unlearnable < 50
        assert words.record()["words"] == 50
        assert words.record()["unlearnable"] == {"unsupported_character": unlearnable}
        other = self.words(recipe, tmp_path, "beg\nzoo\n")
        other.restore(words.state())
        assert other.record() == words.record()

    def test_if_none_can_be_it_is_said(self, recipe: Path, tmp_path: Path) -> None:
        words = self.words(recipe, tmp_path, "zoo\nhip\n")
        with pytest.raises(UserError) as error, words.drawers(iter([np.arange(1_000)])) as drawers:
            words.take(drawers, 0, 1_000)
        assert str(error.value) == (
            "not one of the first 1000 words of recipe other can be learned under protocol parseq36 "
            "(1000 unsupported_character). Train with another protocol."
        )


def test_dry_run_says_whether_drawing_keeps_up(recipe: Path, tmp_path: Path) -> None:
    mixture = train_words.two_sets(tmp_path)
    arguments = ["train", write_toml(tmp_path, recipe), "-o", str(tmp_path / "run"), "--dry-run"]
    result = CliRunner().invoke(main, [*arguments, "--mixture", str(mixture)])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[2:5] == [
        f"mixture   {mixture}, 50 positions",
        "          packed: 60 words, 0.7 MB",
        "rendered  small, seed 0, 30 words drawn as it goes",
    ]
    assert re.fullmatch(
        r" {10}[\d,]+ words/s from 1 processes with a core each, [\d,]+ needed: "
        r"(enough|training will wait for words, unless more jobs have more cores)",
        lines[5],
    )
    assert lines[6] == "training  5 steps of 8 words = 40 words, 0.2 passes, on cpu in bf16"
    assert not (tmp_path / "run").exists()
