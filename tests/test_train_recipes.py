"""Shipped training recipes load, and begin with what one has to know before a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.core import recipe
from train.commands import RECIPES
from train.recipe import TrainRecipe

SHIPPED = sorted(RECIPES.glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_loads_and_says_what_it_is(path: Path) -> None:
    recipe.load(path, TrainRecipe)
    head = path.read_text(encoding="utf-8").split("\n\n")[0]
    for word in ("What", "Source", "Cost", "Expected", "Command"):
        assert f"# {word}:" in head, word
    assert f"glyphmix train {path.stem} " in head


def test_parseq_small_is_trained_as_its_authors_do() -> None:
    """Source: configs/main.yaml, configs/model/parseq.yaml and strhub/models/base.py of baudm/parseq."""
    loaded = recipe.load(RECIPES / "parseq_small.toml", TrainRecipe)
    assert (loaded.batch, loaded.steps, loaded.clip, loaded.weight_decay) == (384, 20 * 8_484, 20, 0)
    assert loaded.lr == pytest.approx(7e-4 * loaded.batch / 256), "for one GPU they scale it by the batch"
    assert (loaded.warmup, loaded.average.start) == (0.075, 0.75)
    assert (loaded.augment.n_ops, loaded.augment.magnitude, loaded.augment.probability) == (3, 5, 0.5)
