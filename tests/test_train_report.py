from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from study_fakes import dataset, finished, part, with_words

from train.study import words as study_words
from train.study.findings import study_laws
from train.study.laws_command import laws as laws_command
from train.study.report import write_report
from train.study.report_command import report as report_command
from train.study.report_plot import plot
from train.study.report_table import lines, markdown, text_table
from train.study.rows import Study

STAND_IN = part("stand-in", "real", "the stand-in for real words: no photograph is among them.")
RENDERED = part("rendered", "synthetic")


class Page(HTMLParser):
    """Collects the figures of the table of runs, every address, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.figures: dict[tuple[str, str, str], str] = {}
        self.addresses: list[str] = []
        self.text = ""
        self._run = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._run = found.get("data-run") or self._run
        if "data-value" in found:
            self.figures[self._run, str(found["data-test"]), str(found["data-metric"])] = str(
                found["data-value"]
            )
        self.addresses += [str(value) for key, value in attrs if key in ("src", "href", "action", "data")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return with_words(tmp_path_factory.mktemp("report") / "study", parts=[STAND_IN, RENDERED])


def page_of(study: Study) -> str:
    return write_report(study, study_laws(study)).read_text(encoding="utf-8")


def test_the_figures_on_the_page_are_those_of_the_rows(study: Study) -> None:
    page = Page(page_of(study))
    rows = [json.loads(line) for line in (study.path / "runs.jsonl").read_text().splitlines()]
    expected = {
        (row["run"], score["name"], metric): score[metric]
        for row in rows
        for score in row["tests"]
        for metric in ("n_correct", "n_used", "accuracy", "one_minus_ned")
    }
    assert {key: float(value) for key, value in page.figures.items()} == expected
    for row in rows:
        for score in row["tests"]:
            shown = f"{100 * score['accuracy_low']:.1f}–{100 * score['accuracy_high']:.1f}"
            assert shown in page.text


def test_the_page_asks_no_other_host(study: Study) -> None:
    html = page_of(study)
    assert all(address.startswith("data:") for address in Page(html).addresses)
    assert not re.search(r"@import|url\(|<script|<link rel=.stylesheet", html)


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


def test_equal_results_give_equal_bytes(study: Study) -> None:
    assert page_of(study) == page_of(Study.open(study.path))


def test_a_stand_in_is_called_one_wherever_figures_stand(study: Study) -> None:
    html = page_of(study)
    sections = html.split("<section>")
    note = str(STAND_IN["note"])
    assert note in sections[0]
    assert note in sections[1]
    assert note in sections[2]
    assert "stand-in words per" not in html
    assert "rendered words per stand-in word" in sections[1]
    printed = CliRunner().invoke(report_command, [str(study.path)], catch_exceptions=False).stdout
    assert note in printed
    assert note in CliRunner().invoke(laws_command, [str(study.path)], catch_exceptions=False).stdout


def test_the_page_shows_what_was_trained_on_and_what_changed_sides(study: Study) -> None:
    html = page_of(study)
    for title in ("Trained on: stand-in words", "Trained on: rendered words", "Read by r3, misread by r0"):
        assert title in html
    assert html.count("data:image/jpeg;base64,") == 90  # no word is lost by r3, so that sheet is empty
    assert "broken_image" in html
    assert "glyphmix import tsv SOURCE -o real\nglyphmix ablate study.toml" in html


def test_pictures_that_are_gone_are_missed_and_not_fatal(tmp_path: Path) -> None:
    study = with_words(tmp_path / "study")
    shutil.rmtree(tmp_path / "rendered")
    shutil.rmtree(tmp_path / "test_a")
    html = page_of(study)
    assert html.count("not shown: dataset") == 3


def test_pictures_of_a_dataset_that_has_changed_are_not_shown(tmp_path: Path) -> None:
    study = with_words(tmp_path / "study")
    shutil.rmtree(tmp_path / "test_a")
    dataset(tmp_path / "test_a", 90, seed=1)
    html = page_of(study)
    assert html.count(f"not shown: dataset {tmp_path / 'test_a'} has changed since.") == 1


def test_without_drops_nothing_more_is_said_than_that(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 100})
    for row in study.rows:
        row.update(left_out={"real": {}, "synthetic": {}})
        row["tests"][0]["dropped"] = {}
    assert "Nothing: no word was left out for a fault of its label or picture." in page_of(study)


def test_the_printed_table_is_that_of_the_page(study: Study) -> None:
    laws = study_laws(study)
    table = lines(study, laws)
    printed = text_table(study, table).splitlines()
    assert printed[0].split("|")[1:4] == [" cell      ", " stand-in ", " rendered "]
    assert len({len(line) for line in printed}) == 1
    score = table[2].scores[0]
    figures = f"{100 * score.accuracy:.1f} [{100 * score.low95:.1f}, {100 * score.high95:.1f}]"
    assert figures in printed[4]
    row = study.rows[2]["tests"][0]
    assert (score.accuracy, score.low95) == (row["accuracy"], row["accuracy_low"])


def test_several_seeds_show_their_mean(tmp_path: Path) -> None:
    study = finished(tmp_path, {"r0": 0.4, "r1": 0.5}, words={"a": 400}, seeds=(0, 1, 2), seed_sd=0.03)
    table = lines(study, study_laws(study))
    accuracies = [row["tests"][0]["accuracy"] for row in study.rows[:3]]
    assert table[0].scores[0].accuracy == pytest.approx(sum(accuracies) / 3)
    assert table[0].scores[0].per_seed == tuple(accuracies)
    assert plot(table, "a", real="real", synthetic="rendered").count('class="seed"') == 6


def test_the_plot_puts_higher_accuracy_higher(study: Study) -> None:
    drawn = plot(lines(study, study_laws(study)), "test_a", real="real", synthetic="rendered")
    heights = [float(y) for y in re.findall(r'class="dot" cx="[\d.]+" cy="([\d.]+)"', drawn)]
    accuracies = [row["tests"][0]["accuracy"] for row in study.rows]
    by_height = sorted(range(4), key=lambda i: -heights[i])
    assert by_height == sorted(range(4), key=lambda i: accuracies[i])


def test_the_report_ends_with_the_path_of_the_page(study: Study) -> None:
    shown = CliRunner().invoke(report_command, [str(study.path)], catch_exceptions=False)
    assert shown.stdout.splitlines()[-1] == str(study.path / "report.html")
    parsed = json.loads(CliRunner().invoke(report_command, [str(study.path), "--json"]).stdout)
    said = study_words.conclusions(study, study_laws(study))
    assert {key: parsed[key] for key in said} == said
    assert f"\n\n{said['answer']}\n\n" in shown.stdout
    assert len(said["remarks"]) == 4
    for text in (*said["remarks"], *said["notes"]):
        assert f"\n\n{text}\n\n" in shown.stdout
    assert [cell["cell"] for cell in parsed["cells"]] == ["r0", "r1", "r3", "synthetic"]


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    shown = CliRunner().invoke(report_command, [str(tmp_path)])
    assert str(shown.exception) == f"{tmp_path} holds no study: it has no study.json. Make one with 'ablate'."


def test_markdown_lines_up() -> None:
    assert markdown(["a", "figure"], [["long name", "1"], ["b", "22,000"]]) == (
        "| a         | figure |\n| --------- | -----: |\n| long name |      1 |\n| b         | 22,000 |"
    )
