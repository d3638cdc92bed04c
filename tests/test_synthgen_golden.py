"""A seed gives the words it gave before; ``python tests/golden.py`` records them anew."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import golden
import numpy as np
import pytest
from test_synthgen_components import make

from synthgen.effects import effects
from synthgen.engines.shares import EffectShare


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("golden")


def test_plans_are_exactly_as_recorded(folder: Path) -> None:
    for name, rows in golden.plans(folder).items():
        recorded = json.loads((golden.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        assert rows == recorded, f"the plan of {name}: see tests/golden.py"


@pytest.mark.parametrize("name", list(golden.SHEETS))
def test_pictures_are_as_recorded_but_for_rounding(folder: Path, name: str) -> None:
    """Other processors may round otherwise, which a mean of half a grey level allows."""
    recorded = cv2.imread(str(golden.FOLDER / f"{name}.png"))[:, :, ::-1].astype(int)
    drawn = golden.sheet(golden.SHEETS[name](folder)).astype(int)
    words = np.abs(drawn - recorded).reshape(golden.N_IMAGES, -1)
    np.testing.assert_array_less(words.mean(axis=1), 0.5, err_msg="see tests/golden.py")


@pytest.mark.parametrize("name", list(effects))
def test_any_further_effect_leaves_the_other_columns_as_they_were(folder: Path, name: str) -> None:
    others = tuple(EffectShare(share=0.5, effect=make(effects, other)) for other in effects if other != name)
    further = EffectShare(share=0.5, effect=make(effects, name))
    engine = golden.tiny(folder)
    before = dataclasses.replace(engine, effects=others).plan(golden.SEED, 0)
    after = dataclasses.replace(engine, effects=(further, *others)).plan(golden.SEED, 0)
    assert after.keys() - before.keys() >= {name}
    for column in before:
        np.testing.assert_array_equal(before[column], after[column], err_msg=column)
