"""What counts as the same word under each protocol."""

from __future__ import annotations

import string
from dataclasses import replace

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
        ("parseq62", "Naïve £5.00!", "Naive500", None),
        ("exact94", "It's", "It's", None),
        ("exact94", "a" * 40, "a" * 40, None),
        ("exact94", "naïve", "naïve", "unsupported_character"),
        ("exact94", "two words", "two words", "unsupported_character"),
        ("unicode", "Cafe\u0301 日本", "Café日本", None),
        ("unicode", " \t", "", "empty"),
        ("exact", " Naïve  日本 ", " Naïve  日本 ", None),
        ("exact", "a" * 1000, "a" * 1000, None),
        ("exact", "", "", "empty"),
    ],
)
def test_normalise(name: str, label: str, expected: str, reason: str | None) -> None:
    assert PROTOCOLS[name].normalise(label) == (expected, reason)


@pytest.mark.parametrize(
    ("label", "expected", "without_nfkd"),
    [
        ("naïve", "naive", "nave"),
        ("£5.00", "500", "500"),
        ("½", "12", None),
        ("ﬁne", "fine", "ne"),
        ("日本", None, None),
        ("!!!", None, None),
        ("a" * 26, None, None),
    ],
)
def test_parseq36_is_what_parseq_does(label: str, expected: str | None, without_nfkd: str | None) -> None:
    """What baudm/parseq's own dataset made of these labels, with ``normalize_unicode`` and without."""
    for wanted, rule in (
        (expected, PROTOCOLS["parseq36"]),
        (without_nfkd, replace(PROTOCOLS["parseq36"], nfkd_ascii=False)),
    ):
        text, reason = rule.normalise(label)
        assert (None if reason else text) == wanted


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
    assert PROTOCOLS["exact94"].normalise_prediction("café" * 20) == "café" * 20, "and it is no caf"


def test_a_protocol_states_every_step() -> None:
    assert PROTOCOLS["parseq36"].describe() == [
        "white space: deleted",
        "unicode: decomposed (NFKD), then what is not ASCII is deleted",
        "length: more than 25 characters at this point: dropped (too_long)",
        "case: folded to lower case",
        f"characters: 36 count, others are deleted: {CHARSET_36}",
        "a label that is empty now is dropped (empty); no label is replaced by another",
        "prediction: the same steps, but it is never dropped nor cut short",
        "1-NED: the mean of 1 - edit distance / length of the longer of prediction and label; "
        "an empty prediction scores 0",
    ]
    steps = PROTOCOLS["exact94"].describe()
    assert steps[1:5] == [
        "unicode: as it is",
        "length: any",
        "case: kept",
        "characters: 94 count, a label with others is dropped (unsupported_character): " + CHARSET_94,
    ]
    assert steps[6] == (
        "prediction: the same steps, but it is never dropped nor cut short, and characters outside the set "
        "stay, so that it is wrong"
    )
    assert PROTOCOLS["unicode"].describe()[1] == "unicode: composed (NFC), accents kept"
    assert PROTOCOLS["dtrb36"].describe()[0] == "white space: kept"
    assert PROTOCOLS["exact"].describe()[4] == "characters: all count"
    assert all(protocol.source for protocol in PROTOCOLS.values())


def test_charsets() -> None:
    assert CHARSET_36 == "0123456789abcdefghijklmnopqrstuvwxyz"
    assert (len(CHARSET_94), len(set(CHARSET_94))) == (94, 94)
    assert " " not in CHARSET_94


def test_protocol_by_name() -> None:
    assert protocol("dtrb36").name == "dtrb36"
    with pytest.raises(UserError) as caught:
        protocol("parsec36", where="mix.toml")
    assert str(caught.value) == (
        "unknown protocol 'parsec36' in mix.toml. Did you mean 'parseq36' or 'parseq62' or 'parseq94'?"
    )
