"""What single sources of words promise beyond the contract of all of them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.core.errors import UserError
from curation.core.labels import CHARSET_94
from curation.core.recipe import build
from curation.core.rng import stream
from synthgen.texts import Casing, Words, plan_texts, recase
from synthgen.words import Limits
from synthgen.words.cut_words import CutWords
from synthgen.words.dealt_characters import DealtCharacters
from synthgen.words.frequency_list import FrequencyList
from synthgen.words.multi_word import MultiWord
from synthgen.words.templates import Templates

NAMES = {"kind": "word_list", "file": "names.txt"}
WIDE = Limits(CHARSET_94, 25)
LINES = Limits(CHARSET_94 + " ", 25)


@dataclass(frozen=True)
class Round:
    """Gives its words in turn."""

    words: tuple[str, ...]
    kind = "round"

    def inputs(self, limits: Limits) -> dict[str, Any]:
        return {}

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        return list(itertools.islice(itertools.cycle(self.words), n))


def test_a_cut_word_is_a_proper_part_and_no_shorter_than_asked() -> None:
    source = CutWords(source=Round(("restaurant", "to", "a")), least=3)
    drawn = source.draw(stream(0, "test"), 900, WIDE)
    cut = drawn[::3]
    assert set(drawn[1::3]) == {"to"}
    assert set(drawn[2::3]) == {"a"}
    assert all(part in "restaurant" for part in cut)
    assert set(map(len, cut)) == set(range(3, 10))
    at_start = np.mean(["restaurant".startswith(part) for part in cut])
    at_end = np.mean(["restaurant".endswith(part) for part in cut])
    assert (at_start, at_end) == (pytest.approx(0.46, abs=0.08), pytest.approx(0.46, abs=0.08))


def test_a_cut_line_neither_begins_nor_ends_with_a_space() -> None:
    drawn = CutWords(source=Round(("a b c d",)), least=1).draw(stream(0, "test"), 200, LINES)
    assert [part for part in drawn if part != part.strip() or not part] == []


def test_dealing_keeps_lengths_and_characters() -> None:
    words = ("free", "parking", "24h", "a b")
    drawn = DealtCharacters(source=Round(words)).draw(stream(0, "test"), 40, LINES)
    assert [len(word) for word in drawn] == [4, 7, 3, 2] * 10
    assert Counter("".join(drawn)) == Counter("freeparking24hab" * 10)
    assert len(set(drawn)) > 20


@pytest.mark.parametrize(
    ("limits", "capitals", "expected"),
    [
        (LINES, False, ["free parking", "exit north"]),
        (LINES, True, ["Free Parking", "Exit North"]),
        (WIDE, False, ["freeparking", "exitnorth"]),
        (WIDE, True, ["FreeParking", "ExitNorth"]),
        (Limits("abcdefghijklmnopqrstuvwxyz", 25), True, ["freeparking", "exitnorth"]),
        (Limits(CHARSET_94 + " ", 9), False, ["free", "exit"]),
        (Limits(CHARSET_94, 9), False, ["free", "exitnorth"]),
    ],
)
def test_words_stand_apart_where_the_charset_has_a_space(
    limits: Limits, capitals: bool, expected: list[str]
) -> None:
    source = MultiWord(source=Round(("free", "parking", "exit", "north")), capitals=capitals)
    assert source.draw(stream(0, "test"), 2, limits) == expected


def test_numbers_take_the_first_or_the_last_place() -> None:
    source = MultiWord(source=Round(("exit",)), words=(2, 3), numbers=0.5)
    drawn = source.draw(stream(0, "test"), 1000, LINES)
    shapes = Counter(re.sub(r"\d+", "N", line) for line in drawn)
    assert set(shapes) == {"exit exit", "exit exit exit", "N exit", "exit N", "N exit exit", "exit exit N"}
    assert 400 < sum(n for shape, n in shapes.items() if "N" in shape) < 600
    digits = Counter(len(number) for line in drawn for number in re.findall(r"\d+", line))
    assert set(digits) == {1, 2, 3}
    assert source.draw(stream(0, "test"), 3, Limits("exit ", 25)) != drawn[:3], "no number without digits"


@pytest.mark.parametrize(
    ("casing", "expected"),
    [
        ("as_is", "coca-Cola in BRAZIL"),
        ("lower", "coca-cola in brazil"),
        ("upper", "COCA-COLA IN BRAZIL"),
        ("title", "Coca-cola in brazil"),
        ("title_words", "Coca-Cola In Brazil"),
        ("small_i", "COCA-COLA iN BRAZiL"),
    ],
)
def test_cases(casing: str, expected: str) -> None:
    assert recase("coca-Cola in BRAZIL", casing) == expected


def test_a_casing_left_out_is_as_is_only_if_no_other_is_given() -> None:
    assert Casing().weights() == [1, 0, 0, 0, 0, 0, 0]
    assert Casing(upper=0.4, title=0.6).weights() == [0, 0, 0.4, 0.6, 0, 0, 0]
    assert Casing(as_is=1.0, upper=1.0).weights()[:3] == [1, 0, 1]
    with pytest.raises(ValueError, match=r"^every weight is 0, so no casing is left$"):
        Casing(as_is=0.0)


def test_a_case_that_limits_refuse_is_not_said_to_be_there() -> None:
    words = Words(share=1.0, source=Round(("stra\u00dfe", "weg")), casing=Casing(upper=1.0))
    limits = Limits("stra\u00dfewgSTRAEWG", 6)  # the capital of the sharp s is two letters
    columns = plan_texts([words], limits, lambda *key: stream(0, *key), 40)
    pairs = set(zip(columns["text"], columns["casing"], strict=True))
    assert pairs == {("stra\u00dfe", "as_is"), ("WEG", "upper")}


def test_mixed_case_raises_letters_one_by_one() -> None:
    words = Words(share=1.0, source=Round(("street",)), casing=Casing(mixed=1.0))
    texts = plan_texts([words], WIDE, lambda *key: stream(0, *key), 400)["text"]
    assert {text.lower() for text in texts} == {"street"}
    assert len(set(texts)) > 40, "of 64 ways"
    again = plan_texts([words], WIDE, lambda *key: stream(0, *key), 400)["text"]
    assert list(texts) == list(again)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"share": float("nan")}, "r.toml, share is nan. Give a finite number."),
        ({"share": -1.0}, "r.toml: share must be 0 or more, got -1."),
        ({"casing": {"small_i": float("nan")}}, "r.toml, casing, small_i is nan. Give a finite number."),
        ({"balance": {"length": 2.0}}, "r.toml, balance: length must be from 0 to 1, got 2."),
        ({"balance": {"lengths": [0.0]}}, "r.toml, balance: lengths are all 0, so no length is left."),
        ({"balance": {"candidates": 1}}, "r.toml, balance: candidates must be from 2 to 64, got 1."),
        (
            {"source": {"kind": "frequency_list", "power": -1.0}},
            "r.toml, source (frequency_list): power must be 0 or more, got -1.",
        ),
        (
            {"source": {"kind": "cut_words", "source": NAMES, "least": 0}},
            "r.toml, source (cut_words): least must be at least 1, got 0.",
        ),
        (
            {"source": {"kind": "multi_word", "source": {"kind": "word_lists"}}},
            "unknown word source 'word_lists' in r.toml, source (multi_word), source. "
            "Did you mean 'word_list'?",
        ),
    ],
)
def test_wrong_tables_are_named_with_their_position(table: dict[str, Any], message: str) -> None:
    whole = {"share": 1.0, "source": NAMES} | table
    with pytest.raises(UserError) as error:
        build(Words, whole, where="r.toml")
    assert str(error.value) == message


def test_a_source_within_a_source_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("incomprehensible\n", encoding="utf-8")
    table = {"kind": "cut_words", "source": {"kind": "word_list", "file": str(tmp_path / "w.txt")}}
    words = build(Words, {"share": 1.0, "source": table}, where="r.toml")
    with pytest.raises(UserError) as error:
        words.source.inputs(Limits(CHARSET_94, 8))
    assert str(error.value) == (
        "word list w.txt has no word to draw (1 too_long). Mend the list, or the recipe's charset."
    )


@pytest.mark.parametrize("source", [FrequencyList, Templates], ids=lambda source: source.kind)
def test_a_list_read_whole_names_the_line_that_is_no_text(source: Any, tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_bytes(b"\xef\xbb\xbf1\t1\n\n2\t\xff\n")
    with pytest.raises(UserError) as error:
        source(file=str(tmp_path / "w.txt")).inputs(WIDE)
    assert str(error.value) == (
        "word list w.txt, line 3 is not UTF-8 text (invalid start byte). Convert the file."
    )
