"""Promises that every filter and repair keeps; new ones are found unasked."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filter_words import picture, rows_of

from curation.core import recipe
from curation.core.errors import UserError
from curation.filters import Filter, Repair, Rows, filters
from curation.filters.base import Prepared, Surveying

NEEDS: dict[str, dict[str, Any]] = {  # what has no default
    "label_cap": {"most": 2},
    "label_charset": {"protocol": "parseq94"},
    "script": {"scripts": ["Latin"]},
}
LABELS = [
    "word",
    "",
    " ",
    "###",
    "#",
    ".",
    "5€",
    "søren",
    "½",
    "日本",
    "a b",
    "a" * 26,
    "ß",
    "&amp;",
    "ﬁ",
    "I",
]


@pytest.fixture
def needs(tmp_path: Path) -> dict[str, dict[str, Any]]:
    (tmp_path / "list.txt").write_text("set:1\n")
    return NEEDS | {"listed": {"files": [str(tmp_path / "list.txt")]}}


def make(name: str, needs: dict[str, dict[str, Any]]) -> Any:
    return recipe.build(filters.get(name), needs.get(name, {}), where="test")


def settled(component: Any, rows: Rows) -> Any:
    if isinstance(component, Prepared):
        return component.prepared()
    if isinstance(component, Surveying):
        return component.settled(component.look(rows), rows.numbers)
    return component


def rows() -> Rows:
    images = [picture(i) for i in range(len(LABELS))]
    images[3] = b"no picture"
    return rows_of(LABELS, images=images)


@pytest.mark.parametrize("name", list(filters))
def test_it_is_a_frozen_recipe_with_a_docstring(name: str, needs: dict[str, Any]) -> None:
    component = make(name, needs)
    assert component.kind == name
    assert type(component).__dataclass_params__.frozen
    assert inspect.getdoc(type(component))
    documented = inspect.getdoc(type(component)).partition("Attributes:")[2]
    assert all(f"{field.name}: " in documented for field in dataclasses.fields(component))
    again = {key: value for key, value in recipe.resolved(component).items() if value is not None}
    assert again.pop("kind") == name
    assert recipe.build(type(component), again, where="test") == component


@pytest.mark.parametrize("name", list(filters))
def test_it_drops_with_its_reasons_or_repairs(name: str, needs: dict[str, Any]) -> None:
    component = make(name, needs)
    if isinstance(component, Repair):
        once = [component.repaired(label) for label in LABELS]
        assert all(isinstance(label, str) for label in once)
        if name != "repair_html":  # &amp;amp; is &amp;
            assert [component.repaired(label) for label in once] == once, "repairing twice changes nothing"
        return
    worker = pickle.loads(pickle.dumps(settled(component, rows())))
    assert isinstance(worker, Filter)
    assert worker.kind == name
    assert worker.reasons == type(component).reasons
    words = rows()
    for drop in worker.drops(words):
        assert drop.reason in worker.reasons
        assert (drop.rows.shape, drop.rows.dtype) == ((len(LABELS),), bool)
        assert all(isinstance(drop.detail(i), str) for i in np.flatnonzero(drop.rows & words.alive))
    assert bool(words.broken) == getattr(worker, "looks", False), "only those that say so decode pictures"


@pytest.mark.parametrize("name", list(filters))
def test_it_judges_each_row_by_itself(name: str, needs: dict[str, Any]) -> None:
    component = make(name, needs)
    if isinstance(component, Repair):
        return
    worker = settled(component, rows())
    together = verdicts(worker, rows())
    images = [picture(i) for i in range(len(LABELS))]
    images[3] = b"no picture"
    for i, label in enumerate(LABELS):
        alone = rows_of([label], images=[images[i]], first=i)
        assert verdicts(worker, alone) == [together[i]], label


def verdicts(worker: Filter, words: Rows) -> list[str | None]:
    found: list[str | None] = [None] * len(words)
    for drop in worker.drops(words):
        for i in np.flatnonzero(drop.rows).tolist():
            found[i] = found[i] or drop.reason
    return found


@pytest.mark.parametrize("name", list(filters))
def test_a_misspelt_key_is_named(name: str, needs: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"unknown key 'nonsense' in r\.toml\. "):
        recipe.build(filters.get(name), {**needs.get(name, {}), "nonsense": 1}, where="r.toml")


@pytest.mark.parametrize("name", list(filters))
def test_numbers_that_are_none_are_refused(name: str, needs: dict[str, Any]) -> None:
    component = make(name, needs)
    for field in dataclasses.fields(component):
        if isinstance(getattr(component, field.name), float):
            with pytest.raises(UserError, match=f"^r.toml, {field.name} is nan. Give a finite number.$"):
                recipe.build(type(component), {**needs.get(name, {}), field.name: math.nan}, where="r.toml")
