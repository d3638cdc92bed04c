from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from font_factory import box, make_font
from fontTools.colorLib.builder import buildCOLR, buildCPAL
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables._f_v_a_r import Axis as FvarAxis
from fontTools.ttLib.tables._f_v_a_r import table__f_v_a_r
from fontTools.ttLib.tables._g_v_a_r import table__g_v_a_r
from fontTools.ttLib.tables.TupleVariation import TupleVariation

from curation.core.errors import UserError
from curation.core.rng import stream
from synthgen import font_cache
from synthgen.engines.native import Native
from synthgen.font_files import inspect, licence_of
from synthgen.fonts import FontPicker, index_fonts, look_into
from synthgen.shaping import Face, shape
from synthgen.texts import Words
from synthgen.words.word_list import WordList


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fonts").mkdir()
    return tmp_path / "fonts"


def make_variable(path: Path, characters: str) -> Path:
    """A font whose glyphs grow to the right with ``wght`` 100 to 900; ``XTRA`` is hidden."""
    file = TTFont(make_font(path, characters))
    file["fvar"] = table__f_v_a_r()
    for tag, flags in (("wght", 0), ("XTRA", 1)):
        axis = FvarAxis()
        axis.axisTag, axis.axisNameID, axis.flags = tag, 256, flags
        axis.minValue, axis.defaultValue, axis.maxValue = 100, 100, 900
        file["fvar"].axes.append(axis)
    file["gvar"] = table__g_v_a_r()
    file["gvar"].version, file["gvar"].reserved, file["gvar"].variations = 1, 0, {}
    for name in file.getGlyphOrder():
        points = file["glyf"]._getCoordinatesAndControls(name, file["hmtx"].metrics)[0]
        grow = [(200 if x > 300 else 0, 0) for x, _ in points]
        file["gvar"].variations[name] = [TupleVariation({"wght": (0, 1, 1)}, grow)]
    file.save(path)
    return path


def test_every_font_of_a_collection_is_found_and_drawn(folder: Path, tmp_path: Path) -> None:
    both = TTCollection()
    both.fonts = [
        TTFont(make_font(tmp_path / "a.ttf", "ab", family="First")),
        TTFont(make_font(tmp_path / "b.ttf", "cd", family="Second")),
    ]
    both.save(folder / "both.ttc")
    index = index_fonts(folder, "abcd")
    assert [(font.name, font.family, font.characters) for font in index.fonts] == [
        ("both.ttc#0", "First", set("ab")),
        ("both.ttc#1", "Second", set("cd")),
    ]
    assert shape(index.load(index.fonts[1]), "dc") is not None
    assert shape(index.load(index.fonts[0]), "dc") is None


@pytest.mark.parametrize("flavor", ["woff", "woff2"])
def test_web_fonts_are_unpacked(folder: Path, tmp_path: Path, flavor: str) -> None:
    pytest.importorskip("brotli", reason="WOFF2 needs the package brotli")
    file = TTFont(make_font(tmp_path / "a.ttf", "ab"))
    file.flavor = flavor
    file.save(folder / f"a.{flavor}")
    index = index_fonts(folder, "ab")
    plain, packed = Face.load(tmp_path / "a.ttf"), index.load(index.fonts[0])
    assert packed.ink(1) == plain.ink(1) is not None


def test_the_same_bytes_count_once(folder: Path) -> None:
    shutil.copy(make_font(folder / "a.ttf", "ab"), folder / "b.ttf")
    index = index_fonts(folder, "ab")
    assert [font.name for font in index.fonts] == ["a.ttf"]
    assert index.skipped == (("b.ttf", "duplicate"),)


def test_the_box_of_missing_characters_covers_none(folder: Path) -> None:
    file = TTFont(make_font(folder / "a.ttf", "abcd"))
    file["glyf"]["u0062"] = box(50, 0, 450, 700)  # what .notdef shows
    file["cmap"].tables[0].cmap[ord("c")] = ".notdef"
    for table in file["cmap"].tables:
        table.cmap[ord("c")] = ".notdef"
    file.save(folder / "a.ttf")
    assert look_into(folder, "abcd").fonts[0].characters == set("ad")


def test_a_colour_without_an_outline_is_no_ink(folder: Path) -> None:
    file = TTFont(make_font(folder / "colour.ttf", "abx", blank="ab"))
    file["COLR"] = buildCOLR({"u0061": [("u0078", 0)], "u0062": [("u0078", 0)]}, version=0)
    file["CPAL"] = buildCPAL([[(1, 0, 0, 1)]])
    file.save(folder / "colour.ttf")
    make_font(folder / "plain.ttf", "ab")
    assert dict(look_into(folder, "ab").skipped) == {"colour.ttf": "colour_only"}
    assert look_into(folder, "abx").fonts[0].characters == {"x"}


