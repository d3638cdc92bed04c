from __future__ import annotations

from pathlib import Path

import pytest
from study_fakes import finished

from train import study_words
from train.study_laws import study_laws


def test_the_difference_is_the_one_in_the_rows(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5, "r3": 0.6}, words={"a": 900, "b": 300})
    laws = study_laws(study)
    assert [test["name"] for test in laws["tests"]] == ["a", "b", "all tests"]
    base, most = study.rows[0], study.rows[2]
    for at, test in enumerate(laws["tests"][:2]):
        found = test["differences"]["r3"]
        assert found["estimate"] == pytest.approx(
            most["tests"][at]["accuracy"] - base["tests"][at]["accuracy"]
        )
        gained, lost = found["by_seed"]["0"]["gained"], found["by_seed"]["0"]["lost"]
        assert gained - lost == most["tests"][at]["n_correct"] - base["tests"][at]["n_correct"]
        assert found["low95"] < found["low80"] < 0.2 < found["high80"] < found["high95"]
    together = laws["tests"][2]
    assert together["words"] == 1200
    both = sum(s["n_correct"] for s in most["tests"]) / 1200
    assert together["cells"]["r3"]["estimate"] == pytest.approx(both)


def test_three_ratios_carry_a_line_and_no_power_law(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5, "r3": 0.6, "synthetic": 0.5}, words={"a": 3000})
    laws = study_laws(study)["tests"][0]
    assert laws["line"]["per_doubling"]["estimate"] == pytest.approx(0.1, abs=0.02)
    assert laws["line"]["held_out"] is None
    assert laws["power_law"] == {
        "refused": "a power law needs runs at 4 or more data sizes, got 3; train more sizes"
    }


def test_two_ratios_carry_no_line(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 300})
    assert study_laws(study)["tests"][0]["line"] == {
        "refused": "a line needs runs at 3 or more data sizes, got 2; train more sizes"
    }


def test_a_volume_that_stands_still_carries_no_law(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5, "r3": 0.6}, words={"a": 300}, design="fixed_total")
    assert study_laws(study)["tests"][0]["line"] == {
        "refused": "a line needs a volume that moves, and the design fixed_total holds it fixed; "
        "use the design fixed_real"
    }


def test_a_planted_power_law_is_found_and_predicts_the_largest_size(tmp_path: Path) -> None:
    ratios = [0, 1, 3, 7, 15, 31]
    planted = {f"r{r}": 1 - (0.05 + 20 * (1000.0 * (1 + r)) ** -0.5) for r in ratios}
    study = finished(tmp_path, planted, words={"a": 20_000})
    law = study_laws(study)["tests"][0]["power_law"]
    assert law["exponent"]["estimate"] == pytest.approx(0.5, abs=0.1)
    assert law["exponent"]["low95"] < 0.5 < law["exponent"]["high95"]
    assert law["floor"]["low95"] < 0.05 < law["floor"]["high95"]
    held = law["held_out"]
    assert held["cell"] == "r31"
    assert held["predicted_error"] == pytest.approx(held["error"], rel=0.2)


def test_sizes_that_do_not_pin_a_power_law_down_are_refused(tmp_path: Path) -> None:
    planted = {"r0": 0.50, "r0.1": 0.50, "r0.2": 0.51, "r0.3": 0.51}
    law = study_laws(finished(tmp_path, planted, words={"a": 200}))["tests"][0]["power_law"]
    assert law["refused"].startswith("the 4 sizes do not pin a power law down: its exponent may be anything")


def test_the_answer_speaks_of_the_ratio_best_on_held_out_words(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.6, "r3": 0.5, "synthetic": 0.3}, words={"a": 5000})
    laws = study_laws(study)
    found = laws["tests"][0]["differences"]["r1"]
    low, high = 100 * found["low95"], 100 * found["high95"]
    assert study_words.answer(study, laws) == (
        f"Adding 1 rendered word per real word gained {100 * found['estimate']:.1f} points "
        f"[{low:.1f}, {high:.1f}] on a, against real words alone (95 % intervals)."
    )
    alone = laws["tests"][0]
    assert study_words.remarks(study, laws) == [
        "Of the ratios tried, 1 read most of 100 held-out real words, no test word among them.",
        f"Rendered words alone read {100 * alone['cells']['synthetic']['estimate']:.1f} % of a "
        f"({study_words.points(alone['differences']['synthetic']['estimate'])} points), "
        "compared with real words alone.",
        "One seed a cell: the intervals cover which words are in the test sets, "
        "not how much another seed would move a run.",
    ]


def test_what_the_data_cannot_tell_is_said(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r3": 0.4}, words={"a": 300, "b": 300})
    laws = study_laws(study)
    text = study_words.answer(study, laws)
    assert text.startswith("Adding 3 rendered words per real word made no clear difference on a (")
    assert "]) and on b (" in text


def test_seeds_widen_the_intervals_and_are_told(tmp_path: Path) -> None:
    cells = {"r0": 0.4, "r1": 0.5, "r3": 0.6}
    one = study_laws(finished(tmp_path / "one", cells, words={"a": 3000}))
    many = finished(tmp_path / "many", cells, words={"a": 3000}, seeds=(0, 1, 2), seed_sd=0.03)
    three = study_laws(many)
    width = [
        laws["tests"][0]["differences"]["r3"]["high95"] - laws["tests"][0]["differences"]["r3"]["low95"]
        for laws in (one, three)
    ]
    assert width[1] > 1.5 * width[0]
    assert list(three["tests"][0]["differences"]["r3"]["by_seed"]) == ["0", "1", "2"]
    assert "The intervals cover test words and seeds" in study_words.remarks(many, three)[-1]


def test_test_words_that_were_trained_on_are_told(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 300})
    study.rows[1]["tests"][0]["n_trained_on"] = 8
    assert study_words.remarks(study, study_laws(study))[-1] == (
        "8 words of a were also trained on, so accuracy on it is flattered."
    )


def test_a_missing_base_is_no_answer(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r3": 0.6}, words={"a": 300}, skip=("fixed_real-r0-s0",))
    laws = study_laws(study)
    assert study_words.answer(study, laws) == (
        "Not answered yet: the cell r0, which the others are compared with, has not finished."
    )
    assert study_words.remarks(study, laws)[-1] == (
        "Not finished: fixed_real-r0-s0. Run ablate again to go on."
    )
