"""The page of a study as a browser shows it; skipped, saying so, where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Browser
from laws_fakes import made_laws
from study_fakes import with_words
from study_many import many

from train.study.page.report import write_report

WIDTHS = {"phone": 390, "desktop": 1200}


@pytest.fixture(scope="module", params=["small", "large"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One design with its words, and eight without."""
    folder = tmp_path_factory.mktemp("shown") / "study"
    if request.param == "small":
        study = with_words(folder)
    else:
        study = many(folder, words={"photos_test": 300, "curved_test": 90})
    return write_report(study, made_laws(study))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.mark.parametrize(("screen", "dark"), [("phone", False), ("desktop", True)])
def test_it_is_shown_without_complaint_request_or_sideways_scrolling(
    page: Path, browser: Browser, screen: str, dark: bool
) -> None:
    browser.open(page, width=WIDTHS[screen], dark=dark)
    assert browser.complaints == []
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.value("document.documentElement.scrollWidth") == WIDTHS[screen]
    picture = cv2.imdecode(np.frombuffer(browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[1] == WIDTHS[screen]
    assert len(np.unique(picture[::5, ::5].reshape(-1, 3), axis=0)) > 20  # a blank page has one colour
    assert (picture.mean() < 100) == dark


def test_no_text_of_a_plot_is_tiny_or_outside(page: Path, browser: Browser) -> None:
    browser.open(page, width=WIDTHS["phone"])
    sizes = browser.value(
        "[...document.querySelectorAll('svg text')].map(t => {const b = t.getBoundingClientRect();"
        "return [t.textContent, b.height, b.left, b.right]})"
    )
    assert sizes
    for text, height, left, right in sizes:
        assert height >= 9, text
        assert left >= 0, text
        assert right <= WIDTHS["phone"], text


def test_no_two_texts_of_a_plot_overlap(page: Path, browser: Browser) -> None:
    browser.open(page, width=WIDTHS["desktop"])
    overlapping = browser.value(
        "[...document.querySelectorAll('svg')].flatMap(s => {"
        "const t = [...s.querySelectorAll('text')].map(e => [e.textContent, e.getBoundingClientRect()]);"
        "return t.flatMap(([a, p], i) => t.slice(i + 1).filter(([b, q]) => "
        "p.left < q.right - 1 && q.left < p.right - 1 && p.top + 3 < q.bottom - 3 && q.top + 3 < p.bottom - 3"
        ").map(([b]) => a + ' | ' + b))})"
    )
    assert overlapping == []


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_the_paper(page: Path, browser: Browser, dark: bool) -> None:
    browser.open(page, width=WIDTHS["desktop"], dark=dark)
    colours = browser.value(
        "[...document.querySelectorAll('body *:not(svg *)')].filter(e => [...e.childNodes].some("
        "n => n.nodeType == 3 && n.textContent.trim())).map(e => getComputedStyle(e).color)"
    )
    paper = _luminance(browser.value("getComputedStyle(document.body).backgroundColor"))
    for colour in sorted(set(colours)):
        dim, bright = sorted((_luminance(colour), paper))
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, colour  # WCAG 2.2, 1.4.3


def _luminance(colour: str) -> float:
    """Relative luminance of an ``rgb(...)`` of sRGB, as WCAG 2.2 defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_prints(page: Path, browser: Browser) -> None:
    browser.open(page, width=WIDTHS["desktop"])
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", printed)) >= 2
    assert len(printed) > 20_000
