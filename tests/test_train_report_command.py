from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from laws_fakes import made_laws
from study_fakes import finished

from train.study.answers.findings import study_laws
from train.study.page.table import lines, markdown, text_table
from train.study.report_command import report
from train.study.rows import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    accuracy = {"r0": 0.31, "r1": 0.44, "r3": 0.56, "r6": 0.57, "synthetic": 0.40}
    return finished(tmp_path_factory.mktemp("made"), accuracy, words={"a": 120})


@pytest.fixture(scope="module")
def laws(study: Study) -> dict[str, Any]:
    return study_laws(study)


def test_it_prints_table_answer_remarks_and_path_and_leaves_the_files(study: Study) -> None:
    shown = CliRunner().invoke(report, [str(study.path)], catch_exceptions=False)
    kept = json.loads((study.path / "laws.json").read_text())
    for text in (kept["answer"], *kept["remarks"], *kept["notes"]):
        assert f"\n\n{text}\n\n" in shown.stdout
    assert shown.stdout.splitlines()[-1] == str(study.path / "report.html")
    assert kept["purse"] is None
    assert kept["tests"][0]["best"] is None
    prices = ["--budget", "500", "--price-real", "0.05", "--price-synthetic", "0.00001", "--json"]
    parsed = json.loads(CliRunner().invoke(report, [str(study.path), *prices]).stdout)
    again = json.loads((study.path / "laws.json").read_text())
    assert again["purse"]["budget"] == 500
    assert again["tests"][0]["best"] is not None
    assert again["tests"][0]["cells"] == kept["tests"][0]["cells"]
    assert parsed["page"] == str(study.path / "report.html")
    assert [parsed[key] for key in ("answer", "remarks")] == [again[key] for key in ("answer", "remarks")]
    assert [cell["cell"] for cell in parsed["cells"]] == ["r0", "r1", "r3", "r6", "synthetic"]
    assert [Path(path).name for path in parsed["tables"]] == ["runs.csv", "cells.csv"]
    assert all(Path(path).is_file() for path in parsed["tables"])


def test_cells_are_what_their_runs_read(study: Study, laws: dict[str, Any]) -> None:
    for cell, found in laws["tests"][0]["cells"].items():
        scores = [row["tests"][0] for row in study.runs(cell)]
        right, words = (sum(score[key] for score in scores) for key in ("n_correct", "n_used"))
        assert found["estimate"] == pytest.approx(right / words)
        assert found["low95"] < found["estimate"] < found["high95"]


def test_made_up_laws_look_like_fitted_ones(study: Study, laws: dict[str, Any]) -> None:
    made = made_laws(study, budget=False)
    assert made.keys() == laws.keys()
    for ours, theirs in zip(made["tests"], laws["tests"], strict=True):
        assert ours.keys() == theirs.keys()
        for a, b in zip(ours["designs"], theirs["designs"], strict=True):
            assert a.keys() == b.keys()
            assert a["differences"].keys() == b["differences"].keys()
            assert a["differences"]["r1"].keys() == b["differences"]["r1"].keys()
            assert a["published"].keys() == b["published"].keys()


def test_the_printed_table_is_that_of_the_page(study: Study, laws: dict[str, Any]) -> None:
    table = lines(study, laws)
    printed = text_table(study, table).splitlines()
    assert printed[0].split("|")[1:4] == [" cell      ", "  real ", " rendered "]
    assert len({len(line) for line in printed}) == 1
    score = table[2].scores[0]
    figures = f"{100 * score.accuracy:.1f} [{100 * score.low95:.1f}, {100 * score.high95:.1f}]"
    assert figures in printed[4]
    row = study.rows[2]["tests"][0]
    assert (score.accuracy, score.low95) == (row["accuracy"], row["accuracy_low"])


def test_several_seeds_show_their_mean(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 400}, seeds=(0, 1, 2), seed_sd=0.03)
    table = lines(study, made_laws(study))
    accuracies = [row["tests"][0]["accuracy"] for row in study.rows[:3]]
    assert table[0].scores[0].accuracy == pytest.approx(sum(accuracies) / 3)
    assert table[0].scores[0].per_seed == tuple(accuracies)


def test_prices_without_a_budget_are_refused(study: Study) -> None:
    shown = CliRunner().invoke(report, [str(study.path), "--price-real", "0.05"])
    assert str(shown.exception) == ("prices and words one has need a budget to spend. Give --budget too.")


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    shown = CliRunner().invoke(report, [str(tmp_path)])
    assert str(shown.exception) == f"{tmp_path} holds no study: it has no study.json. Make one with 'ablate'."


def test_markdown_lines_up() -> None:
    assert markdown(["a", "figure"], [["long name", "1"], ["b", "22,000"]]) == (
        "| a         | figure |\n| --------- | -----: |\n| long name |      1 |\n| b         | 22,000 |"
    )
