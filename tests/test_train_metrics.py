from __future__ import annotations

import numpy as np
import pytest

from train.evaluation.metrics import (
    bootstrap_averages,
    bootstrap_mean,
    edit_distance,
    weighted_mean,
    wilson,
)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("abc", "", 3),
        ("", "ab", 2),
        ("kitten", "sitting", 3),
        ("flaw", "lawn", 2),
        ("ab", "ba", 2),
    ],
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance
    assert edit_distance(b, a) == distance


def test_wilson_against_published_values() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 857-872), table I, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_wilson_stays_between_0_and_1() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 3)[0] == 0.0
    assert wilson(3, 3)[1] == 1.0


def test_bootstrap_agrees_with_the_normal_interval() -> None:
    values = np.random.default_rng(3).choice([0, 0.5, 0.75, 1], 4000, p=[0.1, 0.2, 0.3, 0.4])
    low, high = bootstrap_mean(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_bootstrap_is_repeatable_and_has_no_width_for_equal_values() -> None:
    values = np.linspace(0, 1, 101)
    assert bootstrap_mean(values) == bootstrap_mean(values)
    assert bootstrap_mean(values) != bootstrap_mean(values, seed=1)
    assert bootstrap_mean([0.5] * 7) == (0.5, 0.5)
    assert bootstrap_mean([]) == (0.0, 1.0)


def test_averages_over_sets_in_any_order() -> None:
    rng = np.random.default_rng(0)
    sets = {"a": rng.random(300) < 0.9, "b": rng.random(100) < 0.5, "c": rng.random(50) < 0.2}
    by_words, by_sets = bootstrap_averages(sets, shares=True)
    assert bootstrap_averages({name: sets[name] for name in "cab"}, shares=True) == (by_words, by_sets)
    for (low, high), weights in ((by_words, [300, 100, 50]), (by_sets, [1, 1, 1])):
        parts = np.array(weights) / sum(weights)
        shares = np.array([values.mean() for values in sets.values()])
        sd = np.sqrt((parts**2 * shares * (1 - shares) / [300, 100, 50]).sum())
        assert (low, high) == pytest.approx(
            (parts @ shares - 1.96 * sd, parts @ shares + 1.96 * sd), abs=0.01
        )


def test_averages_over_sets_without_a_mistake_are_not_certain() -> None:
    sets = {"a": np.ones(300, bool), "b": np.ones(20, bool)}
    assert bootstrap_averages(sets) == ((1.0, 1.0), (1.0, 1.0))
    (low_by_words, high_by_words), (low_by_sets, high_by_sets) = bootstrap_averages(sets, shares=True)
    assert wilson(320, 320)[0] < low_by_words < high_by_words == 1.0
    assert wilson(20, 20)[0] < low_by_sets < high_by_sets == 1.0


def test_weighted_mean_counts_words() -> None:
    assert weighted_mean([0.5, 1.0], [300, 100]) == pytest.approx(0.625)
