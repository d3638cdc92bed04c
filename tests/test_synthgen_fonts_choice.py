from __future__ import annotations

import string
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from font_factory import make_font

from curation.core.errors import UserError
from synthgen.font_choice import FontChoice, FontWeight
from synthgen.fonts import FontPicker, index_fonts, look_into

LETTERS = string.ascii_letters


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_font(tmp_path / "script" / "Wave.ttf", LETTERS, family="Wave")
    make_font(tmp_path / "serif" / "Old.ttf", LETTERS, family="Old Style")
    make_font(tmp_path / "serif" / "Old-Bold.ttf", LETTERS, family="Old Style", style="Bold")
    make_font(tmp_path / "Plain.ttf", LETTERS, family="Plain")
    return tmp_path


def chosen(folder: Path, choice: FontChoice) -> set[str]:
    return {font.name for font in index_fonts(folder, LETTERS, choice).fonts}


def test_globs_look_at_file_family_and_class_whatever_the_case(folder: Path) -> None:
    assert chosen(folder, FontChoice(include=("SERIF",))) == {"serif/Old.ttf", "serif/Old-Bold.ttf"}
    assert chosen(folder, FontChoice(include=("*wave*", "plain"))) == {"script/Wave.ttf", "Plain.ttf"}
    assert chosen(folder, FontChoice(exclude=("serif", "*plain*"))) == {"script/Wave.ttf"}
    assert chosen(folder, FontChoice(include=("old style",), exclude=("*-bold.ttf",))) == {"serif/Old.ttf"}


def test_factors_that_fit_a_font_are_multiplied_and_0_leaves_it_out(folder: Path) -> None:
    weights = (
        FontWeight(factor=3, match="script"),
        FontWeight(factor=2, match="wave"),
        FontWeight(factor=0, match="serif"),
    )
    index = index_fonts(folder, LETTERS, FontChoice(weights=weights))
    assert {font.name: font.factor for font in index.fonts} == {"script/Wave.ttf": 6, "Plain.ttf": 1}
    assert index.skipped == (("serif/Old-Bold.ttf", "excluded"), ("serif/Old.ttf", "excluded"))
    even = (np.arange(700) + 0.5) / 700
    drawn = Counter(FontPicker(index).pick(np.full(700, "abc", object), even))
    assert drawn == {"script/Wave.ttf": 600, "Plain.ttf": 100}


def test_boldness_width_and_slant_narrow_what_a_factor_is_for(folder: Path) -> None:
    fonts = look_into(folder, LETTERS).fonts
    everything = FontWeight(factor=2)
    assert all(everything.fits(font) for font in fonts)
    assert not any(FontWeight(factor=2, boldness=(600, 1000)).fits(font) for font in fonts)
    assert not any(FontWeight(factor=2, width=(1, 4)).fits(font) for font in fonts)
    assert all(FontWeight(factor=2, italic=False).fits(font) for font in fonts)


@pytest.mark.parametrize(
    ("choice", "part"),
    [
        (FontChoice(include=("serif", "slab")), "include 'slab'"),
        (FontChoice(exclude=("slab",)), "exclude 'slab'"),
        (FontChoice(weights=(FontWeight(factor=1), FontWeight(factor=2, match="slab"))), "weights[1]"),
    ],
)
def test_a_choice_that_is_about_no_font_is_refused(folder: Path, choice: FontChoice, part: str) -> None:
    with pytest.raises(UserError) as error:
        index_fonts(folder, LETTERS, choice)
    assert str(error.value) == (
        f"font_choice, {part} fits no font in {folder}. See their names with glyphmix fonts."
    )


def test_a_choice_that_leaves_no_font_is_refused(folder: Path) -> None:
    with pytest.raises(UserError) as error:
        index_fonts(folder, LETTERS, FontChoice(exclude=("*",)))
    assert str(error.value) == f"font_choice leaves no font of {folder}. Widen it."


@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf")])
def test_a_factor_is_0_or_more(factor: float) -> None:
    with pytest.raises(ValueError, match=r"factor must be 0 or more, got"):
        FontWeight(factor=factor)


def test_a_list_beside_the_fonts_says_their_class_licence_and_characters(folder: Path) -> None:
    (folder / "classes.tsv").write_text("file\tclass\tcharacters\tlicence\nPlain.ttf\tdisplay\tABC\tMIT\n")
    found = {font.name: font for font in look_into(folder, LETTERS).fonts}
    plain, wave = found["Plain.ttf"], found["script/Wave.ttf"]
    assert (plain.font_class, plain.licence, plain.characters) == ("display", "MIT", set("ABC"))
    assert (wave.font_class, wave.licence, wave.characters) == ("script", "unknown", set(LETTERS))


def test_a_list_without_its_heading_is_refused(folder: Path) -> None:
    (folder / "classes.tsv").write_text("Plain.ttf\tdisplay\n")
    with pytest.raises(UserError) as error:
        look_into(folder, LETTERS)
    assert str(error.value) == (
        f"{folder / 'classes.tsv'} is no list of fonts. Begin it with a line of the names file, class, "
        "characters, licence, set apart by tabs, or remove it."
    )
