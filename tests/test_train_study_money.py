"""Planted truth from end to end: a study drawn from a known joint law, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from study_many import TRUTH, many

from curation.core.files import write_json
from train.laws.joint import Joint
from train.laws.purse import Purse, best_split
from train.study.answers import joint_findings, money_words
from train.study.answers import words as study_words
from train.study.answers.design_words import with_interval
from train.study.answers.findings import study_laws
from train.study.answers.forecast import forecast
from train.study.answers.laws_text import laws_text
from train.study.rows import Study

HELD_OUT = "photos8000-rendered24000"
PURSE = Purse(budget=300, price_real=0.05, price_synthetic=0.004)
Found = tuple[Study, dict[str, Any]]


@pytest.fixture(scope="module")
def few_forms() -> Iterator[None]:
    """Two of the twelve forms of the joint law are tried: all of them take half a minute."""
    forms = [Joint(floor=floor, repeats="counted_once") for floor in (False, True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint_findings, "joint_forms", lambda columns: forms)
        yield


@pytest.fixture(scope="module")
def found(few_forms: None, tmp_path_factory: pytest.TempPathFactory) -> Found:
    path = tmp_path_factory.mktemp("money")
    study = many(path, words={"a": 3000}, seeds=(0, 1), kinds=("fixed_real", "grid"))
    before = replace(study, rows=[row for row in study.rows if row["cell"] != HELD_OUT])
    write_json(path / "forecast.json", forecast(before, [HELD_OUT]))
    return study, study_laws(study, PURSE)


def true_error(real: np.ndarray | float, synthetic: np.ndarray | float) -> np.ndarray:
    size = TRUTH["E"] + TRUTH["A"] * 400_000 ** -TRUTH["a"]
    return np.asarray(size + TRUTH["B"] * (real + TRUTH["k"] * synthetic) ** -TRUTH["b"])


def test_the_exchange_rate_is_the_planted_one_within_its_interval(found: Found) -> None:
    exchange = found[1]["tests"][0]["exchange"]
    assert exchange["at"] == {"n_real": 8_000, "n_synthetic": 24_000}
    assert exchange["beyond"] is False
    assert exchange["rate"]["low95"] < 1 / TRUTH["k"] < exchange["rate"]["high95"]
    assert exchange["rate"]["estimate"] == pytest.approx(1 / TRUTH["k"], rel=0.1)
    rates = [rate for row in exchange["map"]["rate"] for rate in row]
    assert rates == pytest.approx([1 / TRUTH["k"]] * 81, rel=0.25)


def test_doubling_buys_what_the_planted_law_says(found: Found) -> None:
    doubling = found[1]["tests"][0]["doubling"]
    before = true_error(8_000, 24_000)
    for kind, after in (("real", true_error(16_000, 24_000)), ("synthetic", true_error(8_000, 48_000))):
        assert doubling[kind]["estimate"] == pytest.approx(before - after, abs=0.006)
    assert doubling["beyond"] is True


@pytest.mark.parametrize("price_synthetic", [0.004, 0.02])
def test_the_best_split_is_near_the_true_optimum(found: Found, price_synthetic: float) -> None:
    """At the first price synthetic words are the cheaper ones for what they are worth, at the second not."""
    study, laws = found
    purse = replace(PURSE, price_synthetic=price_synthetic)
    best = laws["tests"][0]["best"] if purse == PURSE else _best(study, purse)
    real = np.linspace(0, 6_000, 60_001)
    synthetic = np.minimum((300 - 0.05 * real) / price_synthetic, 96_000)
    true_best = true_error(real, np.maximum(synthetic, 1e-9)).min()
    assert true_error(best["real"], best["synthetic"]) - true_best < 0.002
    assert best["buy_real"] * 0.05 + best["buy_synthetic"] * price_synthetic <= 300 * (1 + 1e-9)
    assert (best["share"]["estimate"] > 0.9) == (price_synthetic == 0.004)


def _best(study: Study, purse: Purse) -> dict[str, Any]:
    points = study.points("a")
    *_, blended = joint_findings.fit_joint(study, points)
    return best_split(joint_findings.surface_of(blended, points), purse)


def test_the_forecast_was_made_without_the_cell_and_came_true(found: Found) -> None:
    study, laws = found
    kept = json.loads((study.path / "forecast.json").read_text())
    assert not any(run.startswith(HELD_OUT) for run in kept["runs"])
    (entry,) = laws["tests"][0]["forecast"]
    assert (entry["cell"], entry["by"], entry["n_words"], entry["n_seeds"]) == (HELD_OUT, "joint", 3000, 2)
    observed = np.mean([row["tests"][0]["accuracy"] for row in study.runs(HELD_OUT)])
    assert entry["observed"] == pytest.approx(observed)
    assert entry["inside95"] == (entry["predicted"]["low95"] <= observed <= entry["predicted"]["high95"])
    assert entry["predicted"]["estimate"] == pytest.approx(1 - true_error(8_000, 24_000), abs=0.01)
    assert entry["predicted"]["high95"] - entry["predicted"]["low95"] < 0.05


def test_the_answer_says_what_to_get_next(found: Found) -> None:
    study, laws = found
    test = laws["tests"][0]
    rate, doubled = test["exchange"]["rate"], test["doubling"]
    (gain,) = [
        d["differences"][d["best_on_validation"]] for d in test["designs"] if d["kind"] == "fixed_real"
    ]
    assert laws["answer"] == study_words.answer(study, laws)
    assert laws["answer"] == (
        f"One more photos word is worth {rate['estimate']:.1f} rendered ones [{rate['low95']:.1f}, "
        f"{rate['high95']:.1f}] on a; adding 6 rendered words per photos word gained "
        f"{100 * gain['estimate']:.1f} points [{100 * gain['low95']:.1f}, {100 * gain['high95']:.1f}] on a, "
        "against photos words alone (95 % intervals)."
    )
    assert (
        "At 8,000 photos and 24,000 rendered words, photos words are what to get next if one costs less than "
        f"{rate['estimate']:.1f} rendered ones: by the law, beyond the sizes tried, doubling "
        "the photos words buys "
        f"{with_interval(doubled['real'])} points on a, doubling the rendered words "
        f"{with_interval(doubled['synthetic'])}, in runs that see as many samples as before (95 % intervals)."
    ) in laws["remarks"]


def test_what_is_printed_holds_the_figures(found: Found) -> None:
    study, laws = found
    text = laws_text(study, laws)
    best, entry = laws["tests"][0]["best"], laws["tests"][0]["forecast"][0]
    assert (
        f"A budget of 300 at 0.05 a photos word and 0.004 a rendered one is best spent on "
        f"{best['buy_real']:,.0f} photos and {best['buy_synthetic']:,.0f} rendered words: accuracy "
        f"{100 * (1 - best['error']['estimate']):.1f} % ["
    ) in text
    assert "This lies beyond the sizes tried." in text
    assert f" {100 * entry['predicted']['estimate']:.1f} | " in text
    assert "additive" in text
    assert "nan" not in text.lower()


def test_cells_trained_otherwise_take_no_part_in_the_joint_law(tmp_path: Path) -> None:
    study = many(tmp_path, words={"a": 50}, seeds=(0,))
    kept, left_out = joint_findings.joint_cells(study, set(study.cells))
    assert left_out == {"other synthetic words": 1, "other training": 3, "several stages": 2}
    assert len(kept) + 6 == len(study.cells)
    few = many(tmp_path / "few", words={"a": 50}, seeds=(0,), kinds=("grid", "compute"))
    del few.facts["cells"][-2:]
    assert "other training" in joint_findings.joint_cells(few, set(few.cells))[1]


def test_numbers_have_the_digits_that_count() -> None:
    assert [money_words.number(x) for x in (1234.5, 12.34, 8.333, 0.1234)] == ["1,234", "12.3", "8.3", "0.12"]
