from __future__ import annotations

import re
from itertools import cycle
from pathlib import Path

import pytest

from curation.core.rng import stream
from synthgen.materials import CORPORA, read_lines
from synthgen.pattern import Pattern


@pytest.mark.parametrize(
    ("pattern", "same_as"),
    [
        (r"[A-Z]{3}-\d{4}", r"[A-Z]{3}-[0-9]{4}"),
        (r"\$\d{1,3}.\d\d", r"\$[0-9]{1,3}\.[0-9]{2}"),
        ("(EXIT|GATE) ?[A-D]?", "(EXIT|GATE) ?[A-D]?"),
        ("(a(b|c)|)x", "(a(b|c)|)x"),
        (r"\(\[\d\]\)", r"\(\[[0-9]\]\)"),
        (r"[\d.-]{2}", r"[0-9.-]{2}"),
        ("w{3}.(ab|c){0,2}.com", r"w{3}\.(ab|c){0,2}\.com"),
    ],
)
def test_every_word_matches_the_pattern_read_as_a_regular_expression(pattern: str, same_as: str) -> None:
    parsed = Pattern.parse(pattern)
    uniform = stream(0, "test", pattern).random
    words = [parsed.expand(uniform) for _ in range(500)]
    assert [word for word in words if not re.fullmatch(same_as, word)] == []
    assert max(map(len, words)) == parsed.longest
    assert set("".join(words)) == parsed.alphabet


def test_draws_pick_in_order() -> None:
    draws = cycle([0.0, 0.999, 0.999])
    assert Pattern.parse("[A-C]{2}(x|yy)?").expand(lambda: next(draws)) == "ACx"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "the pattern is empty"),
        ("a(b|c", "'(' at character 2 is not closed"),
        ("a)b", "')' at character 2 closes or separates nothing"),
        ("a|b", "'|' at character 2 closes or separates nothing"),
        ("[]x", "'[' at character 1 is empty or not closed"),
        ("[z-a]", "[z-a] goes from 'z' down to 'a'"),
        ("a{2,1}", "{2,1} goes from 2 down to 1"),
        ("a{x}", "'{' at character 2 does not start {m} or {m,n}"),
        ("ab\\", "a backslash at the end takes nothing"),
    ],
)
def test_what_is_no_pattern(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Pattern.parse(pattern)


@pytest.mark.parametrize("path", [CORPORA / "templates.txt"], ids=lambda path: path.name)
def test_shipped_patterns_parse(path: Path) -> None:
    for line in read_lines(path):
        if not line.startswith("#"):
            weight, pattern = line.split("\t")
            assert float(weight) > 0
            Pattern.parse(pattern)
