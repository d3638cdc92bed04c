"""``glyphmix inspect -o page.html``: one page that needs nothing beside it."""

from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path

import cv2
import numpy as np
import pytest
from damage import flip
from published_sets import failure, picture, run
from word_sets import grey_png, write_words

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.fingerprint import dhash128
from curation.core.images import decode, encode_png
from curation.core.sample import Reject, Sample
from curation.inspect_pictures import pictures
from curation.inspect_plots import by_doubling, by_number, histogram
from curation.inspect_rejects import rejects_of

LABELS = ["<b>&", "SALE", "SALE", " pad", "日本", "שלום"]


def sample(i: int, **options: object) -> Sample:
    png = grey_png(i % 20)
    fields = {
        "uid": f"a:{i}", "image": png, "label": LABELS[i % 6], "size": (40, 16),
        "source": "a" if i % 3 else "b", "split": "train" if i % 2 else "test", "licence": "MIT",
        "dhash128": dhash128(decode(png)),
    }  # fmt: skip
    return Sample(**{**fields, **options})  # type: ignore[arg-type]


@pytest.fixture
def made(tmp_path: Path) -> Dataset:
    path = tmp_path / "words"
    said = {"name": "a", "citation": "Ann 2020", "warnings": ["one <warning>"]}
    shards.start(path, {"command": "import", **said})
    rejects = [Reject(uid=f"c:{i}", reason="small", detail=f"{i} px") for i in range(5)]
    broken = sample(60, image=b"junk", uid="a:broken")
    rejects.append(Reject(uid="a:1", reason="empty"))
    shards.write_shard(path, 0, [*map(sample, range(60)), broken, *rejects])
    shards.finish(path)
    return Dataset.open(path)


def page(*args: object) -> str:
    out = Path(str(args[args.index("-o") + 1]))
    assert run("inspect", *args).stdout == ""
    return out.read_text(encoding="utf-8")


