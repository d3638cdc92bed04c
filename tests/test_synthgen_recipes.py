"""The shipped recipes: what the header of each says of its words and images holds."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from curation.core.labels import CHARSET_94
from synthgen import render as rendering
from synthgen.colour_space import LUMA
from synthgen.engines.native import Native
from synthgen.materials import FONTS, RECIPES

NAMES = ("document", "mj", "mjst_plus", "st")
BOOKISH = {"serif", "sans", "mono", "slab"}
N_DRAWN = 80


@cache
def plan(name: str) -> dict[str, np.ndarray]:
    """The first 1,000 words of a shipped recipe."""
    return rendering.load(name).engine.plan(0, 0)


@cache
def drawn(name: str) -> tuple[tuple[np.ndarray, int], ...]:
    """Image and attempt of the first words of a shipped recipe."""
    engine = rendering.load(name).engine
    words = [rendering.draw(engine, 0, index)[:2] for index in range(N_DRAWN)]
    return tuple((word.image, row["attempt"]) for word, row in words if word is not None)


def heights(name: str) -> np.ndarray:
    """Of those, in pixels."""
    return np.array([image.shape[0] for image, _ in drawn(name)])


def share(of: np.ndarray, pattern: str) -> float:
    """Share of the texts that ``pattern`` matches as a whole."""
    return float(np.mean([re.fullmatch(pattern, text) is not None for text in of]))


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_begins_with_what_it_is(path: object) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()  # type: ignore[attr-defined]
    header = [line for line in lines[: lines.index(next(x for x in lines if not x.startswith("#")))]]
    keys = [match[1] for line in header if (match := re.match(r"# ([A-Z]\w+): \S", line))]
    assert [key for key in keys if key not in ("Same", "Different")] == ["What", "Source", "Cost", "Command"]
    name = path.stem  # type: ignore[attr-defined]
    assert re.search(rf"^# Command: glyphmix render {name} -o data/\S+ -n \d+$", "\n".join(header), re.M)
    assert max(map(len, header)) <= 120


@pytest.mark.parametrize("name", NAMES)
def test_words_stay_within_the_charset_and_the_length(name: str) -> None:
    engine = rendering.load(name).engine
    assert isinstance(engine, Native)
    texts = plan(name)["text"]
    assert set("".join(texts)) <= set(engine.charset) <= set(CHARSET_94 + " ")
    assert max(map(len, texts)) <= engine.max_length


@pytest.mark.parametrize("name", NAMES)
def test_nearly_every_word_is_drawn_with_the_first_plan(name: str) -> None:
    assert len(drawn(name)) == N_DRAWN
    assert np.mean([attempt == 0 for _, attempt in drawn(name)]) > 0.85


def test_mj_has_dictionary_words_in_three_cases() -> None:
    texts = plan("mj")["text"]
    assert share(texts, "[A-Za-z]+") == 1, "letters alone"
    for pattern in ("[a-z]+", "[A-Z]{2,}", "[A-Z][a-z]+"):
        assert share(texts, pattern) == pytest.approx(1 / 3, abs=0.05)
    assert np.mean([len(text) for text in texts]) > 7, "a dictionary's words are longer than running text's"


def test_mj_is_31_px_high_but_for_curved_and_turned_words() -> None:
    assert heights("mj").min() == np.median(heights("mj")) == 31
    straight = plan("mj")["layout"][:N_DRAWN] == "straight"
    assert straight.mean() == pytest.approx(0.85, abs=0.1)


def test_mj_is_muted() -> None:
    """Half of its words are less far from grey, and from their ground, than those of the default colours."""

    def luma(name: str) -> np.ndarray:
        columns = plan(name)
        text, ground = (
            sum(w * columns[f"{what}_{c}"].astype(float) for w, c in zip(LUMA, "rgb", strict=True))
            for what in ("text", "background")
        )
        return np.abs(text - ground)

    assert np.median(luma("mj")) == pytest.approx(95, abs=12)
    assert np.median(luma("mj")) < np.median(luma("st")) - 25


def test_st_is_running_text_with_marks() -> None:
    texts = plan("st")["text"]
    assert 0.5 < share(texts, "[a-z]+") < 0.75
    assert 0.02 < share(texts, "[A-Z]{2,}") < 0.12
    assert 0.1 < share(texts, r".*[^A-Za-z0-9].*") < 0.3
    assert 0.03 < share(texts, r".*\d.*") < 0.12
    assert np.mean([len(text) <= 4 for text in texts]) > 0.4, "short words lead, as people write them"


def test_st_has_many_small_crops_on_photos_and_no_camera() -> None:
    engine = rendering.load("st").engine
    assert isinstance(engine, Native)
    assert engine.effects == ()
    assert set(plan("st")["background"]) == {"photo"}
    assert np.mean(heights("st") < 32) > 0.25
    assert np.mean(heights("st") > 45) > 0.15


def test_st_has_borders_and_shadows_as_often_as_the_program_it_follows() -> None:
    assert plan("st")["outline"].mean() == pytest.approx(0.15, abs=0.035)
    assert plan("st")["shadow"].mean() == pytest.approx(0.15, abs=0.035)


def test_document_has_lines_of_several_words() -> None:
    texts = plan("document")["text"]
    words = np.array([len(text.split()) for text in texts])
    assert 0.45 < np.mean(words > 1) < 0.65
    assert 4 <= words.max() <= 7
    assert all(text == " ".join(text.split()) for text in texts), "one space between words, none around"
    assert 0.1 < share(texts, r".*\d.*") < 0.35


def test_document_is_nearly_black_on_nearly_white_and_nearly_straight() -> None:
    columns = plan("document")
    text, ground = (
        sum(w * columns[f"{what}_{c}"].astype(float) for w, c in zip(LUMA, "rgb", strict=True))
        for what in ("text", "background")
    )
    assert np.median(ground) > 230
    assert np.median(text) < 90
    assert np.mean(ground > text) > 0.97
    assert np.quantile(np.abs(columns["rotation_deg"]), 0.9) < 2
    assert set(columns["background"]) == {"plain", "gradient", "material"}
    assert set(columns["background_material_surface"]) == {"", "paper"}


def test_document_is_set_in_fonts_of_books_and_typewriters() -> None:
    kinds = {
        line.split("\t")[0]: line.split("\t")[1]
        for line in (FONTS / "classes.tsv").read_text(encoding="utf-8").splitlines()
    }
    fonts = plan("document")["font"]
    used = [kinds[font.partition("#")[0]] for font in fonts]
    outside = {font for font, kind in zip(fonts, used, strict=True) if kind not in BOOKISH}
    assert {font.partition("-")[0] for font in outside} <= {"SpecialElite", "OCRA", "OCRB"}
    assert np.mean([kind == "mono" for kind in used]) > 0.1
    assert np.mean([kind == "serif" for kind in used]) > 0.25
