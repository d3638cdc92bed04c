"""What is drawn is what the label says: no sign for several characters, no space that cannot be seen."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from font_factory import box, comb, make_font
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTFont

from curation.core.errors import UserError
from curation.core.recipe import build
from curation.core.rng import stream
from synthgen import font_cache
from synthgen.capitals import in_capitals
from synthgen.fonts import FontChoice, FontPicker, index_fonts, look_into
from synthgen.ligatures import features
from synthgen.materials import CORPORA, FONTS, corpus
from synthgen.neighbours import Neighbours
from synthgen.notices import notices
from synthgen.shaping import Face, Run, shape
from synthgen.texts import Casing, Words, plan_texts
from synthgen.words import Limits, lines, word_sources
from synthgen.words.random_string import RandomString
from synthgen.words.templates import Templates
from synthgen.words.word_list import WordList

SPACED = Limits(" abcde", 25)
JOINED = {"fi": "f_i", "(c)": "copyright", "->": "arrow"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def code_font(tmp_path: Path) -> Face:
    """A font that joins letters, and signs as fonts for program code do."""

    def of(text: str) -> str:
        return " ".join(f"u{ord(character):04X}" for character in text)

    file = TTFont(make_font(tmp_path / "code.ttf", "fi(c)->57xT ,o"))
    for i, name in enumerate([*JOINED.values(), "cross", "dash", "swash"]):
        file["glyf"][name] = box(50, 0, 300 + 20 * i, 600)
        file["hmtx"].metrics[name] = (600, 50)
    joins = " ".join(f"sub {of(text)} by {name};" for text, name in JOINED.items())
    five, seven, x, dash, capital = (of(character) for character in "57x-T")
    spaced = f"sub {seven} {of(' ')} {x}' {of(' ')} {seven} by cross;"
    places = f"sub {five} {x}' {seven} by cross; {spaced} sub {dash}' {dash} by dash;"
    addOpenTypeFeaturesFromString(
        file,
        "languagesystem DFLT dflt; languagesystem latn dflt;"
        f"feature liga {{ {joins} }} liga;"
        f"feature calt {{ {places} sub {capital}' {of('o')} by swash; }} calt;",
    )
    file.save(tmp_path / "code.ttf")
    return Face.load(tmp_path / "code.ttf")


def glyphs(run: Run | None) -> list[str]:
    assert run is not None
    names = [run.face.font.glyph_to_string(glyph) for glyph, _, _, _ in run.glyphs]
    return [chr(int(name[1:], 16)) if re.fullmatch(r"u[0-9A-F]{4}", name) else name for name in names]


@pytest.mark.parametrize("text", ["->", "--", "(c)", "5x7", "7 x 7", "(fi)"])
@pytest.mark.parametrize("tracking", [0.0, 0.1])
def test_signs_are_never_joined(code_font: Face, text: str, tracking: float) -> None:
    assert glyphs(shape(code_font, text, tracking)) == list(text.replace(" ", ""))


def test_letters_are_joined_beside_signs_too(code_font: Face) -> None:
    assert glyphs(shape(code_font, "fi")) == ["f_i"]
    assert glyphs(shape(code_font, "Tofix,")) == ["swash", "o", "f_i", "x", ","]
    assert glyphs(shape(code_font, "Tofix - fif")) == ["swash", "o", "f_i", "x", "-", "f_i", "f"]
    assert glyphs(shape(code_font, "fi", tracking=0.1)) == ["f", "i"]


def test_words_of_letters_cost_nothing_and_other_scripts_keep_theirs() -> None:
    assert features("office") is None
    assert features("office", apart=True) == {"liga": False, "clig": False}
    assert features("\u0915\u094d\u0937") is None, "a virama is no sign"
    off = features("\u0628\u0627\u0628(\u0628\u0628)")
    assert off is not None
    assert off["calt"] == [(3, 4, False), (6, 7, False)]


@pytest.mark.parametrize("text", ["5x7", "10x10", "->", "<=", "(c)", "--", "!=", "0xFF", "://"])
def test_shipped_fonts_draw_each_character_by_itself(text: str) -> None:
    for path in sorted(FONTS.glob("Inter-*")) + sorted(FONTS.glob("Manrope-*")):
        run = shape(Face.load(path), text)
        assert run is not None
        plain = [run.face.font.get_nominal_glyph(ord(c)) for c in text]
        assert [glyph for glyph, _, _, _ in run.glyphs] == plain


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("LONDON", True),
        ("LiBERTARiANiSM", True),
        ("BRiO'S", True),
        ("Hi", False),
        ("i", False),
        ("Rio", False),
    ],
)
def test_capitals_with_a_small_i_are_capitals(text: str, yes: bool) -> None:
    assert in_capitals(text) == yes


def test_a_running_hand_sets_no_capitals_with_a_small_i(tmp_path: Path) -> None:
    for name in ("hand", "plain"):
        make_font(tmp_path / f"{name}.ttf", "ABCabcHi", family=name)
    picker = FontPicker(index_fonts(tmp_path, "ABCabcHi", FontChoice(no_capitals=("hand*",))))
    texts = np.array(["BiAC", "Hi"] * 200, object)
    drawn = picker.pick(texts, stream(0, "test").random(400))
    assert set(drawn[::2]) == {"plain.ttf"}
    assert set(drawn[1::2]) == {"plain.ttf", "hand.ttf"}


def test_what_stands_by_capitals_with_a_small_i_is_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("brio\n", encoding="utf-8")
    words = Words(
        share=1.0,
        source=WordList(file=str(tmp_path / "w.txt")),
        casing=Casing(small_i=1.0),
        punctuation=1.0,
    )

    def rng(*key: str) -> np.random.Generator:
        return stream(3, *key)

    texts = plan_texts([words], Limits("brioBRIOsS'", 10), rng, 400)["text"].tolist()
    assert set(texts) == {"BRiO", "BRiO'S", "'BRiO'"}
    beside = Neighbours(share=1.0).plan(
        rng, ["BRiO"] * 20, lambda rng, n: ["word"] * n, lambda texts, dice: texts
    )
    assert {text for text in beside["neighbour_right"] if text} == {"WORD"}


@pytest.mark.parametrize(
    ("word", "reason"),
    [("ab cd", None), ("ab  cd", "stray_space"), (" ab", "stray_space"), ("ab ", "stray_space")],
)
def test_a_space_that_cannot_be_seen_takes_a_word_out(word: str, reason: str | None) -> None:
    assert SPACED.reject(word) == reason
    assert Limits(" \u3000ab", 9).reject("a\u3000b") == "stray_space"


@pytest.mark.parametrize("kind", ["word_list", "frequency_list", "random_string", "cut_words", "templates"])
def test_no_source_gives_a_space_that_cannot_be_seen(kind: str, tmp_path: Path) -> None:
    plain = "ab\nab cd\n ab c \nab  cd\nde \t\n"
    (tmp_path / "word_list.txt").write_text(plain, encoding="utf-8")
    (tmp_path / "frequency_list.txt").write_text("ab \t3\nab cd\t5\nab  cd\t9\n", encoding="utf-8")
    (tmp_path / "templates.txt").write_text("1\ta? b?  c\n1\t[ab][ ]?c\n1\t[ ]\n", encoding="utf-8")
    file = {"kind": kind, "file": str(tmp_path / f"{kind}.txt")}
    within = {"kind": "word_list", "file": str(tmp_path / "word_list.txt")}
    table = {
        "random_string": {"kind": kind, "characters": " abcd", "length": [1, 5]},
        "cut_words": {"kind": kind, "source": within, "least": 1},
    }.get(kind, file)
    source = build(Words, {"share": 1.0, "source": table}, where="r").source
    source.inputs(SPACED)
    drawn = source.draw(stream(0, "test"), 300, SPACED)
    assert {SPACED.reject(word) for word in drawn} == {None}
    assert len(set(drawn)) > 1
    assert kind in word_sources


def test_stray_spaces_are_counted(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("ab  c\n a b \na\u3000b\n", encoding="utf-8")
    words = WordList(file=str(tmp_path / "w.txt"))
    (facts,) = words.inputs(Limits("abc \u3000", 9)).values()
    assert (facts["words"], facts["left_out"]) == (1, {"stray_space": 2})
    (facts,) = WordList(file=str(tmp_path / "w.txt"), split_words=True).inputs(SPACED).values()
    assert (facts["words"], facts["left_out"]) == (6, {})


def test_a_string_of_spaces_is_no_string() -> None:
    with pytest.raises(UserError, match="random_string can draw nothing: characters ' '"):
        RandomString(characters=" ").inputs(SPACED)


def test_a_template_of_spaces_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("1\ta\n1\t[ ]{2}\n", encoding="utf-8")
    (facts,) = Templates(file=str(tmp_path / "t.txt")).inputs(SPACED).values()
    assert (facts["patterns"], facts["left_out"]) == (1, {"stray_space": 1})


def test_a_bare_name_is_the_shipped_list_and_a_path_is_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("words_en.tsv", "mine.tsv"):
        Path(name).write_text("word\t1\n", encoding="utf-8")
    assert corpus("words_en.tsv") == CORPORA / "words_en.tsv"
    assert corpus("./words_en.tsv").resolve() == tmp_path / "words_en.tsv"
    assert corpus("mine.tsv").resolve() == tmp_path / "mine.tsv"
    left_out = {"left_out": {"too_long": 1}}
    assert notices({"words": [{"words_en.tsv": left_out}]}) == []
    assert notices({"words": [{"./words_en.tsv": left_out}]}) == [
        "Left out of word list words_en.tsv: 1 too_long."
    ]
    with pytest.raises(UserError) as error:
        corpus("none.tsv")
    assert str(error.value) == (
        "word list none.tsv does not exist. Check the path, or give a shipped name without a folder: "
        + ", ".join(sorted(path.name for path in CORPORA.glob("*.t*")))
        + "."
    )


def test_a_line_beyond_what_its_size_can_be_stored_as_is_too_long(tmp_path: Path) -> None:
    text = "a" * (lines.MOST_BYTES + 2) + "\n" + "a" * lines.MOST_BYTES + "\nab\n"
    (tmp_path / "w.txt").write_text(text, encoding="utf-8")
    words = lines.MappedWords.open(tmp_path / "w.txt", False, Limits("ab", 100_000))
    assert (words.sizes.tolist(), words.left_out) == ([lines.MOST_BYTES, 2], {"too_long": 1})


def with_outline(path: Path, same: dict[str, str], shift: int = 0) -> None:
    """Give characters of a font the outline of others."""
    file = TTFont(path)
    for character, other in same.items():
        glyph = comb(ord(other), 0, 700)
        glyph.coordinates.translate((shift, 0))  # type: ignore[attr-defined]
        glyph.recalcBounds(None)  # type: ignore[attr-defined]
        for name in (f"u{ord(character):04X}", f"u{ord(other):04X}"):
            file["glyf"][name] = glyph if name == f"u{ord(character):04X}" else comb(ord(other), 0, 700)
        file["hmtx"].metrics[f"u{ord(character):04X}"] = (600, 50 + shift)
    file.save(path)


@pytest.mark.parametrize(
    ("same", "gone"),
    [({"0": "O"}, "0"), ({"1": "I"}, "1"), ({"|": "l"}, "|"), ({"Ο": "0"}, "0")],
)
@pytest.mark.parametrize("shift", [0, 30])
def test_of_two_characters_with_one_outline_the_rarer_is_not_covered(
    tmp_path: Path, same: dict[str, str], gone: str, shift: int
) -> None:
    characters = "".join(dict.fromkeys("01OIoa" + "".join([*same, *same.values()])))
    make_font(tmp_path / "f" / "a.ttf", characters)
    with_outline(tmp_path / "f" / "a.ttf", same, shift)
    (font,) = look_into(tmp_path / "f", characters).fonts
    assert set(characters) - font.characters == {gone}


@pytest.mark.parametrize("two", ["OО", "lI"])
def test_letters_may_look_alike(tmp_path: Path, two: str) -> None:
    make_font(tmp_path / "f" / "a.ttf", two)
    with_outline(tmp_path / "f" / "a.ttf", {two[0]: two[1]})
    assert look_into(tmp_path / "f", two).fonts[0].characters == set(two)


def test_shipped_fonts_never_draw_two_of_these_alike() -> None:
    drawn = {font.name: font.characters for font in look_into(FONTS, "0O1Il|").fonts}
    assert Counter(
        c for name in ("Michroma-Regular.ttf", "Staatliches-Regular.ttf") for c in drawn[name]
    ) == Counter("0O1Il|0OI|")


def test_a_missing_package_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("brotli", reason="WOFF2 needs the package brotli")
    file = TTFont(make_font(tmp_path / "a.ttf", "ab"))
    file.flavor = "woff2"
    (tmp_path / "f").mkdir()
    file.save(tmp_path / "f" / "a.woff2")
    make_font(tmp_path / "f" / "b.ttf", "ab", family="B")
    with monkeypatch.context() as without:
        for name in ("brotli", "brotlicffi"):
            without.setitem(sys.modules, name, None)
        without.setattr("fontTools.ttLib.woff2.haveBrotli", False, raising=False)
        assert look_into(tmp_path / "f", "ab").skipped == (("a.woff2", "needs_brotli"),)
    assert look_into(tmp_path / "f", "ab").skipped == ()


def test_a_file_that_cannot_be_read_is_named_and_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        make_font(tmp_path / "f" / f"{name}.ttf", "ab", family=name)
    digest = font_cache.sha256_file

    def failing(path: Path) -> str:
        if path.name in ("a.ttf", "b.ttf"):
            raise PermissionError(13, "denied", str(path))
        return digest(path)

    with monkeypatch.context() as broken:
        broken.setattr(font_cache, "sha256_file", failing)
        assert look_into(tmp_path / "f", "ab").skipped == (("a.ttf", "no_access"), ("b.ttf", "no_access"))
    assert look_into(tmp_path / "f", "ab").skipped == ()


def test_what_other_code_saw_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_font(tmp_path / "f" / "a.ttf", "ab")
    look_into(tmp_path / "f", "ab")
    monkeypatch.setattr(font_cache, "inspect", lambda path, charset: ["unreadable"])
    assert look_into(tmp_path / "f", "ab").skipped == ()
    monkeypatch.setattr(font_cache, "_code", lambda: "changed")
    with pytest.raises(UserError, match="1 unreadable"):
        look_into(tmp_path / "f", "ab")