def test_a_font_without_names_is_called_as_its_file(folder: Path) -> None:
    file = TTFont(make_font(folder / "nameless.ttf", "ab"))
    del file["name"]
    file.save(folder / "nameless.ttf")
    font = index_fonts(folder, "ab").fonts[0]
    assert (font.family, font.style, font.licence) == ("nameless", "Regular", "unknown")


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ("This Font Software is licensed under the SIL Open Font License, Version 1.1.", "OFL-1.1"),
        ("http://scripts.sil.org/OFL", "OFL-1.1"),
        ("Licensed under the Apache License, Version 2.0", "Apache-2.0"),
        ("Ubuntu Font Licence 1.0", "Ubuntu-font-1.0"),
        ("released under the GNU General Public License", "GPL"),
        ("Copyright 1992 Somebody. All rights reserved.", "unknown"),
    ],
)
def test_licences_are_recognised_by_their_words(said: str, licence: str) -> None:
    assert licence_of([said]) == licence


def test_a_variable_font_is_planned_and_drawn_along_its_axes(folder: Path, tmp_path: Path) -> None:
    make_variable(folder / "v.ttf", "ab")
    make_font(folder / "s.ttf", "ab", family="Static")
    (tmp_path / "words.txt").write_text("ab\nba\n")
    words = (Words(share=1.0, source=WordList(file=str(tmp_path / "words.txt"))),)
    engine = Native(words=words, fonts=folder, charset="ab")
    columns = engine.plan(0, 0)
    pairs = set(zip(columns["font"], columns["font_axes"], strict=True))
    assert {axes for font, axes in pairs if font == "s.ttf"} == {""}
    places = {f"wght={100 + 50 * k}" for k in range(17)}
    assert {axes for font, axes in pairs if font == "v.ttf"} == places, "17 places, the hidden axis at rest"
    light, bold = (engine._face("v.ttf", f"wght={w}") for w in (100, 900))
    assert light.ink(1) != bold.ink(1)
    assert bold.ink(1).half_width == pytest.approx(light.ink(1).half_width + 0.1)
    row = {
        key: column[0].item() if hasattr(column[0], "item") else column[0] for key, column in columns.items()
    }
    row["font"] = "v.ttf"
    wide = engine._typesetter.set(row | {"font_axes": "wght=900"}).word
    thin = engine._typesetter.set(row | {"font_axes": "wght=100"}).word
    assert wide.shape != thin.shape or (wide != thin).any()


def test_static_fonts_have_no_column_of_axes(folder: Path) -> None:
    make_font(folder / "a.ttf", "ab")
    assert FontPicker(index_fonts(folder, "ab")).axes(np.array(["a.ttf"], object), stream(0, "test")) == {}


def test_few_faces_stay_open(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_variable(folder / "v.ttf", "ab")
    (tmp_path / "words.txt").write_text("ab\n")
    engine = Native(
        words=(Words(share=1.0, source=WordList(file=str(tmp_path / "words.txt"))),),
        fonts=folder,
        charset="ab",
    )
    monkeypatch.setattr("synthgen.engines.native.MOST_FACES", 2)
    first = engine._face("v.ttf", "wght=100")
    engine._face("v.ttf", "wght=200")
    assert engine._face("v.ttf", "wght=100") is first
    engine._face("v.ttf", "wght=300")
    assert list(engine._faces) == [("v.ttf", "wght=100"), ("v.ttf", "wght=300")]


def test_a_file_is_looked_into_once_and_again_when_it_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def spy(path: Path, charset: str) -> object:
        looked.append(path.name)
        return inspect(path, charset)

    monkeypatch.setattr(font_cache, "inspect", spy)
    make_font(folder / "a.ttf", "ab")
    make_variable(folder / "v.ttf", "ab")
    (folder / "broken.ttf").write_bytes(b"no font")
    first = look_into(folder, "ab")
    assert look_into(folder, "ab") == first
    assert looked == ["a.ttf", "broken.ttf", "v.ttf"]
    look_into(folder, "a")
    assert len(looked) == 6, "another charset is another question"
    os.utime(folder / "a.ttf", (1, 1))
    assert look_into(folder, "ab") == first
    assert len(looked) == 6, "touched, but of the same content"
    make_font(folder / "a.ttf", "abc")
    assert look_into(folder, "ab") == first
    assert looked[6:] == ["a.ttf"]


def test_a_damaged_or_unwritable_cache_changes_nothing(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_font(folder / "a.ttf", "ab")
    first = look_into(folder, "ab")
    (kept,) = (cache / "fonts").glob("*.json")
    for content in ("{", "[]", '{"a.ttf": {"stamp": [1, 2]}}', '{"a.ttf": 3}'):
        kept.write_text(content)
        assert look_into(folder, "ab") == first
    monkeypatch.setenv("GLYPHMIX_CACHE", str(folder / "a.ttf" / "nowhere"))
    assert look_into(folder, "ab") == first


def test_at_most_20_missing_characters_are_named(folder: Path) -> None:
    make_font(folder / "a.ttf", "ab")
    with pytest.raises(UserError) as error:
        index_fonts(folder, "ab\u0301" + "".join(map(chr, range(0x410, 0x430))))
    assert str(error.value) == (
        f"no font in {folder} draws U+0301 А Б В Г Д Е Ж З И Й К Л М Н О П Р С Т and 13 more. "
        "Add a font that does, or take the characters out of the recipe's charset."
    )
