"""What counts as the same word under each protocol."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core.errors import UserError
from curation.core.labels import CHARSET_36, CHARSET_94, PROTOCOLS, protocol

LONGEST = "aishahaleyes.blogspot.com"  # 25 characters, 23 without the dots: PARSeq's own regression example


@pytest.mark.parametrize(
    ("name", "label", "expected", "reason"),
    [
        ("parseq36", "naïve", "naive", None),
        ("parseq36", "£5.00", "500", None),
        ("parseq36", "½", "12", None),
        ("parseq36", "ﬁne", "fine", None),
        ("parseq36", "日本", "", "empty"),
        ("parseq36", "!!!", "", "empty"),
        ("parseq36", "", "", "empty"),
        ("parseq36", "a" * 25, "a" * 25, None),
        ("parseq36", "a" * 26, "a" * 26, "too_long"),
        ("parseq36", LONGEST, "aishahaleyesblogspotcom", None),
        ("parseq36", LONGEST + "!", LONGEST + "!", "too_long"),  # measured before signs are deleted
        ("parseq36", "日" * 30, "", "empty"),  # but after the decomposition
        ("parseq36", "a b\tc\u00a0d", "abcd", None),
        ("parseq36", " ".join("a" * 25), "a" * 25, None),
        ("parseq94", "Naïve £5.00!", "Naive5.00!", None),
        ("parseq94", "STOP", "STOP", None),
        ("dtrb36", "STOP", "stop", None),
        ("dtrb36", "naïve", "naïve", "unsupported_character"),
        ("dtrb36", "two words", "two words", "unsupported_character"),
        ("dtrb36", "don't", "don't", "unsupported_character"),
        ("dtrb36", "a" * 26, "a" * 26, "too_long"),
        ("dtrb36", "日" * 26, "日" * 26, "too_long"),
        ("dtrb36", "", "", "empty"),
        ("exact", " Naïve  日本 ", " Naïve  日本 ", None),
        ("exact", "a" * 1000, "a" * 1000, None),
        ("exact", "", "", "empty"),
    ],
)
def test_normalise(name: str, label: str, expected: str, reason: str | None) -> None:
    assert PROTOCOLS[name].normalise(label) == (expected, reason)


labels = st.one_of(st.text(max_size=40), st.text(string.printable, max_size=30))


@pytest.mark.parametrize("name", list(PROTOCOLS))
class TestEveryProtocol:
    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(label=labels)
    def test_a_kept_label_is_its_own_normal_form(self, name: str, label: str) -> None:
        text, reason = PROTOCOLS[name].normalise(label)
        if reason is None:
            assert PROTOCOLS[name].normalise(text) == (text, None)
            assert set(text) <= set(PROTOCOLS[name].charset or text)

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(label=labels)
    def test_a_right_prediction_counts_as_right(self, name: str, label: str) -> None:
        text, reason = PROTOCOLS[name].normalise(label)
        if reason is None:
            assert PROTOCOLS[name].normalise_prediction(label) == text
            assert PROTOCOLS[name].normalise_prediction(text) == text

    def test_reasons_are_the_documented_ones(self, name: str) -> None:
        for label in ("", "!", "é" * 30, "a b", "x"):
            reason = PROTOCOLS[name].normalise(label)[1]
            assert reason in {None, "empty", "too_long", "unsupported_character"}


def test_predictions_are_never_cut_short() -> None:
    assert PROTOCOLS["parseq36"].normalise_prediction("A" * 40) == "a" * 40
    assert PROTOCOLS["dtrb36"].normalise_prediction("It's") == "its"


def test_charsets() -> None:
    assert CHARSET_36 == "0123456789abcdefghijklmnopqrstuvwxyz"
    assert (len(CHARSET_94), len(set(CHARSET_94))) == (94, 94)
    assert " " not in CHARSET_94


def test_protocol_by_name() -> None:
    assert protocol("dtrb36").name == "dtrb36"
    with pytest.raises(UserError) as caught:
        protocol("parsec36", where="mix.toml")
    assert str(caught.value) == (
        "unknown protocol 'parsec36' in mix.toml. Did you mean 'parseq36' or 'parseq94'?"
    )
