"""A manifest that is damaged is told in a sentence, by whatever opens its folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from published_sets import failure, run
from word_sets import word, write_labels, write_words

from curation.mix_recipe import MixRecipe, MixSource
from curation.mixing import mix

Change = Callable[[dict[str, Any]], object]
DATASET: dict[str, Change] = {
    "lacks 'n_rejected'": lambda m: m.pop("n_rejected"),
    "is damaged: shards is 5, not a list": lambda m: m.update(shards=5),
    "is damaged: n_rows is -1, not a whole number": lambda m: m.update(n_rows=-1),
    "is damaged: fingerprint is None, not a text": lambda m: m.update(fingerprint=None),
    "is damaged: shards[1] is 'x', not an object": lambda m: m["shards"].__setitem__(1, "x"),
    "lacks 'sha256' in shards[1]": lambda m: m["shards"][1].pop("sha256"),
    "is damaged: shards[1].rows is '7', not a whole number": lambda m: m["shards"][1].update(rows="7"),
    "is damaged: 'data/shard-00000.parquet' comes twice": lambda m: m["shards"].append(m["shards"][0]),
    "is damaged: '../a.parquet' lies outside the dataset": lambda m: m["shards"][0].update(
        file="../a.parquet"
    ),
    "is damaged: '/a.parquet' lies outside the dataset": lambda m: m["shards"][0].update(file="/a.parquet"),
}
MIXTURE: dict[str, Change] = {
    "lacks 'seed'": lambda m: m.pop("seed"),
    "is damaged: files is [], not an object": lambda m: m.update(files=[]),
    "is damaged: sources[0].unique is None, not a whole number": lambda m: m["sources"][0].update(
        unique=None
    ),
    "lacks 'path_from_mixture' in sources[0].datasets[0]": lambda m: m["sources"][0]["datasets"][0].pop(
        "path_from_mixture"
    ),
}


def change(folder: Path, how: Change) -> Path:
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    how(manifest)
    file.write_text(json.dumps(manifest))
    return file


@pytest.mark.parametrize("told", DATASET)
def test_of_a_dataset(told: str, tmp_path: Path) -> None:
    words = tmp_path / "words"
    write_labels(words, 90)
    file = change(words, DATASET[told])
    message = f"{file} {told}. Restore it, or make the dataset {words} anew."
    assert failure("inspect", words) == message
    assert run("verify", "-j", 1, words, status=1).stdout == f"{words}: nothing, DAMAGED\n  {message}\n"


@pytest.mark.parametrize("told", MIXTURE)
def test_of_a_mixture(told: str, tmp_path: Path) -> None:
    write_labels(tmp_path / "words", 90)
    mixture = tmp_path / "mixture"
    mix(MixRecipe(sources=(MixSource(name="a", paths=(tmp_path / "words",)),)), mixture)
    message = f"{change(mixture, MIXTURE[told])} {told}. Make the mixture anew."
    assert failure("materialise", mixture, "-o", tmp_path / "out") == message
    assert run("verify", mixture, status=1).stdout == f"{mixture}: nothing, DAMAGED\n  {message}\n"


def test_fewer_rows_stated_than_there_are(tmp_path: Path) -> None:
    words = tmp_path / "words"
    write_words(words, [word("w:1"), word("w:1")], shard_rows=1)
    change(words, lambda m: m.update(n_rows=1))
    told = run("verify", "-j", 1, words, status=1).stdout.splitlines()
    assert told[1] == "  manifest.json: n_rows is not the sum of the shards' rows"
