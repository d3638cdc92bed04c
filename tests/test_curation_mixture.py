"""Reading a mixture back: positions without end, and what is said when something is gone."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from word_sets import write_labels

from curation.core.errors import UserError
from curation.mixing import MixRecipe, MixSource, Validation, mix
from curation.mixture import Mixture


@pytest.fixture
def mixture(tmp_path: Path) -> Mixture:
    """30 real words of which 5 are held out, 60 synthetic ones that repeat to 75: 100 positions."""
    write_labels(tmp_path / "a", 20)
    write_labels(tmp_path / "b", 10)
    write_labels(tmp_path / "rendered", 60)
    spec = MixRecipe(
        sources=(
            MixSource(name="real", paths=(tmp_path / "a", tmp_path / "b")),
            MixSource(name="synthetic", paths=(tmp_path / "rendered",), share=0.75, repeat=True),
        ),
        validation=Validation(source="real", count=5),
    )
    mix(spec, tmp_path / "m")
    return Mixture.open(tmp_path / "m")


def failure(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        Mixture.open(path)
    return str(caught.value)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(start=st.integers(0, 450), n=st.integers(0, 250))
def test_positions_depend_on_nothing_but_their_number(mixture: Mixture, start: int, n: int) -> None:
    numbers, rows = Mixture.open(mixture.path).positions(0, 700)
    some_numbers, some_rows = mixture.positions(start, start + n)
    assert (some_numbers.dtype, some_rows.dtype) == (np.uint8, np.int64)
    np.testing.assert_array_equal(some_numbers, numbers[start : start + n])
    np.testing.assert_array_equal(some_rows, rows[start : start + n])


def test_every_pass_has_the_same_words_and_pattern_in_a_new_order(mixture: Mixture) -> None:
    passes = [
        list(zip(*(c.tolist() for c in mixture.positions(s, s + 100)), strict=True)) for s in (0, 100, 200)
    ]
    patterns = [[number == 2 for number, _ in words] for words in passes]
    assert patterns[0] == patterns[1] == patterns[2]
    assert sorted(passes[0]) == sorted(passes[1]) == sorted(passes[2])
    assert passes[0] != passes[1] != passes[2] != passes[0]
    for words in passes:
        laps = [word for word in words if word[0] == 2]
        assert len(set(laps[:60])) == 60, "no word comes twice before all have come once"


def test_training_and_validation_rows_divide_the_words(mixture: Mixture) -> None:
    numbers, rows = mixture.validation()
    assert (len(rows), numbers.dtype, rows.dtype) == (5, np.uint8, np.int64)
    for number, dataset in enumerate(mixture.datasets()):
        training = mixture.training_rows(number)
        held = rows[numbers == number]
        assert training.dtype == np.int64
        assert sorted([*training, *held]) == list(range(len(dataset)))
        assert (np.diff(training) > 0).all()
    assert [dataset.name for dataset in mixture.datasets()] == ["a", "b", "rendered"]


def test_positions_out_of_range(mixture: Mixture) -> None:
    with pytest.raises(IndexError, match=r"^positions -1 to 3 of a mixture$"):
        mixture.positions(-1, 3)
    with pytest.raises(IndexError, match=r"^positions 5 to 3 of a mixture$"):
        mixture.positions(5, 3)


def test_a_source_without_positions_has_no_rows(tmp_path: Path) -> None:
    write_labels(tmp_path / "a", 5)
    write_labels(tmp_path / "b", 5)
    sources = (
        MixSource(name="a", paths=(tmp_path / "a",)),
        MixSource(name="b", paths=(tmp_path / "b",), count=0),
    )
    mix(MixRecipe(sources=sources), tmp_path / "m")
    mixture = Mixture.open(tmp_path / "m")
    assert len(mixture.training_rows(1)) == 0
    assert set(mixture.positions(0, 15)[0].tolist()) == {0}
    assert [len(column) for column in mixture.validation()] == [0, 0]


def test_what_is_no_mixture(mixture: Mixture, tmp_path: Path) -> None:
    assert failure(tmp_path / "gone") == f"mixture {tmp_path / 'gone'} does not exist. Check the path."
    (tmp_path / "empty").mkdir()
    assert failure(tmp_path / "empty") == (
        f"{tmp_path / 'empty'} is no mixture: it has no manifest.json. Make one with 'glyphmix mix'."
    )
    assert failure(tmp_path / "a") == (
        f"{tmp_path / 'a'} holds a dataset, not a mixture. Give the folder of a mixture."
    )


def test_of_a_newer_format(mixture: Mixture) -> None:
    path = mixture.path / "manifest.json"
    path.write_text(json.dumps(mixture.manifest | {"format": 2}), encoding="utf-8")
    assert failure(mixture.path) == (f"{mixture.path} has format 2; this glyphmix reads up to 1. Update it.")


def test_cut_short(mixture: Mixture) -> None:
    path = mixture.path / "selection.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    assert failure(mixture.path) == f"{path} is missing or cut short. Make the mixture anew."


def test_damaged(mixture: Mixture) -> None:
    path = mixture.path / "selection.parquet"
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(UserError) as caught:
        Mixture.open(mixture.path).positions(0, 1)
    assert str(caught.value).startswith(f"{path} is damaged: ")
    assert str(caught.value).endswith(". Make the mixture anew.")


def test_dataset_that_is_gone_is_named_with_its_place(mixture: Mixture, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "b")
    assert failure(mixture.path) == (
        f"dataset {tmp_path / 'b'} of mixture {mixture.path} is gone: it was expected at "
        f"{(tmp_path / 'b').resolve()}. Put it back, or make the mixture anew."
    )


def test_dataset_that_has_changed_is_named(mixture: Mixture, tmp_path: Path) -> None:
    before = mixture.datasets()[1].fingerprint
    shutil.rmtree(tmp_path / "b")
    after = write_labels(tmp_path / "b", 11).fingerprint
    assert failure(mixture.path) == (
        f"dataset {tmp_path / 'b'} has changed since mixture {mixture.path} was made: its fingerprint is "
        f"{after[:16]}, not {before[:16]}. Make the mixture anew."
    )


def test_moves_together_with_its_datasets(mixture: Mixture, tmp_path: Path) -> None:
    expected = mixture.positions(0, 30)
    (tmp_path / "away").mkdir()
    for name in ("a", "b", "rendered", "m"):
        (tmp_path / name).rename(tmp_path / "away" / name)
    moved = Mixture.open(tmp_path / "away" / "m")
    np.testing.assert_array_equal(moved.positions(0, 30), expected)
    assert moved.datasets()[0].path == (tmp_path / "away" / "a").resolve()


def test_moves_away_from_its_datasets(mixture: Mixture, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    moved = mixture.path.rename(tmp_path / "deep" / "er" / "m")
    assert len(Mixture.open(moved)) == 100


def test_opens_in_no_time_however_long(tmp_path: Path) -> None:
    write_labels(tmp_path / "a", 1000)
    source = MixSource(name="a", paths=(tmp_path / "a",), count=1_000_000, repeat=True)
    mix(MixRecipe(sources=(source,)), tmp_path / "m")
    start = time.perf_counter()
    Mixture.open(tmp_path / "m").positions(0, 128)
    assert time.perf_counter() - start < 1
