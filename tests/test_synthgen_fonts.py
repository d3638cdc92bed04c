from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pytest
import uharfbuzz as hb
from font_factory import make_font
from fontTools.ttLib import TTFont

from curation.core.errors import UserError
from curation.core.rng import stream
from synthgen.fonts import FontPicker, index_fonts
from synthgen.materials import FONTS
from synthgen.shaping import Face, Ink, shape

LETTERS = string.ascii_letters


def test_the_index_names_fonts_and_what_they_draw(tmp_path: Path) -> None:
    make_font(tmp_path / "b" / "bold.ttf", LETTERS, family="Comb", style="Bold")
    make_font(tmp_path / "a.ttf", LETTERS + " ", blank="xy")
    index = index_fonts(tmp_path, LETTERS + " ")
    assert [(font.name, font.family, font.style) for font in index.fonts] == [
        ("a.ttf", "Test", "Regular"),
        ("b/bold.ttf", "Comb", "Bold"),
    ]
    assert set(LETTERS) - index.fonts[0].characters == {"x", "y"}, "mapped, but without ink"
    assert " " in index.fonts[0].characters, "white space needs no ink"
    assert index.fonts[1].characters == set(LETTERS)


def test_small_letters_that_look_like_capitals_are_not_covered(tmp_path: Path) -> None:
    make_font(tmp_path / "plain.ttf", LETTERS)
    make_font(tmp_path / "small_caps.ttf", LETTERS, small_capitals=True)
    assert index_fonts(tmp_path, LETTERS).fonts[1].characters == set(string.ascii_uppercase)


def test_fonts_that_cannot_be_used_are_named_with_the_reason(tmp_path: Path) -> None:
    make_font(tmp_path / "good.ttf", LETTERS)
    make_font(tmp_path / "digits.ttf", string.digits)
    (tmp_path / "broken.ttf").write_bytes(b"no font at all")
    whole = (tmp_path / "good.ttf").read_bytes()
    (tmp_path / "cut.ttf").write_bytes(whole[: len(whole) // 2])
    file = TTFont(tmp_path / "good.ttf")
    del file["cmap"]
    file.save(tmp_path / "no_cmap.ttf")
    index = index_fonts(tmp_path, LETTERS)
    assert [font.name for font in index.fonts] == ["good.ttf"]
    assert dict(index.skipped) == {
        "broken.ttf": "unreadable",
        "cut.ttf": "unreadable",
        "digits.ttf": "no_character",
        "no_cmap.ttf": "no_charmap",
    }


def test_characters_that_no_font_draws_are_named(tmp_path: Path) -> None:
    make_font(tmp_path / "latin.ttf", LETTERS)
    with pytest.raises(UserError) as error:
        index_fonts(tmp_path, LETTERS + "éß")
    assert str(error.value) == (
        f"no font in {tmp_path} draws é ß. Add a font that does, "
        "or take the characters out of the recipe's charset."
    )


def test_a_folder_without_a_usable_font(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"")
    with pytest.raises(UserError) as error:
        index_fonts(tmp_path, LETTERS)
    assert str(error.value) == f"folder {tmp_path} holds no usable font (1 unreadable). Give other fonts."


def test_a_text_gets_only_fonts_that_cover_it_and_each_of_them(tmp_path: Path) -> None:
    make_font(tmp_path / "all.ttf", LETTERS + string.digits, family="A")
    make_font(tmp_path / "digits.ttf", string.digits, family="B")
    make_font(tmp_path / "letters.ttf", LETTERS, family="C")
    picker = FontPicker(index_fonts(tmp_path, LETTERS + string.digits))
    dice = stream(0, "test").random(900)
    for text, allowed in [
        ("abc", {"all.ttf", "letters.ttf"}),
        ("123", {"all.ttf", "digits.ttf"}),
        ("a1", {"all.ttf"}),
        ("é", {""}),
    ]:
        assert set(picker.pick(np.array([text] * 900, object), dice)) == allowed


def test_a_family_weighs_the_square_root_of_its_files(tmp_path: Path) -> None:
    for i in range(4):
        make_font(tmp_path / f"large{i}.ttf", LETTERS, family="Large", style=str(i))
    make_font(tmp_path / "single.ttf", LETTERS, family="Single")
    picker = FontPicker(index_fonts(tmp_path, LETTERS))
    even = (np.arange(3000) + 0.5) / 3000
    assert (picker.pick(np.array(["abc"] * 3000, object), even) == "single.ttf").mean() == pytest.approx(
        1 / 3
    )


def test_shaping_gives_no_run_for_a_missing_glyph(tmp_path: Path) -> None:
    face = Face.load(make_font(tmp_path / "f.ttf", "ab "))
    assert shape(face, "abc") is None
    assert shape(face, "   ") is None, "nothing has ink"


def test_shaping_sets_glyphs_apart_by_the_tracking(tmp_path: Path) -> None:
    run = shape(Face.load(make_font(tmp_path / "f.ttf", "ab ")), "a b", tracking=0.1)
    assert run is not None
    assert [glyph for glyph, _, _, _ in run.glyphs] == [1, 2]
    assert [x for _, _, x, _ in run.glyphs] == pytest.approx([0, 2 * 0.7])
    assert run.glyphs[0][1] == pytest.approx(Ink(0.3, 0.25, 0.25, 0.25))
    assert (run.left, run.right) == pytest.approx((0.05, 1.4 + 0.55))


def test_shaping_does_not_depend_on_the_language_of_the_computer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    languages = []
    shape_really = hb.shape

    def spy(font: hb.Font, buffer: hb.Buffer, features: dict[str, bool] | None) -> None:
        languages.append(buffer.language)
        shape_really(font, buffer, features)

    monkeypatch.setattr(hb, "shape", spy)
    assert shape(Face.load(make_font(tmp_path / "a.ttf", "ab")), "ab") is not None
    assert languages == ["und"], "Turkish, for one, has fi without a ligature in many fonts"


def test_shipped_fonts_are_all_usable() -> None:
    index = index_fonts(FONTS, string.ascii_uppercase + string.digits)
    assert index.skipped == ()
    assert len(index.fonts) >= 60
