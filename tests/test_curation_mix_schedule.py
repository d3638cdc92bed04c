"""The order of the sources is exact at every prefix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.deadlines import leaves
from curation.schedule import interleave, largest_remainder, pass_order, prefix_error


def worst_error(counts: Sequence[int], pattern: np.ndarray) -> Fraction:
    """Largest |count of source i in the first k - k * counts[i] / T| over all i and k, exactly."""
    total = sum(counts)
    k = np.arange(1, total + 1)
    errors = [abs(np.cumsum(pattern == i) * total - k * count).max() for i, count in enumerate(counts)]
    return Fraction(int(max(errors)), total)


def spread(total: int, weights: Sequence[float]) -> list[int]:
    return [math.floor(total * weight / sum(weights)) for weight in weights]


# from about equal to one word among a hundred thousand
weights = st.lists(st.floats(-5, 0).map(lambda power: 10**power), min_size=2, max_size=12)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(total=st.integers(2, 30_000), weights=weights)
@example(total=30_000, weights=[3, 400_000, 600_000])
@example(total=12, weights=[1] * 12)
def test_every_prefix_is_within_one_of_the_ratio(total: int, weights: list[float]) -> None:
    counts = spread(total, weights)
    if any(counts):
        pattern = interleave(counts)
        assert np.bincount(pattern, minlength=len(counts)).tolist() == counts
        assert worst_error(counts, pattern) < 1


@settings(max_examples=10, deadline=None, derandomize=True)
@given(real=st.integers(200_000, 250_000))
@example(real=250_000)
def test_three_synthetic_per_real_over_a_million_positions(real: int) -> None:
    counts = [real, 3 * real]
    assert worst_error(counts, interleave(counts)) <= Fraction(1, 2)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(weights=weights)
def test_a_million_positions_of_many_sources(weights: list[float]) -> None:
    counts = spread(1_000_000, weights)
    assert worst_error(counts, interleave(counts)) < 1


def one_by_one(counts: Sequence[int]) -> list[int]:
    """Earliest deadline first, as the rule says it, without stretches."""
    total, done, pattern = sum(counts), [0] * len(counts), []
    for k in range(1, total + 1):
        last = {
            i: -(-(done[i] + 1) * total // count)
            for i, count in enumerate(counts)
            if count and done[i] * total < k * count
        }
        pattern.append(min(last, key=lambda i: (last[i], i)))
        done[pattern[-1]] += 1
    return pattern


@settings(max_examples=60, deadline=None, derandomize=True)
@given(total=st.integers(2, 8_000), weights=st.lists(st.floats(0.0005, 1), min_size=3, max_size=9))
def test_stretches_side_by_side_give_the_sequential_order(total: int, weights: list[float]) -> None:
    counts = spread(total, weights)
    if sum(count > 0 for count in counts) > 2:
        assert interleave(counts).tolist() == one_by_one(counts)


def prefix_errors(pattern: np.ndarray, members: Sequence[int]) -> Fraction:
    return prefix_error(np.flatnonzero(np.isin(pattern, list(members))), len(pattern))


def in_windows(pattern: np.ndarray, source: int, size: int) -> np.ndarray:
    """How many words of a source any ``size`` consecutive positions hold."""
    had = np.concatenate([[0], np.cumsum(pattern == source)])
    return had[size:] - had[:-size]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(total=st.integers(300, 3_000), weights=weights, size=st.integers(1, 299))
def test_any_batch_is_within_two_and_with_two_sources_within_one(
    total: int, weights: list[float], size: int
) -> None:
    counts = spread(total, weights)
    if any(counts):
        pattern = interleave(counts)
        bound = 1 if len(counts) == 2 else 2
        for i, count in enumerate(counts):
            assert abs(in_windows(pattern, i, size) - size * count / len(pattern)).max() < bound


@settings(max_examples=40, deadline=None, derandomize=True)
@given(each=st.lists(st.integers(0, 40), min_size=2, max_size=8), batches=st.integers(2, 30))
def test_any_batch_holds_exactly_its_part_where_that_is_whole(each: list[int], batches: int) -> None:
    pattern = interleave([n * batches for n in each])
    for i, n in enumerate(each):
        if sum(each):
            assert set(in_windows(pattern, i, sum(each)).tolist()) == {n}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(total=st.integers(2, 3_000), weights=weights, cut=st.integers(1, 11))
def test_with_two_groups_sources_and_groups_are_within_one(
    total: int, weights: list[float], cut: int
) -> None:
    counts = spread(total, weights)
    cut = min(cut, len(counts) - 1)
    groups = [list(range(cut)), list(range(cut, len(counts)))]
    pattern = interleave(counts, groups)
    assert np.bincount(pattern, minlength=len(counts)).tolist() == counts
    assert all(prefix_errors(pattern, [i]) < 1 for i in range(len(counts)))
    assert all(prefix_errors(pattern, group) <= Fraction(1, 2) for group in groups)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(each=st.lists(st.integers(2, 20), min_size=3, max_size=5), batches=st.integers(2, 20))
@example(each=[3, 2, 5, 2], batches=9)
def test_outermost_groups_first_makes_any_batch_of_them_equal(each: list[int], batches: int) -> None:
    sizes = [(batches * n) // 3 for n in each]
    counts = [part for n, size in zip(each, sizes, strict=True) for part in (size, batches * n - size)]
    groups = [[2 * i, 2 * i + 1] for i in range(len(each))]
    pattern = interleave(counts, groups, outermost_first=True)
    assert np.bincount(pattern, minlength=len(counts)).tolist() == counts
    for i, n in enumerate(each):
        assert set(in_windows(pattern // 2, i, sum(each)).tolist()) == {n}
    assert all(prefix_errors(pattern, [i]) < 2 for i in range(len(counts)))


GROUPS = [[0, 1], 2, [[3, 4], [5, 6, 7, 8]]]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(counts=st.lists(st.integers(1, 200), min_size=9, max_size=9))
def test_with_more_groups_all_are_within_two(counts: list[int]) -> None:
    pattern = interleave(counts, GROUPS)
    assert np.bincount(pattern, minlength=9).tolist() == counts
    members = [[i] for i in range(9)] + [[0, 1], [3, 4], [5, 6, 7, 8], [3, 4, 5, 6, 7, 8]]
    assert all(prefix_errors(pattern, of) < 2 for of in members)


def window(counts: Sequence[int], had: Sequence[int], members: Sequence[int], k: int) -> tuple[bool, int]:
    """Whether the next of ``members`` is early at position k; then its first position, or its last."""
    total, n, j = sum(counts), sum(counts[i] for i in members), sum(had[i] for i in members)
    first = j * total // n + 1
    return (False, -(-(j + 1) * total // n)) if first <= k else (True, first)


def group_by_group(counts: Sequence[int]) -> list[int]:
    """The rule for ``GROUPS`` as it says it, a position at a time."""
    had, order = [0] * 9, []
    for k in range(1, sum(counts) + 1):

        def best(node: Any, top: bool = False, k: int = k) -> tuple[bool, int, int]:
            if isinstance(node, int):
                return (*window(counts, had, [node], k), node)
            early, at, i = min(best(member) for member in node)
            if top:
                return early, at, i
            own = window(counts, had, leaves(node), k)
            return (*(max if early or own[0] else min)((early, at), own), i)

        order.append(best(GROUPS, top=True)[-1])
        had[order[-1]] += 1
    return order


@settings(max_examples=30, deadline=None, derandomize=True)
@given(counts=st.lists(st.integers(1, 60), min_size=9, max_size=9))
def test_groups_side_by_side_give_the_sequential_order(counts: list[int]) -> None:
    assert interleave(counts, GROUPS).tolist() == group_by_group(counts)


def test_prefix_error_tells_the_farthest_prefix() -> None:
    pattern = np.array([0, 0, 1, 1], np.uint8)
    assert prefix_errors(pattern, [0]) == prefix_errors(pattern, [1]) == 1
    assert prefix_errors(pattern, [0, 1]) == prefix_errors(pattern, [2]) == 0


@pytest.mark.parametrize(
    ("counts", "pattern"),
    [
        ([1, 3], [1, 0, 1, 1]),
        ([2, 2], [0, 1, 0, 1]),
        ([1, 1, 1], [0, 1, 2]),
        ([0, 3], [1, 1, 1]),
        ([0, 0], []),
        ([2, 0, 1], [0, 2, 0]),
    ],
)
def test_small_patterns(counts: list[int], pattern: list[int]) -> None:
    assert interleave(counts).tolist() == pattern


def test_interleave_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match=r"^257 positions of 257 sources; at most 2\*\*31 - 1 of 256$"):
        interleave([1] * 257)
    with pytest.raises(ValueError, match=r"^2147483648 positions of 1 sources"):
        interleave([2**31])


@pytest.mark.parametrize(
    ("total", "shares", "counts"),
    [
        (26_900, [1, 3], [6_725, 20_175]),
        (10, [1, 1, 1], [4, 3, 3]),  # equal remainders go to the first
        (100, [Fraction("0.5"), Fraction("0.3"), Fraction("0.2")], [50, 30, 20]),
        (7, [Fraction("0.1"), Fraction("0.2")], [2, 5]),
        (5, [0, 2], [0, 5]),
        (0, [1, 1], [0, 0]),
    ],
)
def test_largest_remainder(total: int, shares: list[Fraction], counts: list[int]) -> None:
    assert largest_remainder(total, [Fraction(s) for s in shares]) == counts


@settings(max_examples=200, deadline=None, derandomize=True)
@given(total=st.integers(0, 10**7), shares=st.lists(st.fractions(0, 100), min_size=1, max_size=12))
def test_largest_remainder_adds_up_and_stays_within_one(total: int, shares: list[Fraction]) -> None:
    if not sum(shares):
        with pytest.raises(ValueError, match="not all 0"):
            largest_remainder(total, shares)
        return
    counts = largest_remainder(total, shares)
    assert sum(counts) == total
    quotas = [total * share / sum(shares) for share in shares]
    assert all(abs(count - quota) < 1 for count, quota in zip(counts, quotas, strict=True))


def test_pass_order_is_a_new_permutation_for_every_pass_and_lap() -> None:
    assert pass_order(0, "real", 0, 0, 5).tolist() == [0, 1, 2, 3, 4]
    keys = [(0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 1, 0), (0, 2, 0)]
    orders = [tuple(pass_order(seed, "real", number, lap, 50)) for seed, number, lap in keys]
    assert len({*orders, tuple(range(50))}) == len(keys) + 1
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] == tuple(pass_order(0, "real", 1, 0, 50)) != tuple(pass_order(0, "svt", 1, 0, 50))
