"""What a reader of the page meets who has never seen the study: few remarks first, and names explained."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from laws_fakes import made_laws
from study_fakes import finished, with_words
from study_many import many

from train.study.answers.money_words import best_sentence, price
from train.study.answers.words import remarks
from train.study.page.formulas import formulas, joint_formula
from train.study.page.report import MOST_REMARKS, write_report
from train.study.page.sections import _two_digits
from train.study.report_command import report
from train.study.rows import Study

WHY = "the law does not tell whether more real words help"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many(tmp_path_factory.mktemp("large"), words={"photos_test": 300, "curved_test": 90})


def shown(study: Study, **options: bool) -> str:
    html = write_report(study, made_laws(study), **options).read_text(encoding="utf-8")
    return html.replace("\N{NO-BREAK SPACE}", " ")


def test_remarks_on_one_design_stand_in_its_section_and_few_above_the_plots(large: Study) -> None:
    html, told = shown(large), remarks(large, made_laws(large))
    header = html.split("<header>")[1].split("</header>")[0]
    assert len(told) > 10
    assert 0 < header.count("<li>") <= MOST_REMARKS
    assert f"<li>{told[-1]}</li>" in header
    assert f"<li>{told[0]}</li>" in html.split('<section id="design-1">')[1].split("</section>")[0]
    for at, design in enumerate(large.designs, 1):
        section = html.split(f'<section id="design-{at}">')[1].split("</section>")[0]
        for remark in told:
            if f"the design {design['name']} on" in remark or f"In the design {design['name']}," in remark:
                assert f"<li>{remark}</li>" in section
                assert remark not in header
    forecast = html.split('<section id="forecast">')[1].split("</section>")[0]
    assert "<li>Before its test words were read, the joint law foretold" in forecast


def test_what_weakens_the_rate_stands_above_the_plots(large: Study) -> None:
    laws = made_laws(large)
    laws["tests"][-1]["joint"]["misses"] = 2.6
    laws["tests"][-1]["exchange"] = {"refused": WHY, "equal_passes": laws["tests"][-1]["exchange"]}
    header = write_report(large, laws).read_text(encoding="utf-8").split("</header>")[0]
    assert "misses its cells by more than seeds" in header
    assert f"<li>No exchange rate at equal samples on all tests: {WHY}.</li>" in header
    assert header.count("<li>") <= MOST_REMARKS


def test_remarks_beyond_five_fold_away(tmp_path: Path) -> None:
    study = finished(tmp_path, {f"r{r}": 0.4 + r / 50 for r in (0, 1, 3)}, words={"a": 60, "b": 60, "c": 60})
    for row in study.rows:
        row["git_commit"] = f"{row['run']}+"
        for score in row["tests"]:
            score["n_trained_on"] = 2
    header = shown(study).split("<header>")[1].split("</header>")[0]
    above, folded = header.split("<summary>More on what this rests on</summary>")
    assert above.count("<li>") == MOST_REMARKS
    assert "<li>3 of 3 runs were made with changes to glyphmix that no commit holds" in folded


def test_only_chosen_laws_stand_in_the_open(large: Study) -> None:
    laws = made_laws(large)
    for test in laws["tests"]:
        first = test["designs"][2]["laws"][0]
        test["designs"][2]["laws"] = [first, {**first, "law": "power_no_floor of n_total", "chosen": False}]
    html = write_report(large, laws).read_text(encoding="utf-8")
    section = html.split('<section id="design-3">')[1].split("</section>")[0]
    above, folded = section.split("<summary>Laws that were not chosen</summary>")
    assert "(chosen)" in above
    assert "power_no_floor of" not in re.sub("<wbr>|\N{ZERO WIDTH SPACE}", "", above.split("<p class")[0])
    assert folded.split("</details>")[0].count("<tr><td>") == len(laws["tests"])


@pytest.mark.parametrize(
    ("titles", "told"),
    [
        (
            ["power of n_total", "power_no_floor of n_total, repeats discounted"],
            "Error is the share of words misread; power: error = E + A / n^a; power_no_floor: error = A / "
            "n^a; n is n_total, the number of different words; repeats discounted: a word counts for less "
            "each time that it is seen again.",
        ),
        (
            ["mixing of synthetic"],
            "Error is the share of words misread; mixing: error = c + k exp(t_synthetic s), with s the share "
            "of synthetic words.",
        ),
        (["power"], ""),
    ],
)
def test_captions_give_the_formulas_of_laws(titles: list[str], told: str) -> None:
    assert formulas(titles) == told


@pytest.mark.parametrize(
    ("title", "formula"),
    [
        ("joint", "E + B / (real + k synthetic)^b"),
        ("joint, no floor, curved", "B / (real + k synthetic^r)^b"),
        ("joint, with model size, repeats not counted", "E + A / N^a + B / (real + k synthetic)^b"),
    ],
)
def test_the_joint_law_is_written_out(title: str, formula: str) -> None:
    told = joint_formula(title)
    assert told.startswith(f"Error, the share of words misread, is {formula}; ")
    assert ("N is the number of parameters" in told) == ("model size" in title)
    assert ("s synthetic words count as much as k s^r real ones" in told) == ("curved" in title)
    assert ("seen again" in told) == ("not counted" not in title)


def test_laws_blended_or_of_another_kind_have_no_formula() -> None:
    assert joint_formula("joint, no floor or joint") == joint_formula("additive") == ""


def test_a_page_to_pass_on_shows_no_word_and_no_folder_of_this_machine(tmp_path: Path) -> None:
    study = with_words(tmp_path / "study")
    assert "data:image/jpeg" in shown(study)
    runner = CliRunner().invoke(report, [str(study.path), "--no-pictures"], catch_exceptions=False)
    assert runner.exit_code == 0
    html = (study.path / "report.html").read_text(encoding="utf-8")
    assert "data:image/jpeg" not in html
    assert "Left out: this page was asked for without pictures." in html
    shutil.rmtree(study.path / "mixtures")
    assert str(study.path) not in shown(study)


def test_how_to_repeat_it_names_every_dataset_and_what_there_was_to_spend(large: Study) -> None:
    laws = made_laws(large)
    purse = {"budget": 500.0, "price_real": 0.05, "price_synthetic": 1e-05}
    laws["purse"] = {**purse, "have_real": 4000.0, "have_synthetic": 0.0}
    commands = write_report(large, laws).read_text(encoding="utf-8").split("<pre>")[1].split("</pre>")[0]
    assert (
        "glyphmix report OUT --budget 500 --price-real 0.05 --price-synthetic 0.00001 --have-real 4000"
        in commands
    )
    for dataset in large.facts["datasets"]:
        told = f"# {dataset['path']}: no command is kept that makes its {dataset['n_rows']:,} words\n"
        assert told in commands


def test_what_is_the_same_in_every_cell_is_said_once(tmp_path: Path, large: Study) -> None:
    alike = shown(many(tmp_path, words={"a": 60}, kinds=["source"], seeds=(0,)))
    table = alike.split('<section id="table">')[1].split("</section>")[0]
    assert "Parameters of every cell: " in table
    assert "Samples seen of every cell: " in table
    assert '<th rowspan="2">parameters</th>' not in table
    assert '<th rowspan="2">parameters</th>' in shown(large)


@pytest.mark.parametrize(
    ("value", "told"), [(1e-05, "0.00001"), (0.05, "0.05"), (1250.0, "1250"), (0.0, "0")]
)
def test_prices_have_no_exponent(value: float, told: str) -> None:
    assert price(value) == told


def test_a_split_is_not_compared_with_itself(large: Study) -> None:
    test = made_laws(large)["tests"][-1]
    both = best_sentence(test)
    assert "points over photos words alone and" in both
    assert "over rendered words alone" in both
    test["best"]["share"] = dict.fromkeys(test["best"]["share"], 1.0)
    assert "over rendered words alone" not in best_sentence(test)
    test["best"]["share"] = dict.fromkeys(test["best"]["share"], 0.0)
    alone = best_sentence(test)
    assert "over photos words alone" not in alone
    assert "points over rendered words alone" in alone


def test_equal_reasons_for_no_forecast_are_given_once(tmp_path: Path) -> None:
    held_out = ("photos8000-rendered24000", "photos4000-rendered24000")
    study = many(
        tmp_path, words={"a": 60, "b": 60}, kinds=["fixed_real", "volume"], held_out=held_out, seeds=(0,)
    )
    html = write_report(study, made_laws(study, refused="no law")).read_text(encoding="utf-8")
    (told,) = re.findall("<li>(.*: not predicted, .*)</li>", html)
    cells = ", ".join(study.facts["held_out"])
    assert told == f"{cells} on a, b, all tests, by joint: not predicted, no law."


def test_rates_on_the_map_below_one_have_two_digits() -> None:
    assert [_two_digits(rate) for rate in (0.087, 0.15, 0.94, 0.96, 8.57, 12.3)] == [
        "0.087", "0.15", "0.94", "1.0", "8.6", "12"
    ]  # fmt: skip
