from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.evaluation.alignment import align, character_scores, confused, confusions
from train.evaluation.metrics import edit_distance


@pytest.mark.parametrize(
    ("label", "read", "pairs"),
    [
        ("cat", "cat", []),
        ("cat", "cut", [("a", "u")]),
        ("cat", "ct", [("a", "")]),
        ("cat", "cart", [("", "r")]),
        ("cat", "", [("c", ""), ("a", ""), ("t", "")]),
        ("a", "b", [("a", "b")]),
        ("kitten", "sitting", [("k", "s"), ("e", "i"), ("", "g")]),
        ("moon", "mon", [("o", "")]),
        ("rn", "m", [("r", ""), ("n", "m")]),
        ("hello", "he1l0", [("l", "1"), ("o", "0")]),
    ],
)
def test_align(label: str, read: str, pairs: list[tuple[str, str]]) -> None:
    assert align(label, read) == pairs


words = st.text("abc", max_size=7)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(label=words, read=words)
def test_an_alignment_is_a_shortest_one(label: str, read: str) -> None:
    pairs = align(label, read)
    assert len(pairs) == edit_distance(label, read)
    missed, added = sum(not b for _, b in pairs), sum(not a for a, _ in pairs)
    assert len(label) - missed + added == len(read)


def test_confusions_the_most_frequent_first() -> None:
    labels = ["cat", "hat", "at", "o"]
    found = confusions(labels, confused(labels, ["cut", "hut", "att", "o"]))
    assert [(c.label, c.read, c.n, c.share) for c in found] == [("a", "u", 2, 2 / 3), ("", "t", 1, None)]
    assert confused(["a"], ["a"]) == {}


def test_character_scores_the_worst_first() -> None:
    labels, read = ["aba", "b", "bc"], ["ab", "b", "bc"]
    scores = character_scores(labels, read, confused(labels, read))
    found = {score.character: score for score in scores}
    assert list(found) == ["a", "b", "c"]
    assert (found["a"].n, found["a"].n_read, found["a"].n_words, found["a"].n_words_correct) == (2, 1, 1, 0)
    assert (found["b"].n, found["b"].n_read, found["b"].n_words, found["b"].n_words_correct) == (3, 3, 3, 2)
    assert found["b"].recall == 1.0
    assert found["b"].accuracy == pytest.approx(2 / 3)
    assert found["a"].recall_low < 0.5 < found["a"].recall_high
