"""Sharing a mixture out by a ratio over its groups, and what a group gets among its sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from curation.mix_recipe import MixRecipe
from curation.schedule import largest_remainder

Share = tuple[int, Fraction, str]  # positions, the same before rounding, the arithmetic in words


@dataclass(frozen=True, kw_only=True)
class _Part:
    """An outermost group: its ratio, and its sources by number.

    Attributes:
        name: The group's.
        ratio: Its part against the others'.
        held: Positions of those of its sources that get a fixed number.
        open_: The other sources.
        weights: The part of each of these in what is left.
        how: Each of these weights as the arithmetic shows it.
        limit: Most positions that what there is allows, None without end.
    """

    name: str
    ratio: Fraction
    held: int
    open_: list[int]
    weights: list[Fraction]
    how: list[str]
    limit: Fraction | None


def share_out(spec: MixRecipe, fixed: Sequence[int | None], available: Sequence[int]) -> list[Share]:
    """Split the total by the groups' ratio, and each group's part among its sources without a fixed number.

    Args:
        spec: The recipe; its ``by_group`` is true.
        fixed: The positions of sources whose number is given, None for others.
        available: How many words each source has.

    Returns:
        For each source its share; what it is for those that have a fixed number means nothing.

    Raises:
        ValueError: the numbers do not add up.
    """
    names = list(dict.fromkeys(map(spec.outermost, spec.sources)))
    parts = [_part(spec, name, fixed, available) for name in names]
    if not sum(part.ratio for part in parts):
        raise ValueError("every group has the ratio 0; raise one")
    if spec.total is not None:
        return _with_total(spec, parts, spec.total)
    total = _most(parts)
    while True:  # what is rounded up may be one more than there is
        shares = _with_total(spec, parts, total)
        over = any(
            shares[i][0] > available[i]
            for part in parts
            for i in part.open_
            if not spec.sources[i].may_repeat
        )
        if not over or total <= 1:
            return shares
        total -= 1


def _part(spec: MixRecipe, name: str, fixed: Sequence[int | None], available: Sequence[int]) -> _Part:
    group = spec.groups.get(name) if spec.has_ratio else None
    own = None if group is None else group.temperature
    temperature = next((t for t in (own, spec.temperature) if t is not None), 1.0)
    members = [i for i, source in enumerate(spec.sources) if spec.outermost(source) == name]
    open_ = [i for i in members if fixed[i] is None]
    weights, how = [], []
    for i in open_:
        weight, shown = _weight(spec.sources[i].weight, available[i], temperature)
        weights.append(weight)
        how.append(shown)
    held = sum(fixed[i] or 0 for i in members)
    finite = [
        available[i] * sum(weights) / weight
        for i, weight in zip(open_, weights, strict=True)
        if weight and not spec.sources[i].may_repeat
    ]
    limit = held + min(finite) if finite else None if sum(weights) else Fraction(held)
    ratio = Fraction(str(group.ratio)) if group is not None else Fraction(1)
    return _Part(name=name, ratio=ratio, held=held, open_=open_, weights=weights, how=how, limit=limit)


def _weight(weight: float | None, n: int, temperature: float) -> tuple[Fraction, str]:
    """The part of a source with ``n`` words: its weight, or n to the power of the temperature."""
    if weight is not None:
        return Fraction(str(weight)), f"{weight:g}"
    if temperature == 1 or not n:
        return Fraction(n), f"{n:,}"
    # nine digits, so that the last bits of a machine's pow() decide nothing
    return Fraction(f"{n**temperature:.8e}"), f"{n:,}^{temperature:g}"


def _most(parts: Sequence[_Part]) -> int:
    """The largest total for which no group runs out of words."""
    whole = sum(part.ratio for part in parts)
    limits = [part.limit * whole / part.ratio for part in parts if part.ratio and part.limit is not None]
    if not limits:
        raise ValueError("every source may repeat, so nothing limits the mixture; add total")
    return math.floor(min(limits))


def _with_total(spec: MixRecipe, parts: Sequence[_Part], total: int) -> list[Share]:
    sizes = largest_remainder(total, [part.ratio for part in parts])
    shares: list[Share] = [(0, Fraction(0), "")] * len(spec.sources)
    for part, size in zip(parts, sizes, strict=True):
        of = f"of group {part.name}" if spec.has_ratio else "of all"
        left, whole = size - part.held, sum(part.weights)
        if left < 0 or (left and not whole):
            kind = "more" if left < 0 else "less"
            hint = "lower them" if left < 0 else "raise one, or add a source that asks for nothing"
            raise ValueError(
                f"in group {part.name!r} counts and repeats come to {part.held}, {kind} than the {size} that "
                f"the ratio gives it of {total}; {hint}"
            )
        counts = largest_remainder(left, part.weights) if whole else [0] * len(part.open_)
        what = f"({size:,} - {part.held:,})" if part.held else f"{size:,}"
        sum_how = " + ".join(part.how) if len(part.how) < 4 else f"{float(whole):,.10g}"
        for i, count, weight, how in zip(part.open_, counts, part.weights, part.how, strict=True):
            exact = left * weight / whole if whole else Fraction(0)
            shares[i] = (count, exact, f"{what} {of} x {how} / ({sum_how})")
    return shares
