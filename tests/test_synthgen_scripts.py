"""Scripts other than Latin: shaped, joined and ordered as they are read, labelled as they are stored."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from font_factory import box, make_font
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTFont

from curation.core.errors import UserError
from synthgen.bidi import levels, visual
from synthgen.engines.base import UnfitError
from synthgen.engines.native import Native
from synthgen.fonts import index_fonts, look_into
from synthgen.itemise import Item, itemise
from synthgen.shaping import Face, Run, shape
from synthgen.texts import Words
from synthgen.words.word_list import WordList

NOTO = Path("/usr/share/fonts/truetype/noto")
NOTO_CJK = Path("/usr/share/fonts/opentype/noto")
ALEF, BEH, TEH, SEEN = "\u0627\u0628\u062a\u0633"
KA, SSA, VIRAMA, ZWJ, ZWNJ, I_SIGN = "\u0915\u0937\u094d\u200d\u200c\u093f"


def featured(path: Path, characters: str, extra: list[str], features: str, blank: str = "") -> Face:
    """A font with glyphs of no character too, each as wide as its place in ``extra`` says, and features."""
    file = TTFont(make_font(path, characters, blank=blank))
    for i, name in enumerate(extra):
        file["glyf"][name] = box(50, 0, 300 + 20 * i, 600)
        file["hmtx"].metrics[name] = (600, 50)
    file.setGlyphOrder([*file.getGlyphOrder()])
    addOpenTypeFeaturesFromString(file, features)
    file.save(path)
    return Face.load(path)


def names(run: Run | None) -> list[str]:
    assert run is not None
    return [run.face.font.glyph_to_string(glyph) for glyph, _, _, _ in run.glyphs]


ARABIC = """
languagesystem DFLT dflt; languagesystem arab dflt;
feature init { sub u0628 by beh.init; } init;
feature medi { sub u0628 by beh.medi; } medi;
feature fina { sub u0628 by beh.fina; } fina;
"""


@pytest.fixture
def arabic(tmp_path: Path) -> Face:
    characters = ALEF + BEH + "abc0123456789 .-()"
    return featured(tmp_path / "arabic.ttf", characters, ["beh.init", "beh.medi", "beh.fina"], ARABIC)


def test_arabic_letters_take_the_form_of_their_place_and_run_leftward(arabic: Face) -> None:
    assert names(shape(arabic, BEH * 3)) == ["beh.fina", "beh.medi", "beh.init"]
    assert names(shape(arabic, BEH)) == ["u0628"]
    assert names(shape(arabic, BEH + ALEF)) == ["u0627", "beh.init"]


def test_joined_letters_are_never_set_apart(arabic: Face) -> None:
    close, wide = shape(arabic, BEH * 3), shape(arabic, BEH * 3, tracking=0.3)
    assert close is not None
    assert wide is not None
    assert (close.joined, close.glyphs) == (True, wide.glyphs)


def test_numbers_in_arabic_run_rightward(arabic: Face) -> None:
    assert names(shape(arabic, f"{BEH}{BEH} 12")) == ["u0031", "u0032", "beh.fina", "beh.init"]


def test_mixed_directions_stand_in_their_visual_order(arabic: Face) -> None:
    run = shape(arabic, f"ab {BEH}{ALEF} c")
    assert names(run) == ["u0061", "u0062", "u0627", "beh.init", "u0063"]
    assert run is not None
    assert run.clusters == [0, 1, 4, 3, 6], "each glyph still knows its letter"
    assert names(shape(arabic, f"{BEH}{ALEF} ab")) == ["u0061", "u0062", "u0627", "beh.init"]


def test_brackets_are_mirrored_in_a_leftward_line(arabic: Face) -> None:
    assert names(shape(arabic, f"({BEH})")) == ["u0028", "u0628", "u0029"]


def test_the_order_of_directions_is_that_of_another_implementation() -> None:
    algorithm = pytest.importorskip("bidi.algorithm", reason="python-bidi is not installed")
    draw = random.Random(7)
    for _ in range(1500):
        text = "".join(
            draw.choices("ab \u05e9\u05dc\u05d0\u0627\u0628 12\u0663\u0664 .,-+%$/:!", k=draw.randint(1, 9))
        )
        assert "".join(visual(list(text), levels(text))) == algorithm.get_display(text), ascii(text)


def test_a_pair_of_brackets_goes_with_what_it_holds() -> None:
    assert levels("a (\u05d0) b") == [0, 0, 0, 1, 0, 0, 0]
    assert levels("\u05d0 (a) 1") == [1, 1, 1, 2, 1, 1, 2]


def test_scripts_of_one_direction_are_shaped_each_by_its_own_rules() -> None:
    assert itemise(f"\u05d0{BEH}1") == [
        Item(2, 1, "Arab", True),
        Item(1, 1, "Arab", False),
        Item(0, 1, "Hebr", False),
    ]


DEVANAGARI = """
languagesystem DFLT dflt; languagesystem dev2 dflt;
feature akhn { sub u0915 u094D u0937 by kssa; } akhn;
feature half { sub u0915 u094D by ka.half; } half;
"""


@pytest.fixture
def devanagari(tmp_path: Path) -> Face:
    characters = KA + SSA + VIRAMA + I_SIGN + "ab "
    return featured(tmp_path / "d.ttf", characters, ["kssa", "ka.half"], DEVANAGARI, blank=VIRAMA)


def test_devanagari_conjuncts_joiners_and_vowels_that_step_forward(devanagari: Face) -> None:
    assert names(shape(devanagari, KA + VIRAMA + SSA)) == ["kssa"]
    assert names(shape(devanagari, KA + VIRAMA + ZWJ + SSA)) == ["ka.half", "u0937"]
    assert names(shape(devanagari, KA + VIRAMA + ZWNJ + SSA)) == ["u0915", "u0937"]
    assert names(shape(devanagari, KA + I_SIGN)) == ["u093F", "u0915"]


def test_nothing_is_drawn_that_the_label_lacks(tmp_path: Path) -> None:
    face = featured(tmp_path / "d.ttf", KA + I_SIGN + "\u25cc ", [], DEVANAGARI.split("feature")[0])
    assert names(shape(face, I_SIGN)) == ["u093F"], "no dotted circle for a sign without its letter"


def test_marks_joiners_and_viramas_are_covered_without_ink(devanagari: Face, tmp_path: Path) -> None:
    charset = KA + SSA + VIRAMA + ZWJ + ZWNJ + I_SIGN
    assert index_fonts(tmp_path, charset).fonts[0].characters == set(charset)
    assert "\u0902" not in look_into(tmp_path, charset + "\u0902").fonts[0].characters, "a mark it lacks"


MARKS = """
languagesystem DFLT dflt; languagesystem latn dflt;
markClass u0301 <anchor 300 0> @TOP;
feature mark { pos base u0061 <anchor 300 620> mark @TOP; } mark;
table GDEF { GlyphClassDef [u0061], , [u0301], ; } GDEF;
"""


def test_a_mark_stands_where_the_font_puts_it(tmp_path: Path) -> None:
    face = featured(tmp_path / "m.ttf", "a\u0301b", [], MARKS)
    run = shape(face, "ba\u0301b", tracking=0.1)
    assert run is not None
    assert names(run) == ["u0062", "u0061", "u0301", "u0062"]
    assert [x for _, _, x, _ in run.glyphs] == pytest.approx([0, 0.7, 0.7, 1.4])
    assert run.glyphs[2][3] == pytest.approx(0.62)
    assert run.clusters == [0, 1, 1, 3]


def test_a_blank_glyph_is_never_drawn_for_a_letter(tmp_path: Path) -> None:
    face = featured(
        tmp_path / "b.ttf",
        "abc",
        [],
        "languagesystem DFLT dflt; feature calt { sub u0061 u0062' by u0063; } calt;",
        blank="c",
    )
    assert shape(face, "ba") is not None
    assert shape(face, "ab") is None, "b becomes a blank after a"


@pytest.mark.parametrize(
    "words",
    [
        "\u0391\u03b8\u03ae\u03bd\u03b1",
        "\u041c\u043e\u0441\u043a\u0432\u0430",
        BEH + ALEF + BEH,
        "\u05e9\u05dc\u05d5\u05dd",
        "\u010ce\u0161tina na\u00efve",
        KA + VIRAMA + SSA + I_SIGN,
        "\u65e5\u672c\u8a9e \u6771\u4eac",
    ],
    ids=["Greek", "Cyrillic", "Arabic", "Hebrew", "Latin with diacritics", "Devanagari", "CJK"],
)
def test_words_are_drawn_and_labelled_as_they_are_stored(tmp_path: Path, words: str) -> None:
    make_font(tmp_path / "fonts" / "f.ttf", "".join(sorted(set(words) - {" "})))
    engine = native(tmp_path, words, tmp_path / "fonts")
    assert drawn_labels(engine, 20) == set(words.split())


def native(folder: Path, words: str, fonts: Path, charset: str = "") -> Native:
    (folder / "words.txt").write_text(words.replace(" ", "\n") + "\n", encoding="utf-8")
    source = WordList(file=str(folder / "words.txt"))
    characters = charset or "".join(sorted(set(words) - {" "}))
    return Native(words=(Words(share=1.0, source=source),), fonts=fonts, charset=characters)


def drawn_labels(engine: Native, n: int) -> set[str]:
    engine.check()
    columns, labels = engine.plan(0, 0), set[str]()
    for i in range(n):
        row = {key: np.asarray(column)[i] for key, column in columns.items()}
        row = {key: value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
        try:
            labels.add(engine.draw(row).label)
        except UnfitError as error:
            assert str(error) != "missing_glyph"  # noqa: PT017 - colours may be too alike, glyphs may not lack
    return labels


@pytest.fixture
def noto(tmp_path: Path) -> Path:
    """A folder of links to some of Debian's Noto fonts."""
    wanted = ["Sans", "SansArabic", "SansHebrew", "SansDevanagari"]
    files = [NOTO / f"Noto{name}-Regular.ttf" for name in wanted]
    if not all(file.is_file() for file in files):
        pytest.skip("Debian's package fonts-noto-core is not installed")
    (tmp_path / "noto").mkdir()
    for file in files:
        (tmp_path / "noto" / file.name).symlink_to(file)
    return tmp_path / "noto"


