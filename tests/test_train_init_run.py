"""Weights that begin as those of an earlier run: pretraining on the task itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import train_words
from click.testing import CliRunner

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import read_json
from curation.core.labels import CHARSET_36, CHARSET_94
from glyphmix import main
from train.evaluation.evaluate import evaluate
from train.fit import fit
from train.inits.run import FromRun
from train.inits.scratch import Scratch
from train.models.conv_ctc import ConvCtc
from train.recipe import TrainRecipe
from train.run_folder import read_trained_on
from train.training import Training

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in ``before``, of words of their own."""
    path = tmp_path_factory.mktemp("init")
    words = train_words.dataset(path / "words", train_words.random_words(16, seed=1))
    fit(short(), path / "before", seed=0, mixture=train_words.mixture(path / "mixture", words))
    return path


def short(**changes: object) -> TrainRecipe:
    return train_words.recipe(**({"steps": 2, "validate_every": 0} | changes))


def weights(run: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(run / "model.pt", weights_only=True)["state"]
    return state


def test_the_first_step_begins_where_the_run_before_ended(folder: Path) -> None:
    training = Training(short(init=FromRun(path=folder / "before")), 5, CHARSET_36, CPU)
    before = weights(folder / "before")
    assert training.initialised == f"run {folder / 'before'}: {len(before)} of {len(before)} tensors"
    state = training.network.state_dict()
    assert list(state) == list(before)
    assert all(torch.equal(state[name], before[name]) for name in before)


def test_another_charset_leaves_the_weights_of_characters_fresh(folder: Path) -> None:
    recipe = short(init=FromRun(path=folder / "before"), protocol="parseq94")
    training, fresh = (Training(r, 5, CHARSET_94, CPU) for r in (recipe, replace(recipe, init=Scratch())))
    before = weights(folder / "before")
    n = len(before)
    assert training.initialised == (
        f"run {folder / 'before'}: {n - 2} of {n} tensors; fresh, as the charset is another: "
        "head.weight, head.bias"
    )
    for name, value in training.network.state_dict().items():
        same_as = fresh.network.state_dict() if name.startswith("head.") else before
        assert torch.equal(value, same_as[name]), name


def test_as_many_other_characters_are_another_charset(folder: Path) -> None:
    network = train_words.TINY.build(CHARSET_36[1:] + "!")
    head = network.head.weight.clone()
    line = FromRun(path=folder / "before").apply(network, train_words.TINY)
    assert line.endswith("; fresh, as the charset is another: head.weight, head.bias")
    assert torch.equal(network.head.weight, head)


def test_a_run_begun_from_another_records_it_and_has_learned_its_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = train_words.dataset(folder / "own", train_words.random_words(16, length=5))
    recipe = short(init=FromRun(path=folder / "before"))
    record = fit(recipe, folder / "after", seed=0, mixture=train_words.mixture(folder / "second", own))
    assert record["recipe"]["init"] == {"kind": "run", "path": str(folder / "before")}
    n = len(weights(folder / "before"))
    assert record["init"]["loaded"] == f"run {folder / 'before'}: {n} of {n} tensors"
    assert list(record["init"]) == ["loaded", "model_sha256"]
    before, after = (read_trained_on(folder / name) for name in ("before", "after"))
    assert len(after.images) == len(before.images) + 16
    assert set(before.uids) < set(after.uids)
    capsys.readouterr()
    (score,) = evaluate(folder / "after", [folder / "words"])
    assert score.n_trained_on == 16
    assert capsys.readouterr().err == (
        f"Warning: run {folder / 'after'} was trained on 16 of the words in {folder / 'words'}.\n"
    )


def test_words_held_out_that_the_run_before_learned_are_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = Dataset.open(folder / "words")
    other = train_words.dataset(tmp_path / "other", train_words.random_words(8, length=5))
    mixture = train_words.mixture(tmp_path / "mixture", words, other, held_out=6)
    known = fit(short(init=FromRun(path=folder / "before")), tmp_path / "known", seed=0, mixture=mixture)
    assert (known["validation"]["n_used"], known["validation"]["n_trained_on"]) == (6, 6)
    assert capsys.readouterr().err == (
        "Warning: 6 of the words held out are learned from, in this run or in the one that it begins with: "
        "accuracy on words held out will be too high.\n"
    )
    assert fit(short(), tmp_path / "new", seed=0, mixture=mixture)["validation"]["n_trained_on"] == 0
    assert capsys.readouterr().err == ""


def test_dry_run_looks_for_the_weights(folder: Path) -> None:
    recipe, before = folder / "init.toml", folder / "before"
    sizes = "channels = [8, 16, 16, 24], blocks = [0, 0, 0], tail = 48, tail_blocks = 1, context = 32"
    begin = f'init = {{kind = "run", path = "{before}"}}'
    recipe.write_text(f'threads = 1\nmodel = {{kind = "conv_ctc", {sizes}}}\n{begin}', encoding="utf-8")
    command = ["train", str(recipe), "--mixture", str(folder / "mixture"), "-o", "run", "--dry-run"]
    found = CliRunner().invoke(main, command)
    assert found.exit_code == 0
    n = len(weights(before))
    assert found.output.splitlines()[1] == f"weights   run {before}: {n} of {n} tensors"
    recipe.write_text('init = {kind = "run", path = "none"}', encoding="utf-8")
    found = CliRunner().invoke(main, command)
    assert found.exit_code == 1
    assert found.output == "Error: run none does not exist. Check the path.\n"


def test_scratch_is_recorded_and_changes_nothing(folder: Path) -> None:
    record = read_json(folder / "before" / "run.json")
    assert record["recipe"]["init"] == {"kind": "scratch"}
    assert record["init"] == {"loaded": "drawn at random"}


def test_a_run_does_not_go_on_from_other_weights(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, out = tmp_path / "before", tmp_path / "out"
    shutil.copytree(folder / "before", before)
    recipe = short(init=FromRun(path=before))

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Training, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(recipe, out, seed=0, mixture=folder / "mixture")
    moved = before.rename(tmp_path / "moved")
    with monkeypatch.context() as patch:
        patch.setattr(Training, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(short(init=FromRun(path=moved)), out, seed=0, mixture=folder / "mixture")
    fit(short(), before, seed=7, mixture=folder / "mixture")
    with pytest.raises(UserError) as error:
        fit(recipe, out, seed=0, mixture=folder / "mixture")
    assert str(error.value) == (
        f"output {out} holds an unfinished run that differs in: init.model_sha256. "
        "Repeat the command it was begun with, or remove the folder."
    )


def refusal(init: FromRun, model: ConvCtc = train_words.TINY) -> str:
    with pytest.raises(UserError) as error:
        init.apply(model.build(CHARSET_36), model)
    return str(error.value)


def test_other_sizes_are_refused(folder: Path) -> None:
    assert refusal(FromRun(path=folder / "before"), replace(train_words.TINY, tail=32)) == (
        f"run {folder / 'before'} has weights body.4.conv.weight of shape (48, 24, 2, 1), and the model's "
        "(32, 24, 2, 1). Give the recipe's model the sizes of that run."
    )
    assert refusal(FromRun(path=folder / "before"), replace(train_words.TINY, blocks=(0, 0, 1))) == (
        f"run {folder / 'before'} has no weights body.4.inner.conv.weight, which the model has. "
        "Give the recipe's model the sizes of that run."
    )


def test_another_kind_of_model_is_refused(folder: Path) -> None:
    from train.models.vit_ctc import VitCtc

    model = VitCtc(**train_words.SMALL["vit_ctc"])
    with pytest.raises(UserError) as error:
        FromRun(path=folder / "before").apply(model.build(CHARSET_36), model)
    assert str(error.value) == (
        f"run {folder / 'before'} is a conv_ctc, and the recipe's model a vit_ctc. "
        "Set the model to conv_ctc and its sizes, or give another run."
    )


def test_missing_unfinished_and_damaged_runs_are_refused(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert refusal(FromRun(path=run)) == f"run {run} does not exist. Check the path."
    (run / ".build").mkdir(parents=True)
    assert refusal(FromRun(path=run)) == (
        f"run {run} is unfinished. Run the command that trains it again: it resumes."
    )
    shutil.rmtree(run)
    shutil.copytree(folder / "before", run)
    whole = (run / "model.pt").read_bytes()
    for share in (0.0, 0.1, 0.3, 0.5, 0.9):
        (run / "model.pt").write_bytes(whole[: int(share * len(whole))])
        assert refusal(FromRun(path=run)) == (
            f"{run / 'model.pt'} is damaged or cut short. Restore it, or train {run} anew."
        )
    (run / "model.pt").unlink()
    with pytest.raises(UserError) as error:
        FromRun(path=run).content()
    assert str(error.value) == f"{run / 'model.pt'} is missing. Restore it, or train {run} anew."
