"""Which source stands at which position: exact integer arithmetic, the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from curation.core.rng import stream
from curation.deadlines import Nested, Slots, Stretches, Tree, leaves

MOST_POSITIONS = 2**31  # and this many are one too many: their products must fit in 64 bits


def largest_remainder(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Split ``total`` in proportion to ``shares``: all are rounded down, the largest remainders get the rest.

    Every result is within one of its exact quota. Equal remainders are served in the order of ``shares``.

    Raises:
        ValueError: a share is negative, or none is above 0.
    """
    whole = sum(shares)
    if min(shares) < 0 or not whole:
        raise ValueError(f"shares must be 0 or more and not all 0, got {', '.join(map(str, shares))}")
    quotas = [total * share / whole for share in shares]
    counts = [math.floor(quota) for quota in quotas]
    by_remainder = sorted(range(len(shares)), key=lambda i: (counts[i] - quotas[i], i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def interleave(
    counts: Sequence[int], groups: Sequence[Nested] | None = None, *, outermost_first: bool = False
) -> NDArray[np.uint8]:
    """Spread the sources evenly: every prefix of k positions holds k * counts[i] / T of source i, within one.

    With two sources the error is at most half a sample: a closed form. With more, sample j of a source has a
    first and a last position between which its source stays within one, and each position goes to the
    sample, among those whose first has come, whose last is nearest (earliest deadline first).

    So among any B consecutive positions, B * counts[i] / T of source i are within two, with two sources
    within one; and where B * counts[i] / T is whole for every source, that is exactly what any B hold, for
    the order then repeats itself every B positions.

    With groups, two outermost ones are spread like two sources, and then what is in each over its positions.
    Sources and groups all have first and last positions: a sample may come if the first of its source and of
    its groups have come. Of a group it is the one whose source's last is nearest that may; of these, the one
    that has the nearest last of all of its own. If none may come, the one that will first does.

    The sources of two groups stay within one then, for there is always a sample that may come: Hall's
    condition holds, since the rounded half of the closed form is never ahead and then behind by more than
    its sources can bear. With three groups or more, or groups in groups, no such order may exist; a source
    or group then passes one: the worst of thousands of random mixtures was 2.5. ``prefix_error`` measures it.

    Source: R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980) 323-330, proves
    that an order within one exists; S. Baruah et al., "Proportionate progress", Algorithmica 15 (1996)
    600-625, has the windows.

    Args:
        counts: Positions of each source, 0 or more; at most 256 sources.
        groups: The sources by number, those of a group in a list, which may hold further lists, such as
            ``[[0, 1], 2]``. None if there are no groups.
        outermost_first: Spread any number of outermost groups as if they were sources, and then what is in
            each over its positions: what is said of sources without groups holds for those groups, and what
            is in them may pass one by more.

    Returns:
        (T,) the source number at each position, T being the sum of ``counts``.

    Raises:
        ValueError: more than 256 sources, or 2**31 positions or more.
    """
    if len(counts) > 256 or sum(counts) >= MOST_POSITIONS:
        raise ValueError(f"{sum(counts)} positions of {len(counts)} sources; at most 2**31 - 1 of 256")
    pattern = np.zeros(sum(counts), np.uint8)
    members = _pruned(range(len(counts)) if groups is None else groups, counts)
    if outermost_first or len(members) == 2:
        _place_in_turn(pattern, members, counts)
    else:
        _place(pattern, members, None, counts)
    return pattern


def had(first: int, total: int, k: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of two sources in ``total`` parts, how many words of the one with ``first`` stand before position k.

    It is k * first / total, rounded to the nearest, so that both are within half a word of their part of
    every prefix. Positions may go on beyond ``total``, as long as 2 * k * first fits in 64 bits.
    """
    return (2 * first * k + total) // (2 * total)


def prefix_error(at: NDArray[np.int64], total: int) -> Fraction:
    """Farthest that what stands at ``at``, rising, of ``total`` positions is from its part of any prefix."""
    n = len(at)
    if not n:
        return Fraction(0)
    j = np.arange(n)
    behind = at * n - j * total  # just before it comes
    ahead = (j + 1) * total - (at + 1) * n
    return Fraction(int(max(behind.max(), ahead.max())), total)


def pass_order(seed: int, source: str, number: int, lap: int, n: int) -> NDArray[np.int64]:
    """The order of ``n`` words of a source in pass ``number`` over the mixture and lap ``lap`` within it.

    The first lap of the first pass takes them as they are chosen, in the order of their hashes.
    """
    if number == lap == 0:
        return np.arange(n)
    raw = stream(seed, "mix", "pass", source, number, lap).bit_generator.random_raw(n)
    return np.argsort(np.asarray(raw, np.uint64), kind="stable")


def _two(first: int, second: int) -> NDArray[np.uint8]:
    total = first + second
    pattern: NDArray[np.uint8] = (np.diff(had(first, total, np.arange(total + 1))) == 0).astype(np.uint8)
    return pattern


def _pruned(members: Sequence[Nested], counts: Sequence[int]) -> list[Nested]:
    """The members without sources and groups that have no samples; groups of one become that one."""
    left: list[Nested] = []
    for member in members:
        if isinstance(member, int):
            left += [member] if counts[member] else []
        elif inner := _pruned(member, counts):
            left.append(inner[0] if len(inner) == 1 else inner)
    return list(left[0]) if len(left) == 1 and not isinstance(left[0], int) else left


def _place_in_turn(pattern: NDArray[np.uint8], members: Sequence[Nested], counts: Sequence[int]) -> None:
    """Fill ``pattern`` with the outermost ``members``, and then the positions of each with its sources."""
    each = [sum(counts[i] for i in leaves(member)) for member in members]
    if len(members) == 2:
        order = _two(*each)
    else:
        order = Stretches(Tree.of(range(len(each)), each), None, len(pattern)).run()
    for i, member in enumerate(members):
        own = np.flatnonzero(order == i).astype(np.uint32)
        _place(pattern, [member] if isinstance(member, int) else member, own, counts)


def _place(
    pattern: NDArray[np.uint8], members: Sequence[Nested], slots: Slots | None, counts: Sequence[int]
) -> None:
    """Fill the positions ``slots`` of ``pattern``, None for all, with the sources among ``members``."""
    used = leaves(list(members))
    if len(used) > 1:
        order = Stretches(Tree.of(members, counts), slots, len(pattern)).run()
        pattern[slice(None) if slots is None else slots] = np.array(used, np.uint8)[order]
    elif used:
        pattern[slice(None) if slots is None else slots] = used[0]