@pytest.mark.parametrize(
    "words",
    [
        "Čeština naïve Ångström Tiếng",
        "Αθήνα Ελλάδα",
        "Москва Київ",
        "سلام السلامة",
        "שלום ירושלים",
        "नमस्ते क्षत्रिय हिन्दी",
    ],
    ids=["Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Devanagari"],
)
def test_words_in_noto_fonts(words: str, noto: Path, tmp_path: Path) -> None:
    assert drawn_labels(native(tmp_path, words, noto), 60) == set(words.split())


def test_a_conjunct_and_joined_letters_in_noto_fonts(noto: Path) -> None:
    deva, arab = (Face.load(noto / f"NotoSans{name}-Regular.ttf") for name in ("Devanagari", "Arabic"))
    assert len(names(shape(deva, KA + VIRAMA + SSA))) == 1
    assert len(names(shape(deva, KA + VIRAMA + ZWNJ + SSA))) == 3, "the virama is seen"
    alone, joined = names(shape(arab, SEEN)), names(shape(arab, SEEN * 3))
    assert len(set(joined)) == 3
    assert set(alone).isdisjoint(joined)


def test_words_in_noto_cjk_collections(tmp_path: Path) -> None:
    if not (NOTO_CJK / "NotoSansCJK-Regular.ttc").is_file():
        pytest.skip("Debian's package fonts-noto-cjk is not installed")
    (tmp_path / "cjk").mkdir()
    (tmp_path / "cjk" / "sans.ttc").symlink_to(NOTO_CJK / "NotoSansCJK-Regular.ttc")
    words = "東京 日本語 안녕하세요 カタカナ 中文"
    engine = native(tmp_path, words, tmp_path / "cjk")
    assert drawn_labels(engine, 60) == set(words.split())
    assert len({font.family for font in engine._index.fonts}) >= 5


def test_a_charset_that_no_font_covers_is_refused_before_the_first_image(tmp_path: Path) -> None:
    make_font(tmp_path / "fonts" / "f.ttf", "abc")
    with pytest.raises(UserError) as error:
        native(tmp_path, "abc", tmp_path / "fonts", "abc" + KA + VIRAMA).check()
    assert str(error.value) == (
        f"no font in {tmp_path / 'fonts'} draws {KA} U+094D. Add a font that does, "
        "or take the characters out of the recipe's charset."
    )
