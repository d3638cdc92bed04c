"""Shipped training recipes load, and begin with what one has to know before a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.core import recipe
from train.commands import RECIPES
from train.recipe import TrainRecipe

SHIPPED = sorted(path for path in RECIPES.glob("*.toml") if not path.stem.startswith("study_"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_loads_and_says_what_it_is(path: Path) -> None:
    recipe.load(path, TrainRecipe)
    head = path.read_text(encoding="utf-8").split("\n\n")[0]
    for word in ("What", "Source", "Cost", "Expected", "Command"):
        assert f"# {word}:" in head, word
    assert f"glyphmix train {path.stem} " in head
