from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from study_fakes import finished

from curation.core.errors import UserError
from train.study.answers import words as study_words
from train.study.answers.findings import study_laws
from train.study.answers.laws_text import law_sentences
from train.study.page.table import lines
from train.study.rows import Study


def test_the_difference_is_the_one_in_the_rows(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5, "r3": 0.6}, words={"a": 900, "b": 300})
    laws = study_laws(study)
    assert [test["name"] for test in laws["tests"]] == ["a", "b", "all tests"]
    base, most = study.rows[0], study.rows[2]
    for at, test in enumerate(laws["tests"][:2]):
        found = test["designs"][0]["differences"]["r3"]
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


def laws_of(study: Study) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = study_laws(study)["tests"][0]["designs"][0]["laws"]
    return found


def test_three_ratios_carry_a_straight_law_and_none_with_a_floor(tmp_path: Path) -> None:
    cells = {f"r{r}": 1 - 20 * (1000.0 * (1 + r)) ** -0.5 for r in (0, 1, 3)}
    straight, floored = laws_of(finished(tmp_path, {**cells, "synthetic": 0.5}, words={"a": 3000}))
    assert straight["chosen"]
    assert straight["estimate"]["a"]["low95"] < 0.5 < straight["estimate"]["a"]["high95"]
    assert floored == {
        "law": "power of n_total",
        "refused": "a power law needs cells at 4 or more values of n_total, got 3; train more",
    }
    curve = straight["curve"]
    assert (curve["x"][0], curve["x"][-1]) == (0, 3)
    assert curve["estimate"][-1] == pytest.approx(cells["r3"], abs=0.02)
    assert all(low < high for low, high in zip(curve["low95"], curve["high95"], strict=True))


def test_two_ratios_carry_no_law(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 300})
    assert laws_of(study) == [
        {
            "law": "power_no_floor of n_total",
            "refused": "a power law without a floor needs cells at 3 or more values of n_total, got 2; "
            "train more",
        },
        {
            "law": "power of n_total",
            "refused": "a power law needs cells at 4 or more values of n_total, got 2; train more",
        },
    ]


def test_a_planted_power_law_is_found_with_its_floor(tmp_path: Path) -> None:
    ratios = [0, 1, 3, 7, 15, 31]
    planted = {f"r{r}": 1 - (0.05 + 20 * (1000.0 * (1 + r)) ** -0.5) for r in ratios}
    chosen = next(law for law in laws_of(finished(tmp_path, planted, words={"a": 20_000})) if law["chosen"])
    assert chosen["law"] == "power of n_total"
    assert chosen["estimate"]["a"]["estimate"] == pytest.approx(0.5, abs=0.1)
    assert chosen["estimate"]["a"]["low95"] < 0.5 < chosen["estimate"]["a"]["high95"]
    assert chosen["estimate"]["E"]["low95"] < 0.05 < chosen["estimate"]["E"]["high95"]
    assert chosen["held_out_error"] < 0.05


def test_cells_that_do_not_differ_carry_no_law(tmp_path: Path) -> None:
    planted = {"r0": 0.50, "r0.1": 0.50, "r0.2": 0.51, "r0.3": 0.51}
    for law in laws_of(finished(tmp_path, planted, words={"a": 200})):
        assert law["refused"] == (
            "the 4 cells have one seed each, and differ by no more than seeds may do, so no law shows. "
            "Train more seeds, cells further apart, or take a larger test"
        )


