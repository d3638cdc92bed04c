from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import train_words

from curation.core.recipe import load
from train.recipe import TrainRecipe
from train.schedules import schedules
from train.schedules.wsd import WarmupStableDecay
from train.training import learning_rate


def rates(recipe: TrainRecipe) -> list[float]:
    return [learning_rate(recipe, step) for step in range(recipe.steps)]


@pytest.mark.parametrize("kind", list(schedules))
@pytest.mark.parametrize("warmup", [0.0, 0.13, 1.0])
def test_every_schedule_rises_to_the_greatest_rate_and_falls(kind: str, warmup: float) -> None:
    found = rates(train_words.recipe(steps=97, lr=2.0, warmup=warmup, schedule=schedules.get(kind)()))
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)
    assert all(0 < rate <= 2.0 for rate in found)
    assert max(found) == pytest.approx(2.0, rel=0.02)
    assert found[-1] < 0.25 or warmup == 1


@pytest.mark.parametrize("kind", list(schedules))
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_every_schedule_bears_few_steps(kind: str, steps: int) -> None:
    assert all(rate > 0 for rate in rates(train_words.recipe(steps=steps, schedule=schedules.get(kind)())))


def test_one_cycle_is_half_a_cosine() -> None:
    found = rates(train_words.recipe(steps=100, lr=1.0, warmup=0.1))
    assert found[:10] == [(step + 1) / 11 for step in range(10)]
    assert found[10:] == [(1 + math.cos(math.pi * (step - 10) / 90)) / 2 for step in range(10, 100)]


@pytest.mark.parametrize(("shape", "middle"), [("linear", 0.5), ("1-sqrt", 1 - math.sqrt(0.5))])
def test_wsd_stays_and_then_falls(shape: Any, middle: float) -> None:
    schedule = WarmupStableDecay(decay=0.2, shape=shape)
    found = rates(train_words.recipe(steps=100, lr=1.0, warmup=0.1, schedule=schedule))
    assert set(found[10:81]) == {1.0}
    assert found[81] < 1.0
    assert found[90] == pytest.approx(middle)
    assert 0 < found[99] <= 0.05 + 1e-12


def test_the_fall_of_wsd_is_at_most_what_the_warmup_leaves() -> None:
    found = rates(train_words.recipe(steps=10, lr=1.0, warmup=0.5, schedule=WarmupStableDecay(decay=0.9)))
    assert found[5] == 1.0
    assert found[6] == pytest.approx(1 - math.sqrt(1 / 5))


def test_a_recipe_names_its_schedule(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('[schedule]\nkind = "wsd"\nshape = "linear"\n', encoding="utf-8")
    assert load(tmp_path / "r.toml", TrainRecipe).schedule == WarmupStableDecay(shape="linear")


def test_a_share_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"^decay must be from 0 to 1, got 1\.5$"):
        WarmupStableDecay(decay=1.5)
