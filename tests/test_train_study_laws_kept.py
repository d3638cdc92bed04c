"""What laws.json keeps, what the command line takes, and what is missing from runs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_fakes import finished

import glyphmix
from train.laws.purse import Purse
from train.study.answers import findings
from train.study.answers.findings import refuse_not_finite, study_laws, write_laws
from train.study.page.table import lines, text_table
from train.study.rows import Study

CELLS = {"r0": 0.4, "r1": 0.5}


def laws(*arguments: object) -> Any:
    return CliRunner().invoke(glyphmix.main, ["laws", *map(str, arguments)], prog_name="glyphmix")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return finished(tmp_path, CELLS, words={"a": 300})


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[Purse | None]:
    """The purses that laws were fitted with, one for each time they were."""
    done: list[Purse | None] = []

    def fit(study: Study, purse: Purse | None) -> dict[str, Any]:
        done.append(purse)
        return {"purse": None if purse is None else vars_of(purse), "tests": []}

    monkeypatch.setattr(findings, "study_laws", fit)
    return done


def vars_of(purse: Purse) -> dict[str, float]:
    return {name: getattr(purse, name) for name in purse.__dataclass_fields__}


def test_equal_laws_are_not_fitted_again(study: Study, fitted: list[Purse | None]) -> None:
    first = write_laws(study)
    assert write_laws(study) == first
    assert len(fitted) == 1
    study.rows[0]["validation"]["accuracy"] = 0.1
    write_laws(study)
    assert len(fitted) == 2
    (study.path / "forecast.json").write_text('{"forecasts": []}')
    write_laws(study)
    assert len(fitted) == 3
    (study.path / "laws.json").write_text('{"purse": nul')
    write_laws(study)
    assert len(fitted) == 4


def test_the_last_purse_is_kept_for_the_report(study: Study, fitted: list[Purse | None]) -> None:
    purse = Purse(budget=500, price_real=0.05, price_synthetic=0.001)
    write_laws(study, purse)
    study.rows[0]["validation"]["accuracy"] = 0.1
    write_laws(study)
    assert fitted == [purse, purse]


def test_laws_kept_print_the_same(study: Study) -> None:
    first, again = laws(study.path), laws(study.path)
    assert first.output == again.output
    assert first.exit_code == 0
    assert "Adding 1 rendered word per real word gained " in first.output
    as_json = json.loads(laws(study.path, "--json").output)
    assert as_json == json.loads((study.path / "laws.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--budget", 500],
            "a budget cannot be split without the price of a real word. Give --price-real, or give the parts "
            "of the recipe a price.",
        ),
        (
            ["--budget", 500, "--price-real", 0.05],
            "a budget cannot be split without the price of a synthetic word. Give --price-synthetic, or give "
            "the parts of the recipe a price.",
        ),
        (["--price-real", 0.05], "prices and words one has need a budget to spend. Give --budget too."),
        (["--have-real", 5], "prices and words one has need a budget to spend. Give --budget too."),
        (
            ["--budget", 0, "--price-real", 0.05, "--price-synthetic", 0.01],
            "budget and price of a real word must be above 0, the price of a synthetic word 0 or more, got "
            "0, 0.05 and 0.01. Change them",
        ),
    ],
)
def test_half_a_purse_is_refused(study: Study, arguments: list[object], message: str) -> None:
    result = laws(study.path, *arguments)
    assert (result.exit_code, result.output) == (1, f"Error: {message}\n")


def test_prices_may_be_those_of_the_recipe(study: Study, fitted: list[Purse | None]) -> None:
    facts = json.loads((study.path / "study.json").read_text())
    for part, price in zip(facts["parts"], (0.5, 0.25), strict=True):
        part["price"] = price
    (study.path / "study.json").write_text(json.dumps(facts))
    laws(study.path, "--budget", 500, "--price-synthetic", 0.1, "--have-real", 7, "--json")
    assert fitted == [Purse(budget=500, price_real=0.5, price_synthetic=0.1, have_real=7)]


def test_a_split_that_no_law_carries_is_refused_in_words(study: Study) -> None:
    purse = Purse(budget=500, price_real=0.05, price_synthetic=0.001)
    found = study_laws(study, purse)["tests"][0]
    refusal = "a joint law needs 2 or more amounts of real words, got 1; add cells"
    assert [found[key] for key in ("joint", "exchange", "doubling", "best")] == [{"refused": refusal}] * 4


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_missing_metric_becomes_no_number(study: Study, missing: float | None) -> None:
    before = study_laws(study)
    for row in study.rows:
        row["validation"]["accuracy"] = missing
        for key in ("accuracy", "one_minus_ned", "accuracy_low"):
            row["tests"][0][key] = missing if key != "accuracy_low" else 0.3
    after = study_laws(study)
    assert after["tests"][0]["cells"] == before["tests"][0]["cells"], "counted from predictions"
    assert after["best_on_validation"] is None
    table = lines(study, after)
    assert [line.scores[0].one_minus_ned for line in table] == [None, None]
    text = text_table(study, table)
    assert "nan" not in text.lower()
    assert text.count("|     - |") + text.count(" - |") >= 2


def test_a_row_without_validation_chooses_nothing(study: Study) -> None:
    study.rows[0]["validation"] = None
    found = study_laws(study)
    assert found["best_on_validation"] is None
    assert "Adding 1 rendered word per real word gained " in found["answer"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_figure_that_is_none_reaches_the_file(value: float) -> None:
    with pytest.raises(AssertionError, match=r"^laws\.tests\[1\]\.seed_sd is (nan|inf)$"):
        refuse_not_finite({"tests": [{"seed_sd": 0.1}, {"seed_sd": value}]})