def test_the_answer_speaks_of_the_ratio_best_on_held_out_words(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.6, "r3": 0.5, "synthetic": 0.3}, words={"a": 5000})
    laws = study_laws(study)
    found = laws["tests"][0]["designs"][0]["differences"]["r1"]
    low, high = 100 * found["low95"], 100 * found["high95"]
    assert study_words.answer(study, laws) == (
        f"Adding 1 rendered word per real word gained {100 * found['estimate']:.1f} points "
        f"[{low:.1f}, {high:.1f}] on a, against real words alone (95 % intervals)."
    )
    alone = laws["tests"][0]
    assert study_words.remarks(study, laws) == [
        "Of the ratios tried, 1 read most of 100 held-out real words.",
        f"Rendered words alone read {100 * alone['cells']['synthetic']['estimate']:.1f} % of a "
        f"({study_words.points(alone['designs'][0]['differences']['synthetic']['estimate'])} points), "
        "compared with real words alone.",
        f"No exchange rate: {alone['joint']['refused']}.",
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
    found = [laws["tests"][0]["designs"][0]["differences"]["r3"] for laws in (one, three)]
    width = [of["high95"] - of["low95"] for of in found]
    assert width[1] > 1.5 * width[0]
    assert list(found[1]["by_seed"]) == ["0", "1", "2"]
    assert "The intervals cover test words and seeds" in study_words.remarks(many, three)[-1]


def test_test_words_that_were_trained_on_are_told(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 300})
    study.rows[1]["tests"][0]["n_trained_on"] = 8
    assert study_words.remarks(study, study_laws(study))[-1] == (
        "8 words of a are among the words trained on (the same picture or uid), so accuracy on it is "
        "flattered. Take them out of one of the two."
    )


def test_a_missing_base_is_no_answer(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r3": 0.6}, words={"a": 300}, skip=("r0-s0",))
    laws = study_laws(study)
    assert study_words.answer(study, laws) == (
        "Not answered yet: the cell r0, which the others are compared with, has not finished."
    )
    assert study_words.remarks(study, laws)[-1] == ("Not finished: r0-s0. Run ablate again to go on.")


def with_validation(study: Study, **accuracy: tuple[float, ...]) -> Study:
    """The same with other accuracies on held-out words: cell -> one for each seed."""
    for cell, values in accuracy.items():
        for row, value in zip(study.runs(cell), values, strict=True):
            row["validation"]["accuracy"] = value
    return study


def entry(name: str, **facts: object) -> dict[str, object]:
    return {"name": name, "path": name, "role": "test", "rejected_by_reason": {}, "command": "", **facts}


@pytest.mark.parametrize(("n_shared", "said"), [(0, ", none of them the picture of a test word."), (3, ".")])
def test_held_out_words_are_called_apart_from_tests_only_if_they_are(
    tmp_path: Path, n_shared: int, said: str
) -> None:
    datasets = (entry("a", n_shared=n_shared),)
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.6, "r3": 0.5}, words={"a": 300}, datasets=datasets)
    remarks = study_words.remarks(study, study_laws(study))
    assert remarks[0] == f"Of the ratios tried, 1 read most of 100 held-out real words{said}"
    shared = "3 words of a are among the words trained on (the same picture or uid)"
    assert any(remark.startswith(shared) for remark in remarks) == (n_shared == 3)


def test_ratios_that_read_equally_many_held_out_words_are_all_named(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.6, "r3": 0.5}, words={"a": 300})
    with_validation(study, r0=(0.4,), r1=(0.6,), r3=(0.6,))
    assert study_words.remarks(study, study_laws(study))[0] == (
        "Of the ratios tried, 1 and 3 read equally many, and most, of 100 held-out real words; "
        "the sentence above speaks of the least of them."
    )


def test_the_ratio_is_chosen_over_seeds_that_all_ratios_have(tmp_path: Path) -> None:
    """Seed 1 held easier words out, and r1 has not read them yet."""
    cells = {"r0": 0.4, "r1": 0.5, "r3": 0.5}
    study = finished(tmp_path, cells, words={"a": 300}, seeds=(0, 1), skip=("r1-s1",))
    with_validation(study, r0=(0.4, 0.9), r1=(0.5,), r3=(0.45, 0.95))
    assert study_laws(study)["best_on_validation"] == "r1"


def test_words_that_no_run_has_seen_carry_no_law(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5, "r3": 0.6}, words={"a": 300}, samples_seen=2500)
    laws = study_laws(study)
    assert laws["tests"][0]["designs"][0]["laws"] == [
        {
            "law": "power",
            "refused": "a power law needs runs that see each of their words, and these see 2,500 samples of "
            "up to 4,000 different words; raise steps",
        }
    ]
    assert study_words.remarks(study, laws)[-1] == (
        "2,500 samples are fewer than the different words of r3 (up to 4,000): the rest is never seen and "
        "teaches nothing. Raise steps."
    )


