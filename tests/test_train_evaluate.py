from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import train_words
from torch import Tensor

from curation.core.errors import UserError
from curation.core.files import read_json, write_json
from curation.core.fingerprint import sha256_file
from train import fit, run_folder
from train.evaluation import evaluate as evaluation
from train.evaluation.evaluate import Score, average, evaluate
from train.models import Reading

LABELS = ["Cat", "dog!", "ant", "!?", "bee", "a" * 26, "cow", "Bat"]
READ = {"cat": "cat", "dog": "dog", "ant": "an", "cow": "", "bat": "but"}  # and bee is broken


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step, trained on the words of ``trained``."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLYPHMIX_CACHE", str(folder / "cache"))
        words = train_words.dataset(folder / "trained", ["one", "two", "six"])
        mixture = train_words.mixture(folder / "mixture", words)
        fit.fit(train_words.recipe(steps=1), folder / "run", seed=0, mixture=mixture)
    return folder / "run"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the run read what ``READ`` says instead of what it sees."""

    def read_all(network: object, images: Tensor, precision: str) -> list[Reading]:
        return [Reading(text=text, confidence=0.5) for text in list(READ.values())[: len(images)]]

    monkeypatch.setattr(evaluation, "read_all", read_all)


def copy(run: Path, to: Path) -> Path:
    """Another run of the same content."""
    to.mkdir()
    for path in run.iterdir():
        if path.is_file():
            (to / path.name).write_bytes(path.read_bytes())
    return to


def refused(run: Path, *datasets: Path, protocol: str = "parseq36", out: Path | None = None) -> str:
    with pytest.raises(UserError) as error:
        evaluate(run, datasets, protocol=protocol, out=out)
    return str(error.value)


@pytest.mark.usefixtures("scripted")
def test_scores_and_drops_are_counted(run: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", LABELS, broken=[4])
    (score,) = evaluate(run, [words.path], out=tmp_path / "out")
    assert (score.name, score.fingerprint, score.protocol) == ("words", words.fingerprint, "parseq36")
    assert (score.n_total, score.n_used, score.n_correct, score.n_trained_on) == (8, 5, 2, 0)
    assert score.dropped == {"broken_image": 1, "empty": 1, "too_long": 1}
    assert score.accuracy == 0.4
    assert score.one_minus_ned == pytest.approx((1 + 1 + 2 / 3 + 0 + 2 / 3) / 5)
    assert score.accuracy_low < 0.4 < score.accuracy_high
    assert score.one_minus_ned_low < score.one_minus_ned < score.one_minus_ned_high


@pytest.mark.usefixtures("scripted")
def test_every_prediction_is_kept(run: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", LABELS, broken=[4])
    evaluate(run, [words.path], out=tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "words.parquet")
    facts = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    weights = sha256_file(run / "model.pt")
    assert facts == {"dataset": words.fingerprint, "protocol": "parseq36", "weights": weights}
    assert table.to_pylist()[2:4] == [
        {
            "uid": "words:2", "label": "ant", "label_normalised": "ant", "confidence": 0.5,
            "prediction": "an", "prediction_normalised": "an", "correct": False,
            "edit_distance": 1, "length": 3,
        },
        {
            "uid": "words:6", "label": "cow", "label_normalised": "cow", "confidence": 0.5,
            "prediction": "", "prediction_normalised": "", "correct": False,
            "edit_distance": 3, "length": 3,
        },
    ]  # fmt: skip
    assert table["uid"].to_pylist() == [f"words:{i}" for i in (0, 1, 2, 6, 7)]


def test_a_trained_recognizer_reads_what_it_learned(tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", train_words.random_words(64))
    recipe = train_words.recipe(steps=120, batch=64, lr=1e-2, validate_every=0)
    mixture = train_words.mixture(tmp_path / "mixture", words)
    record = fit.fit(recipe, tmp_path / "run", seed=0, mixture=mixture)
    assert record["validation"] is None, "nothing was held out"
    (score,) = evaluate(tmp_path / "run", [words.path])
    assert score.n_correct == score.n_used == 64
    assert score.n_trained_on == 64
    assert (tmp_path / "run" / "predictions" / "words.parquet").is_file()


def test_words_of_the_training_set_are_found_by_image_and_by_uid(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same_image = train_words.dataset(tmp_path / "same_image", ["new", "one"])
    same_uid = train_words.dataset(tmp_path / "trained", ["red", "blue", "green", "grey"])
    apart = train_words.dataset(tmp_path / "apart", ["new", "old"])
    scores = evaluate(run, [same_image.path, same_uid.path, apart.path], out=tmp_path / "out")
    assert [score.n_trained_on for score in scores] == [1, 3, 0]
    assert capsys.readouterr().err == (
        f"Warning: run {run} was trained on 1 of the words in {same_image.path}.\n"
        f"Warning: run {run} was trained on 3 of the words in {same_uid.path}.\n"
    )


class TestRefusals:
    def test_no_such_run(self, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        message = refused(tmp_path / "none", words.path)
        assert message == f"run {tmp_path / 'none'} does not exist. Check the path."

    def test_a_dataset_is_no_run(self, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        assert refused(words.path, words.path) == (
            f"{words.path} is no training run: it has no run.json. Make one with 'train'."
        )

    def test_an_unfinished_run(self, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        (tmp_path / "run" / ".build").mkdir(parents=True)
        assert refused(tmp_path / "run", words.path) == (
            f"run {tmp_path / 'run'} is unfinished. Run the command that trains it again: it resumes."
        )

    def test_weights_cut_short(self, run: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        weights = copy(run, tmp_path / "run") / "model.pt"
        os.truncate(weights, weights.stat().st_size // 2)
        assert refused(tmp_path / "run", words.path) == (
            f"{weights} is damaged or cut short. Restore it, or train {tmp_path / 'run'} anew."
        )
        weights.unlink()
        assert refused(tmp_path / "run", words.path) == (
            f"{weights} is missing. Restore it, or train {tmp_path / 'run'} anew."
        )

    @pytest.mark.parametrize("name", ["model.pt", "trained_on.npz"])
    def test_a_flipped_bit(self, run: Path, tmp_path: Path, name: str) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        copied = copy(run, tmp_path / "run")
        damaged = bytearray((copied / name).read_bytes())
        damaged[len(damaged) // 2] ^= 16
        (copied / name).write_bytes(damaged)
        assert refused(copied, words.path) == (
            f"{copied / name} is damaged or cut short. Restore it, or train {copied} anew."
        )

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"format": 2}, "{0} has format 2; this glyphmix reads up to 1. Update it."),
            (
                {"charset": 36},
                "{0}/run.json is damaged: charset is 36, not a text. Restore it, or train {0} anew.",
            ),
            ({"recipe": {}}, "{0}/run.json lacks 'model' in recipe. Restore it, or train {0} anew."),
            ({"kind": "study"}, "{0} holds a study, not a training run. Give the folder of a run."),
        ],
    )
    def test_a_run_of_another_version(
        self, run: Path, tmp_path: Path, changes: dict[str, object], message: str
    ) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        copied = copy(run, tmp_path / "run")
        write_json(copied / "run.json", read_json(run / "run.json") | changes)
        assert refused(copied, words.path) == message.format(copied)

    def test_weights_of_other_sizes(self, run: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        (tmp_path / "run").mkdir()
        torch.save({"format": 1, "state": {}}, tmp_path / "run" / "model.pt")
        write_json(tmp_path / "run" / "run.json", read_json(run / "run.json"))
        assert refused(tmp_path / "run", words.path) == (
            f"{tmp_path / 'run' / 'model.pt'} does not fit the sizes in run.json. "
            f"Restore it, or train {tmp_path / 'run'} anew."
        )

    def test_characters_it_does_not_read(
        self, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = train_words.dataset(tmp_path / "words", ["a-b", "One", "ten"])
        told = f"run {run} does not read - O, which 2 labels of {words.path} have under protocol exact"
        assert refused(run, words.path, protocol="exact", out=tmp_path / "out") == (
            f"{told}. Evaluate with --protocol parseq36, or with --allow-unreadable, which counts such words "
            "as misread."
        )
        assert not (tmp_path / "out").exists()
        (score,) = evaluate(run, [words.path], protocol="exact", out=tmp_path / "out", allow_unreadable=True)
        assert score.n_used == 3
        assert capsys.readouterr().err == f"Warning: {told}: they count as misread.\n"

    def test_no_label_that_counts(self, run: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["!!", "?", "b" * 30])
        assert refused(run, words.path, out=tmp_path) == (
            f"dataset {words.path} has no word that counts under protocol parseq36 (2 empty, 1 too_long). "
            "Check its labels, or choose another protocol."
        )

    def test_an_empty_dataset(self, run: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", [])
        assert refused(run, words.path, out=tmp_path) == (
            f"dataset {words.path} has no word that counts under protocol parseq36 (it is empty). "
            "Check its labels, or choose another protocol."
        )

    def test_a_file_where_the_predictions_would_go(self, run: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["one"])
        (tmp_path / "out").touch()
        assert refused(run, words.path, out=tmp_path / "out") == (
            f"output {tmp_path / 'out'} exists already. Remove it or give another name with -o."
        )

    def test_two_datasets_of_one_name(self, run: Path, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        one = train_words.dataset(tmp_path / "a" / "words", ["one"])
        other = train_words.dataset(tmp_path / "b" / "words", ["two"])
        assert refused(run, one.path, other.path) == (
            "two datasets are called words. Rename the folder of one."
        )
        evaluate(run, [one.path], out=tmp_path / "out")
        evaluate(run, [one.path], out=tmp_path / "out")
        assert refused(run, other.path, out=tmp_path / "out") == (
            f"{tmp_path / 'out' / 'words.parquet'} holds predictions on another dataset of that name. "
            f"Rename the folder {other.path}, or remove that file."
        )

    @pytest.mark.usefixtures("scripted")
    def test_predictions_under_another_protocol_are_not_overwritten(self, run: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["cat"])
        evaluate(run, [words.path], out=tmp_path / "out")
        file = tmp_path / "out" / "words.parquet"
        before = file.read_bytes()
        assert refused(run, words.path, protocol="dtrb36", out=tmp_path / "out") == (
            f"{file} holds predictions under protocol parseq36, and a study may count on them. "
            "Give another folder with -o for those under dtrb36."
        )
        assert file.read_bytes() == before
        os.truncate(file, 100)
        assert refused(run, words.path, out=tmp_path / "out") == (
            f"{file} is damaged. Remove it, or give another folder with -o."
        )


def score(name: str, n: int, accuracy: float, ned: float) -> Score:
    return Score(
        name=name, fingerprint="", protocol="parseq36", n_total=n, n_used=n, dropped={},
        n_correct=round(n * accuracy), accuracy=accuracy, accuracy_low=0, accuracy_high=1,
        one_minus_ned=ned, one_minus_ned_low=0, one_minus_ned_high=1, n_trained_on=0,
    )  # fmt: skip


def test_averages_by_words_and_by_sets() -> None:
    mean = average([score("a", 300, 0.5, 0.6), score("b", 100, 0.9, 1.0)])
    assert mean.n_used == 400
    assert mean.accuracy_weighted == pytest.approx(0.6)
    assert mean.accuracy_unweighted == pytest.approx(0.7)
    assert mean.one_minus_ned_weighted == pytest.approx(0.7)
    assert mean.one_minus_ned_unweighted == pytest.approx(0.8)


def test_a_fresh_run_folder_can_be_moved(run: Path, tmp_path: Path) -> None:
    record = run_folder.read_record(run)
    assert str(run.parent) not in json.dumps({k: v for k, v in record.items() if k != "recipe"})