def cells(text: str, table: str) -> list[list[str]]:
    """The rows of the table with this id."""
    body = re.search(rf'id="{table}".*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    assert body is not None, table
    rows = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
    return [
        [
            " ".join(unescape(re.sub("<[^>]*>", " ", cell)).split())
            for cell in re.findall(r"<td.*?>(.*?)</td>", row)
        ]
        for row in rows
    ]


def test_figures(made: Dataset, tmp_path: Path) -> None:
    text = page(made.path, "-o", tmp_path / "new" / "page.html")
    answer = re.search(r'id="answer">(.*?)<', text)
    assert answer is not None
    assert answer[1] == "61 words from 2 sources, 5 different labels; 6 left out."
    assert cells(text, "sources") == [
        ["a", "40", "65.6 %", "20", "20", "MIT"],
        ["b", "21", "34.4 %", "11", "10", "MIT"],
    ]
    assert cells(text, "rejects") == [
        ["c", "small", "5", "c:0: 0 px c:1: 1 px c:2: 2 px"],
        ["a", "empty", "1", "a:1"],
    ]
    assert cells(text, "copies") == [
        ["the same bytes", "40", "65.6 %", "20", "0"],
        ["the same label and dhash", "16", "26.2 %", "5", "1"],
    ]
    assert cells(text, "classes")[:2] == [["capitals", "80", "4"], ["small letters", "41", "4"]]
    assert cells(text, "protocols")[0] == ["parseq36", "20 empty"]
    assert cells(text, "sizes")[1] == ["width, px", *["40"] * 7]
    assert cells(text, "history")[0][:4] == ["a", "import", "61", "6"]
    assert cells(text, "citations") == [["a", "40", "Ann 2020", ""], ["b", "21", "not stated", ""]]
    warnings = re.findall(r"<li>(.*?)</li>", text)
    assert [unescape(w) for w in warnings] == [
        "words: one <warning>",
        "Pictures that occur in several splits, with the same label and dhash: 1. A leak.",
        "Words that repeat a picture byte by byte: 40 (65.6 %).",
        "Labels that begin or end with a space: 10.",
    ]


def test_it_needs_nothing_beside_it(made: Dataset, tmp_path: Path) -> None:
    text = page(made.path, "-o", tmp_path / "page.html")
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', text) == []
    assert re.findall(r"url\(|@import|<script|<iframe|<object", text) == []
    assert "<bdi>&lt;b&gt;&amp;</bdi>" in text
    assert "<b>&" not in text
    assert "unreadable" in text
    uris = re.findall(r'<img src="data:image/jpeg;base64,([^"]*)"', text)
    assert len(uris) > 24
    for uri in uris:
        pixels = cv2.imdecode(np.frombuffer(base64.b64decode(uri), np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape == (16, 40, 3)


def test_the_seed_alone_chooses_the_words(made: Dataset, tmp_path: Path) -> None:
    pages = {
        name: page(made.path, "-o", tmp_path / f"{name}.html", "--seed", seed)
        for name, seed in (("one", 0), ("same", 0), ("other", 1))
    }
    assert pages["one"] == pages["same"] != pages["other"]


def test_several_datasets_are_one_to_it(made: Dataset, tmp_path: Path) -> None:
    other = write_words(tmp_path / "more", [sample(i, source="z", uid=f"z:{i}") for i in range(10)])
    text = page(made.path, other.path, "-o", tmp_path / "page.html")
    assert "71 words from 3 sources" in text
    assert "<h1>words, more</h1>" in text
    assert cells(text, "copies")[0] == ["the same bytes", "50", "70.4 %", "20", "0"]
    assert len(cells(text, "history")) == 2


def test_no_word_at_all(tmp_path: Path) -> None:
    empty = write_words(tmp_path / "none", [])
    assert "0 words from 0 sources, 0 different labels; 0 left out." in page(
        empty.path, "-o", tmp_path / "page.html"
    )


def test_pictures_keep_to_their_budget(tmp_path: Path) -> None:
    noise = [encode_png(picture(str(i), (300, 60))) for i in range(20)]
    words = [sample(i, image=png, size=(300, 60)) for i, png in enumerate(noise)]
    dataset = write_words(tmp_path / "noise", words)
    sheets = {"x": range(12), "y": range(12, 20), "none": []}
    whole = pictures([dataset], sheets)
    assert {name: len(sheet) for name, sheet in whole.items()} == {"x": 12, "y": 8}
    assert (whole["x"][0].width, whole["x"][0].height) == (220, 44)
    total = sum(len(p.uri) for sheet in whole.values() for p in sheet)
    half = pictures([dataset], sheets, budget=total // 2 + 1)
    assert {name: len(sheet) for name, sheet in half.items()} == {"x": 6, "y": 4}
    assert half["x"] == whole["x"][:6]


def test_bars() -> None:
    assert by_number({2: 1, 4: 5}) == [("2", 1), ("3", 0), ("4", 5)]
    assert by_number({1: 1, 3: 2, 9: 4}, most=3) == [("1", 1), ("2", 0), ("3", 2), ("4+", 4)]
    assert by_doubling({32: 1, 45: 2, 46: 4, 64: 8, 0: 9}) == [("32", 3), ("45", 4), ("64", 8)]
    assert by_doubling({0.5: 1, 1024: 1}, steps=1)[-1] == ("1,024", 1)
    assert by_number({}) == by_doubling({}) == []
    drawn = histogram([("1", 3), ("<2", 3)], "a & b")
    assert drawn.count('class="bar"') == 2
    assert drawn.count('class="value"') == 1
    assert 'aria-label="a &amp; b. 1: 3; &lt;2: 3"' in drawn
    assert "nan" not in histogram([], "nothing")


def test_rejects_without_a_file(made: Dataset) -> None:
    assert [(kind.source, kind.n) for kind in rejects_of([made, made])] == [("c", 10), ("a", 2)]
    (made.path / "rejects.parquet").unlink()
    assert rejects_of([made]) == []


def test_errors(made: Dataset, tmp_path: Path) -> None:
    assert failure("inspect", made.path, "-o", tmp_path / "page.pdf") == (
        f"output {tmp_path / 'page.pdf'} is neither page nor picture. Give a name that ends in .html or .png."
    )
    assert failure("inspect", made.path, made.path, "-o", tmp_path / "page.png") == (
        "a contact sheet shows one dataset, not 2. Give one, or an output that ends in .html."
    )
    (tmp_path / "there.html").write_text("mine")
    assert failure("inspect", made.path, "-o", tmp_path / "there.html") == (
        f"output {tmp_path / 'there.html'} exists already. Remove it or give another name with -o."
    )
    damaged = flip(made.path, "label")
    said = failure("inspect", made.path, "-o", tmp_path / "page.html")
    assert said.startswith(f"{damaged} is damaged: ")
    assert said.endswith(made.way_out)
    assert not (tmp_path / "page.html").exists()