def test_runs_that_were_not_made_alike_are_told(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 300})
    study.rows[1].update(device="cuda", threads=2, versions={"glyphmix": "0.2.0"}, git_commit="abc+")
    assert study_words.remarks(study, study_laws(study))[-2:] == [
        "Not all runs were made alike: they differ in the commit of glyphmix, device, threads and "
        "versions of packages. See runs.jsonl.",
        "1 of 2 runs were made with changes to glyphmix that no commit holds (+ after the commit), "
        "so nobody else can repeat them exactly.",
    ]


def test_one_seed_beside_several_has_an_interval_that_covers_seeds_too(tmp_path: Path) -> None:
    study = finished(
        tmp_path,
        {"r0": 0.4, "r1": 0.5},
        words={"a": 2000},
        seeds=(0, 1),
        seed_sd=0.05,
        skip=("r1-s1",),
    )
    laws = study_laws(study)
    shown, alone = lines(study, laws)[1].scores[0], study.rows[-1]["tests"][0]
    assert study_words.remarks(study, laws)[1].startswith("The intervals cover test words and seeds")
    assert shown.high95 - shown.low95 > 1.5 * (alone["accuracy_high"] - alone["accuracy_low"])


def test_a_gain_by_doubling_says_which_words_were_added(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5, "r3": 0.6}, words={"a": 3000})
    ((tests, sentence),) = law_sentences(study_laws(study), 0)
    assert tests == "a"
    assert sentence.startswith("power_no_floor of n_total: A ")
    assert "; error falls to 0.8" in sentence
    assert " of itself each time the different words double, by synthetic words alone." in sentence


class TestPredictions:
    """What lies in the folders of runs must be what the rows say."""

    def refused(self, study: Study) -> str:
        with pytest.raises(UserError) as refusal:
            study_laws(study)
        return str(refusal.value)

    def test_cut_short(self, tmp_path: Path) -> None:
        study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 300})
        file = tmp_path / "runs" / "r1-s0" / "predictions" / "a.parquet"
        os.truncate(file, 200)
        assert self.refused(study) == (
            f"{file} is damaged. Restore it, or remove runs/r1-s0/predictions and "
            "runs/r1-s0/row.json, and run ablate again: it only evaluates anew."
        )

    def test_made_anew_under_another_protocol(self, tmp_path: Path) -> None:
        study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 300})
        run = study.rows[1]["run"]
        file = tmp_path / "runs" / run / "predictions" / "a.parquet"
        table = pq.read_table(file)
        none_right = pa.array([False] * len(table))
        pq.write_table(table.set_column(table.column_names.index("correct"), "correct", none_right), file)
        assert self.refused(study) == (
            f"the predictions of {run} on a have 0 words right and its row "
            f"{study.rows[1]['tests'][0]['n_correct']}: they have changed since. Restore them, or remove "
            f"runs/{run}/predictions and runs/{run}/row.json, and run ablate again: "
            "it only evaluates anew."
        )


def test_a_share_that_moves_carries_the_mixing_law_along_its_axis(tmp_path: Path) -> None:
    cells = {f"r{r}": 0.75 - 0.3 * (r / (1 + r)) ** 2 for r in (0, 0.5, 1, 3, 7)}
    study = finished(tmp_path, cells, words={"a": 5000}, design="fixed_total")
    for row in study.rows:  # as fixed_total lays them out
        row.update(n_total=8_000, n_synthetic=round(8_000 * row["n_synthetic"] / row["n_total"]))
    (law,) = laws_of(study)
    assert (law["law"], law["chosen"]) == ("mixing of synthetic", True)
    for ratio in (0, 7):
        at = law["curve"]["x"].index(ratio)
        assert law["curve"]["estimate"][at] == pytest.approx(cells[f"r{ratio}"], abs=0.02)
    middle = min(range(40), key=lambda i: abs(law["curve"]["x"][i] - 1))
    assert law["curve"]["estimate"][middle] == pytest.approx(0.75 - 0.3 * 0.25, abs=0.03)
