"""Curating datasets of ours, whose rows keep the source that they had, and sets of which nothing is left."""

from __future__ import annotations

import shutil
from pathlib import Path

from published_sets import failure, run, write_tsv

STAGES = '[dedupe]\n[mix]\nprotocol = "exact"\n'


def a_set(name: str, kind: str, path: str, more: str = "") -> str:
    return f'[[sets]]\nname = "{name}"\nformat = "{kind}"\npath = "{path}"\n{more}\n'


def datasets(raw: Path) -> None:
    """Two datasets below ``raw``: six words of the source ``photos``, four of ``drawn``."""
    write_tsv(raw / "photos", {f"{i}.png": f"word{i}" for i in range(6)})
    write_tsv(raw / "drawn", {f"d{i}.png": f"other{i}" for i in range(4)})
    for name in ("photos", "drawn"):
        run("import", "tsv", raw / name / "labels.tsv", "-o", raw / f"{name}.set", "--name", name, "-j", 1)


def test_datasets_under_other_names_are_counted_and_mixed(tmp_path: Path) -> None:
    datasets(tmp_path / "raw")
    recipe = tmp_path / "own.toml"
    sets = a_set("first", "dataset", "photos.set") + a_set("second", "dataset", "drawn.set", "clean = false")
    recipe.write_text(sets + STAGES)
    result = run("curate", recipe, "--data", tmp_path / "raw", "-o", tmp_path / "out", "-j", 1)
    assert result.stdout.splitlines() == [
        "set     annotated  imported  unique  mixed",
        "first           6         6       6      6",
        "second          4         4       -      4",
    ]


def test_a_set_of_which_nothing_is_left_is_not_mixed(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_tsv(raw / "a", {f"{i}.png": f"word{i}" for i in range(5)})
    shutil.copytree(raw / "a", raw / "b")
    recipe = tmp_path / "own.toml"
    recipe.write_text(a_set("a", "tsv", "a/labels.tsv") + a_set("b", "tsv", "b/labels.tsv") + STAGES)
    result = run("curate", recipe, "--data", raw, "-o", tmp_path / "out", "-j", 1)
    assert result.stdout.splitlines() == [
        "set  annotated  imported  unique  mixed",
        "a            5         5       5      5",
        "b            5         5       0      -",
    ]


def test_sets_that_could_not_be_told_apart(tmp_path: Path) -> None:
    datasets(tmp_path / "raw")
    recipe = tmp_path / "own.toml"
    sets = a_set("first", "dataset", "photos.set") + a_set("second", "dataset", "photos.set")
    recipe.write_text(sets + STAGES)
    text = failure("curate", recipe, "--data", tmp_path / "raw", "-o", tmp_path / "out", "-j", 1)
    assert text.partition("Error: ")[2] == (
        "the sets 'first' and 'second' of own.toml both have words of the source 'photos', and could not be "
        "told apart. Leave one out, or make one dataset of both first."
    )
