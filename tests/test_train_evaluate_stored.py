"""Predictions that lie in a folder already: whose they are is looked at before anything is measured."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import train_words
from test_train_evaluate import cache, copy, refused, run, scripted

from curation.core.errors import UserError
from train.evaluation.evaluate import evaluate
from train.evaluation.evaluating import investigate
from train.evaluation.text import as_text

__all__ = ["cache", "run", "scripted"]  # fixtures


@pytest.fixture
def other(run: Path, tmp_path: Path) -> Path:
    """A run with other weights."""
    weights = copy(run, tmp_path / "other") / "model.pt"
    content = torch.load(weights, weights_only=True)
    next(iter(content["state"].values())).mul_(2)
    torch.save(content, weights)
    return tmp_path / "other"


@pytest.mark.usefixtures("scripted")
def test_predictions_of_another_run_are_not_overwritten(run: Path, other: Path, tmp_path: Path) -> None:
    words, new = (train_words.dataset(tmp_path / name, ["cat"]) for name in ("words", "new"))
    out = tmp_path / "out"
    evaluate(run, [words.path], out=out)
    file = out / "words.parquet"
    before = file.read_bytes()
    told = f"{file} holds predictions of another run. Give another folder with -o for those of {other}"
    assert refused(other, new.path, words.path, out=out) == f"{told}, or remove that file."
    assert file.read_bytes() == before
    assert not (out / "new.parquet").exists()
    evaluate(copy(run, tmp_path / "moved"), [words.path], out=out)
    assert file.read_bytes() == before, "the same weights elsewhere are the same run"
    pq.write_table(pq.read_table(file).replace_schema_metadata(_without_weights(file)), file)
    evaluate(run, [words.path], out=out)
    assert file.read_bytes() == before, "predictions of earlier versions do not say whose they are"


def _without_weights(file: Path) -> dict[bytes, bytes]:
    return {key: value for key, value in pq.read_schema(file).metadata.items() if key != b"weights"}


@pytest.mark.usefixtures("scripted")
def test_what_the_other_run_may_not_overwrite_is_said_first(run: Path, other: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", ["cat"])
    evaluate(other, [words.path], protocol="dtrb36")
    with pytest.raises(UserError) as error:
        investigate(copy(run, tmp_path / "mine"), [words.path], against=other)
    assert str(error.value) == (
        f"{other / 'predictions' / 'words.parquet'} holds predictions under protocol dtrb36, and a study may "
        "count on them. Give another folder with -o for those under parseq36."
    )
    assert not (tmp_path / "mine" / "predictions").exists()


def test_a_set_of_broken_pictures(run: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", ["cat", "dog"], broken=[0, 1])
    assert refused(run, words.path, out=tmp_path) == (
        f"dataset {words.path} has no word that counts under protocol parseq36 (2 broken_image). "
        "Check its pictures, or choose another protocol."
    )


@pytest.mark.usefixtures("scripted")
def test_names_of_groups_stay_in_their_line(run: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", ["c\x1b[2Ja\nt", "dog"])
    found = investigate(run, [words.path], out=tmp_path / "out", by=["label"], protocol="parseq36")
    lines = as_text(found, ["label"]).split("\n\n")[1].splitlines()[1:]
    assert [line.split("  ")[0] for line in lines] == [r"c\u001b[2Ja\u000at", "dog"]
