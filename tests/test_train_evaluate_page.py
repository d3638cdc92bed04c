"""``glyphmix evaluate --html``: one page that needs nothing beside it."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from measured_words import measured

from curation.core.images import decode
from train.evaluation.errors import changed, sheets
from train.evaluation.findings import find
from train.evaluation.page import write_evaluation
from train.evaluation.plot import Bar, rows

LABELS = ["cat", "dog", "<b>&", "house", "mouse", "sun", "moon"]
READ = ["cat", "dig", "<i>", "", "mouze", "sun", "m00n"]
SURE = [0.9, 0.8, 0.99, 0.1, 0.7, 0.2, 0.6]


class Outline(HTMLParser):
    """The open tags, and every address that a browser would ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href", "srcset")]
        if tag not in ("meta", "link", "img", "br", "line", "circle", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "circle", "rect"):
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    one = measured(folder / "words", LABELS, READ, SURE)
    other = measured(folder / "more", ["cat"], ["cat"])
    write_evaluation(find(Path("runs/a<b"), [one, other], ["source"]), folder / "new" / "page.html")
    return (folder / "new" / "page.html").read_text(encoding="utf-8")


def test_it_is_whole_and_asks_nobody_for_anything(page: str) -> None:
    outline = Outline(page)
    assert outline.open == []
    assert all(address.startswith("data:") for address in outline.addresses)
    assert not re.search(r"https?://|@import|url\(|<script", page)
    assert "a<b" not in page
    assert "a&lt;b" in page


def test_tables_and_plots(page: str) -> None:
    assert (
        '<p class="answer" id="answer">37.5 [12.5, 62.5] % of 8 words are read without an error.</p>' in page
    )
    assert "<td>words</td><td>7</td><td><strong>28.6 [8.2, 64.1]</strong></td>" in page
    captions = re.findall(r"<figcaption>([a-z ]+) <span>word accuracy</span>", page)
    assert captions == ["source", "length", "aspect", "height", "set"]
    assert '<td>o</td><td class="text">0</td><td>2</td><td>40.0</td>' in page
    assert page.count("<svg") == 7
    assert "<li>case: folded to lower case</li>" in page


def test_pictures_are_small_and_can_be_read(page: str) -> None:
    uris = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(uris) == 5
    heights = [decode(base64.b64decode(uri)).shape[0] for uri in uris]
    assert max(heights) <= 48
    assert "<b><bdi>&lt;b&gt;&amp;</bdi></b> → <i><bdi>i</bdi></i> 99 %" in page
    assert "<b><bdi>house</bdi></b> → <i><bdi>nothing</bdi></i> 10 %" in page


def test_misread_words_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.evaluation.errors.N_WORDS", 2)
    one = measured(tmp_path / "words", LABELS[3:], READ[3:], SURE[3:])
    other = measured(tmp_path / "more", ["dog", "fig", "key"], ["dug", "fog", "eel"], [0.8, 0.1, 0.3])
    found = {sheet.title: [(w.set, w.label, w.read) for w in sheet.words] for sheet in sheets([one, other])}
    assert found == {
        "The most confident mistakes": [("more", "dog", "dug"), ("words", "mouse", "mouze")],
        "Near misses": [("more", "fig", "fog")],
        "Furthest off": [("words", "house", ""), ("more", "key", "eel")],
    }
    numbers = {sheet.title: sheet.n for sheet in sheets([one, other])}
    assert numbers == {"The most confident mistakes": 6, "Near misses": 3, "Furthest off": 3}
    assert sheets([measured(tmp_path / "right", ["a"], ["a"])]) == []


def test_words_that_changed_sides(tmp_path: Path) -> None:
    one = measured(tmp_path / "words", ["cat", "dog", "sun"], ["cat", "dig", "sun"], [0.9, 0.8, 0.7])
    other = measured(tmp_path / "again", ["cat", "dog", "sun"], ["cut", "dog", "sun"], [0.6, 0.5, 0.4])
    gained, lost = changed([one], [other.table])
    assert (gained.title, gained.n) == ("Only this run reads them", 1)
    assert [(w.label, w.read, round(w.confidence, 1)) for w in gained.words] == [("cat", "cut", 0.6)]
    assert lost.about == "with what this one took them for, the surest mistakes first"
    assert [(w.label, w.read, round(w.confidence, 1)) for w in lost.words] == [("dog", "dig", 0.8)]


def test_a_plot_says_what_it_shows() -> None:
    svg = rows([Bar(name="a<b", share=0.5, low=0.25, high=0.75, n=1_000)], "Accuracy", mean=0.5)
    assert 'aria-label="Accuracy. a&lt;b: 50.0 %"' in svg
    assert "<title>a&lt;b: 50.0 % [25.0, 75.0], 1,000</title>" in svg
    assert svg.count('class="mean"') == 1
    long = rows([Bar(name="x" * 60, share=1.0, low=0.2, high=1.0, n=1)], "Accuracy")
    assert f">{'x' * 23}…</text>" in long


def test_names_that_would_turn_the_text_around_are_spelt() -> None:
    svg = rows([Bar(name="abc\u202edef\n", share=0.5, low=0.25, high=0.75, n=1)], "Accuracy")
    assert svg.count(r"abc\u202edef\u000a") == 3  # beside the bar, under the mouse and read aloud
    assert "\u202e" not in svg


def test_a_run_given_as_the_folder_one_is_in_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    write_evaluation(find(Path(), [measured(tmp_path / "words", ["a"], ["a"])]), tmp_path / "page.html")
    assert "<h1>mine on words</h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")
