from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from laws_fakes import made_laws
from study_fakes import dataset, finished, part, with_words
from study_many import many

from train.study.page.csv_tables import write_tables
from train.study.page.figures import FORMS
from train.study.page.report import write_report
from train.study.rows import Study

STAND_IN = part("stand-in", "real", "the stand-in for real words: no photograph is among them.")
RENDERED = part("rendered", "synthetic")
WHY = "a law needs runs at 4 or more sizes, got 2; train more sizes"


class Page(HTMLParser):
    """Collects every figure with its place and form, every address, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.figures: list[tuple[str, str, str]] = []
        self.addresses: list[str] = []
        self.text = ""
        self._place: tuple[str, str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "data":
            self._place = str(found["data-from"]), str(found["data-form"])
        self.addresses += [str(value) for key, value in attrs if key in ("src", "href", "action", "data")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "data":
            self._place = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._place:
            self.figures.append((*self._place, data))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return with_words(tmp_path_factory.mktemp("report") / "study", parts=[STAND_IN, RENDERED])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many(tmp_path_factory.mktemp("large"), words={"photos_test": 300, "curved_test": 90})


@pytest.fixture(scope="module")
def html(study: Study) -> str:
    return page_of(study)


@pytest.fixture(scope="module")
def large_html(large: Study) -> str:
    return page_of(large)


def page_of(study: Study, **options: Any) -> str:
    return write_report(study, made_laws(study, **options)).read_text(encoding="utf-8")


def value_at(place: str, files: dict[str, Any]) -> Any:
    """The value that a figure says it was read from."""
    name, path = place.split("#/", 1)
    value = files[name]
    for key in (step.replace("~1", "/").replace("~0", "~") for step in path.split("/")):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def files_of(study: Study, laws: dict[str, Any]) -> dict[str, Any]:
    rows = map(json.loads, (study.path / "runs.jsonl").read_text().splitlines())
    return {"laws.json": json.loads(json.dumps(laws)), "runs.jsonl": {row["run"]: row for row in rows}}


def test_every_figure_on_the_page_is_the_one_at_its_place(large: Study, large_html: str) -> None:
    page, files = Page(large_html), files_of(large, made_laws(large))
    for place, form, shown in page.figures:
        assert shown == FORMS[form](value_at(place, files)), place
    assert len(page.figures) > 3_000


def test_the_page_has_every_count_and_score_of_every_run(large: Study, large_html: str) -> None:
    places = {place for place, _, _ in Page(large_html).figures}
    for run, row in files_of(large, {})["runs.jsonl"].items():
        for at in range(len(row["tests"])):
            for metric in ("n_correct", "n_used", "accuracy", "one_minus_ned"):
                assert f"runs.jsonl#/{run}/tests/{at}/{metric}" in places
        for part_name, n in row["words"].items():
            assert not n or f"runs.jsonl#/{run}/seen/{part_name}" in places
    for at in range(len(large.tests)):
        for cell in large.cells:
            assert f"laws.json#/tests/{at}/cells/{cell}/low95" in places


def test_figures_of_laws_are_all_shown(large: Study, large_html: str) -> None:
    places, last = {place for place, _, _ in Page(large_html).figures}, len(large.tests)
    for place in (
        f"tests/{last}/exchange/rate/estimate",
        f"tests/{last}/exchange/equal_passes/rate/high95",
        f"tests/{last}/exchange/map/rate/1/2",
        f"tests/{last}/exchange/map/high80/1/2",
        f"tests/{last}/joint/parameters/k/low95",
        f"tests/{last}/doubling/synthetic/high80",
        f"tests/{last}/best/buy_real",
        f"tests/{last}/forecast/0/predicted/low80",
        f"tests/{last}/forecast/0/observed",
        "tests/0/designs/0/published/others/photos4000/low95",
        "tests/0/designs/2/laws/0/estimate/a/low95",
        "tests/0/designs/5/differences/photos4000-rendered12000-steps4000/by_seed/2/gained",
    ):
        assert f"laws.json#/{place}" in places


def test_each_design_has_its_sentence_and_a_plot_for_each_test(large: Study, large_html: str) -> None:
    for at, design in enumerate(large.designs, 1):
        section = large_html.split(f'<section id="design-{at}">')[1].split("</section>")[0]
        assert design["sentence"].replace("<", "&lt;") in section
        assert section.count("<svg") == 2
        has_axis = design["scale"] != "category" and design["kind"] != "grid"
        assert (f">{design['factor']}</text>" in section) == has_axis
    assert large_html.count('class="curve"') >= 8  # ratio, share, volume, size and steps carry a law here


def test_of_many_tests_the_pooled_one_comes_first_and_the_others_fold_away(tmp_path: Path) -> None:
    words = {f"test_{i}": 40 for i in range(4)}
    study = many(tmp_path, words=words, kinds=["volume"], seeds=(0,))
    section = page_of(study).split('<section id="design-1">')[1].split("</section>")[0]
    shown, folded = section.split("<summary>Each test set</summary>")
    assert re.findall(r"<figcaption>(\w+ ?\w*) <span>", shown) == ["all tests"]
    assert re.findall(r"<figcaption>(\w+) <span>", folded) == list(words)


def test_what_was_not_fitted_says_why(tmp_path: Path) -> None:
    study = many(tmp_path, words={"a": 60}, kinds=["fixed_real", "volume"], seeds=(0,))
    page = Page(page_of(study, refused=WHY))
    assert f"power: not fitted, {WHY}." in page.text
    assert f"Not fitted: {WHY}." in page.text
    assert f"a: not known, {WHY}." in page.text
    assert f"photos8000-rendered24000 on a, by joint: not predicted, {WHY}." in page.text


def test_a_study_that_is_not_finished_has_a_page(tmp_path: Path) -> None:
    whole = many(tmp_path / "whole", words={"a": 60}, seeds=(0,))
    skip = [row["run"] for row in whole.rows if row["cell"] not in ("photos4000", "rendered24000")]
    study = many(tmp_path / "part", words={"a": 60}, seeds=(0,), skip=skip)
    html = page_of(study, refused=WHY)
    assert html.count("<tr data-cell=") == 2
    assert html.count("No run of this design has finished.") == 6


def test_the_page_asks_no_other_host(html: str, large_html: str) -> None:
    for page in (html, large_html):
        assert all(address.startswith(("data:", "#")) for address in Page(page).addresses)
        assert not re.search(r"@import|url\(|<script|<link rel=.stylesheet", page)


def test_links_lead_to_sections_of_the_page(large_html: str) -> None:
    anchors = [address[1:] for address in Page(large_html).addresses if address.startswith("#")]
    assert len(anchors) == 15
    for anchor in anchors:
        assert large_html.count(f'id="{anchor}"') == 1


def test_text_from_recipes_and_labels_is_escaped(tmp_path: Path) -> None:
    nasty = '<script>alert(1)</script> & "quotes"'
    study = finished(
        tmp_path,
        {"r0": 0.4, "r1": 0.5},
        words={"a<b": 100},
        question=nasty,
        parts=[part("re<al", "real", nasty), RENDERED],
    )
    html = page_of(study)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;quotes&#34;" in html
    assert "re<al" not in html
    assert "a<b" not in html


def test_equal_results_give_equal_bytes(study: Study, html: str) -> None:
    assert page_of(Study.open(study.path)) == html


def test_a_stand_in_is_called_one_wherever_figures_stand(html: str) -> None:
    note = str(STAND_IN["note"])
    for anchor in ("design-1", "exchange", "table", "words"):
        assert note in html.split(f'<section id="{anchor}">')[1].split("</section>")[0]
    assert note in html.split("<section")[0]
    assert "rendered words per stand-in word" in html


def test_the_page_shows_what_was_trained_on_and_what_changed_sides(html: str) -> None:
    titles = "Trained on: stand-in words", "Trained on: rendered words", "Read by fixed_real 3.0, misread by"
    for title in titles:
        assert title in html
    assert html.count("data:image/jpeg;base64,") == 90  # no word is lost by r3, so that sheet is empty
    assert "broken_image" in html
    assert "glyphmix import tsv SOURCE -o real\n" in html
    assert "\nglyphmix ablate study.toml" in html


def test_pictures_that_are_gone_are_missed_and_not_fatal(tmp_path: Path) -> None:
    study = with_words(tmp_path / "study")
    shutil.rmtree(tmp_path / "rendered")
    shutil.rmtree(tmp_path / "test_a")
    assert page_of(study).count("not shown: dataset") == 3


def test_pictures_of_a_dataset_that_has_changed_are_not_shown(tmp_path: Path) -> None:
    study = with_words(tmp_path / "study")
    shutil.rmtree(tmp_path / "test_a")
    dataset(tmp_path / "test_a", 90, seed=1)
    assert page_of(study).count(f"not shown: dataset {tmp_path / 'test_a'} has changed since.") == 1


def test_without_drops_nothing_more_is_said_than_that(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 100})
    for row in study.rows:
        row.update(left_out={"real": {}, "synthetic": {}})
        row["tests"][0]["dropped"] = {}
    assert "Nothing: no word was left out for a fault of its label or picture." in page_of(study)


def test_tables_for_spreadsheets_hold_the_same_figures(large: Study) -> None:
    laws = made_laws(large)
    runs, cells = write_tables(large, laws)
    with runs.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["run"] for row in found] == large.facts["runs"]
    for shown, row in zip(found, large.rows, strict=True):
        for score in row["tests"]:
            assert int(shown[f"{score['name']}_n_correct"]) == score["n_correct"]
            assert float(shown[f"{score['name']}_accuracy"]) == score["accuracy"]
        assert {p: int(shown[f"seen_{p}"]) for p in row["seen"]} == row["seen"]
    with cells.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 3 * len(large.cells)
    for shown in lines:
        test = next(test for test in laws["tests"] if test["name"] == shown["test"])
        cell = test["cells"][shown["cell"]]
        assert {end: float(shown[f"accuracy_{end}"]) for end in cell} == cell


def test_a_missing_figure_is_an_empty_field_and_a_dash(tmp_path: Path) -> None:
    study = many(tmp_path, words={"a": 60}, kinds=["source"], seeds=(0,))
    study.rows[0]["validation"] = None
    study.rows[0]["flops"] = None
    study.rows[0]["tests"][0]["one_minus_ned"] = None
    laws = made_laws(study)
    runs, _ = write_tables(study, laws)
    with runs.open(newline="") as file:
        first = next(csv.DictReader(file))
    assert [first[key] for key in ("validation_accuracy", "flops", "a_one_minus_ned")] == ["", "", ""]
    html = write_report(study, laws).read_text(encoding="utf-8")
    assert '<td class="ned">–</td>' in html
    assert "nan" not in Page(html).text.lower().split()
