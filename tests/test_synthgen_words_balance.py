"""Balancing truly moves lengths and characters, by the strength asked for, and nothing else."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from curation.core.labels import CHARSET_94
from curation.core.rng import stream
from synthgen.balance import Balance
from synthgen.texts import Words, plan_texts
from synthgen.words import Limits
from synthgen.words.frequency_list import FrequencyList

LIMITS = Limits(CHARSET_94, 25)


@lru_cache
def texts(balance: Balance, seed: int = 0) -> list[str]:
    words = Words(share=1.0, source=FrequencyList(), balance=balance)
    planned: list[str] = plan_texts([words], LIMITS, lambda *key: stream(seed, *key), 4000)["text"].tolist()
    return planned


def histogram(words: list[str]) -> np.ndarray:
    found = np.bincount([len(word) for word in words], minlength=26)[:26]
    return np.asarray(found / found.sum())


def shares(words: list[str]) -> dict[str, float]:
    found = Counter("".join(words).lower())
    return {c: found[c] / found.total() for c in "abcdefghijklmnopqrstuvwxyz"}


def unevenness(words: list[str]) -> float:
    return float(np.std(list(shares(words).values())))


def test_it_is_off_unless_asked_for() -> None:
    words = Words(share=1.0, source=FrequencyList())
    plain = words.source.draw(stream(0, "words", "0_frequency_list"), 4000, LIMITS)
    assert texts(Balance()) == plain


def test_lengths_move_towards_the_target_by_the_strength() -> None:
    lengths = (0.0, 1.0, 2.0, 3.0, 3.0, 2.0, 1.0)
    target = np.zeros(26)
    target[1:8] = np.array(lengths) / sum(lengths)
    away = [
        np.abs(histogram(texts(Balance(length=strength, lengths=lengths))) - target).sum() / 2
        for strength in (0.0, 0.5, 1.0)
    ]
    assert away[0] > 0.2
    assert away[0] > away[1] > away[2]
    assert away[2] < 0.04


def test_rare_characters_become_more_frequent_with_the_strength() -> None:
    plain, half, full = (texts(Balance(characters=strength)) for strength in (0.0, 0.5, 1.0))
    assert unevenness(plain) > 1.1 * unevenness(half)
    assert unevenness(half) > 1.05 * unevenness(full)
    for rare in "qxzj":
        assert shares(full)[rare] > 2 * shares(plain)[rare], rare


def test_the_choice_depends_on_its_stream_alone() -> None:
    balance = Balance(length=0.5, characters=0.5)
    assert texts(balance) == texts.__wrapped__(balance)
    assert texts(balance) != texts(balance, seed=1)


def test_capitals_count_as_small_letters_and_candidates_are_kept_once_in_order() -> None:
    words = ["AA", "aa", "Aa", "aA"] * 20 + ["zz", "ßẞ", "İi"]
    kept = Balance(characters=1.0).choose(words, stream(0, "test"), 20)
    assert {"zz", "ßẞ", "İi"} <= set(kept), "rare characters come first"
    assert [words.index(word) for word in kept[-3:]] == [80, 81, 82]
    assert Balance(characters=1.0).choose(["a", "b"], stream(0, "test"), 2) == ["a", "b"]
    assert Balance(length=1.0).choose([], stream(0, "test"), 0) == []


@pytest.mark.parametrize("n", [1, 3])
def test_a_length_of_weight_0_comes_only_where_no_other_is_left(n: int) -> None:
    words = ["long", "no", "long", "on", "long", "up"]
    kept = Balance(length=0.1, lengths=(0.0, 1.0)).choose(words, stream(n, "test"), n)
    assert set(kept) <= {"no", "on", "up"}
