"""How many positions each source of a mixture gets, in whole numbers and with the arithmetic behind them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from curation.core.errors import UserError
from curation.mix_recipe import MixRecipe, MixSource
from curation.schedule import MOST_POSITIONS, largest_remainder
from curation.sharing import share_out


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What a source gets.

    Attributes:
        positions: How many.
        exact: How many before rounding.
        why: The arithmetic in words: ``6,000,000 of group real x 855,000 / 6,420,000``.
    """

    positions: int
    exact: Fraction
    why: str


def resolve(spec: MixRecipe, available: Sequence[int], *, where: str) -> list[Quota]:
    """Turn counts, shares, weights and ratios into one number of positions for each source.

    Args:
        spec: The recipe.
        available: How many words each source has.
        where: The recipe's name, for messages.

    Raises:
        UserError: the numbers do not add up, or a source has fewer words than asked for.
    """
    fixed = [_fixed(source, n, spec) for source, n in zip(spec.sources, available, strict=True)]
    try:
        quotas = _quotas(spec, fixed, available)
    except ValueError as error:
        raise UserError(f"{where}: {error}.") from None
    for source, quota, n in zip(spec.sources, quotas, available, strict=True):
        count = quota.positions
        if count > n and (not source.may_repeat or not n):
            remedy = "or set repeat = true" if n else "or add datasets"
            raise UserError(
                f"{where}: source {source.name!r} has {n} words, fewer than the {count} asked for. "
                f"Ask for less, {remedy}."
            )
    total = sum(quota.positions for quota in quotas)
    if not total:
        raise UserError(f"{where}: the mixture would be empty. Ask for at least one word.")
    if total >= MOST_POSITIONS:
        raise UserError(
            f"{where}: {total} positions are more than the {MOST_POSITIONS - 1} a mixture can have. "
            "Ask for less: training goes over a mixture as often as it needs."
        )
    return quotas if spec.batch is None else _in_batches(spec, quotas, where)


def _fixed(source: MixSource, available: int, spec: MixRecipe) -> Quota | None:
    """What a source gets whatever the total and the other sources are; None if it depends on them."""
    if source.count is not None:
        return Quota(positions=source.count, exact=Fraction(source.count), why=f"count {source.count:,}")
    if source.times is not None:
        exact = Fraction(str(source.times)) * available
        why = f"{source.times:g} times the {available:,} available"
        return Quota(positions=math.floor(exact + Fraction(1, 2)), exact=exact, why=why)
    if not source.asks() and not spec.by_group:
        return Quota(positions=available, exact=Fraction(available), why=f"all {available:,} available")
    return None


def _quotas(spec: MixRecipe, fixed: Sequence[Quota | None], available: Sequence[int]) -> list[Quota]:
    """Fill in what ``fixed`` leaves open."""
    counts = [None if quota is None else quota.positions for quota in fixed]
    if spec.by_group:
        open_ = [Quota(positions=n, exact=x, why=why) for n, x, why in share_out(spec, counts, available)]
    else:
        open_ = _split(spec, counts, available)
    return [o if quota is None else quota for quota, o in zip(fixed, open_, strict=True)]


def _split(spec: MixRecipe, fixed: Sequence[int | None], available: Sequence[int]) -> list[Quota]:
    """Shares and weights of a mixture without a ratio; numbers are read as decimals, so 0.1 is one tenth."""
    sources = spec.sources
    shares = [Fraction(str(s.part or 0)) for s in sources]
    weights = [Fraction(str(s.weight or 0)) for s in sources]
    held = sum(count or 0 for count in fixed)
    total = _total(spec, held, shares, weights, available)
    left = total - held - total * sum(shares)
    asked = round(total - left)
    if left <= -1:
        raise ValueError(f"counts and shares come to {asked}, more than the total of {total}; lower them")
    if sum(weights):
        parts = [total * s + max(left, 0) * w / sum(weights) for s, w in zip(shares, weights, strict=True)]
    elif left >= 1:
        raise ValueError(
            f"counts and shares come to {asked}, less than the total of {total}; raise one, or drop total"
        )
    else:
        parts = [total * share for share in shares]
    open_ = largest_remainder(total - held, parts) if any(parts) else [0] * len(sources)
    scale = (total - held) / sum(parts) if any(parts) else Fraction(0)
    return [
        Quota(
            positions=count,
            exact=part * scale,
            why=f"{float(max(left, 0)):,.10g} left of {total:,} x {source.weight:g} / {float(sum(weights)):g}"
            if source.weight is not None
            else f"{source.part or 0:g} of {total:,}",
        )
        for source, count, part in zip(sources, open_, parts, strict=True)
    ]


def _total(
    spec: MixRecipe,
    held: int,
    shares: Sequence[Fraction],
    weights: Sequence[Fraction],
    available: Sequence[int],
) -> int:
    if spec.total is not None:
        return spec.total
    whole = sum(shares)
    if not sum(weights):
        if whole >= 1 or (whole and not held):
            raise ValueError("shares alone do not say how many words; add total, or a source with a count")
        return round(held / (1 - whole))
    if held or whole:
        raise ValueError("weights beside counts or shares need a total; add total")
    limits = [
        n * sum(weights) / weight
        for source, n, weight in zip(spec.sources, available, weights, strict=True)
        if weight and not source.may_repeat
    ]
    if not limits:
        raise ValueError("every source may repeat, so nothing limits the mixture; add total")
    return math.floor(min(limits))  # no quota exceeds what there is, so none is rounded above it


def _in_batches(spec: MixRecipe, quotas: Sequence[Quota], where: str) -> list[Quota]:
    """Round each outermost group, or source if there are none, to whole words a batch; no source grows."""
    # a source without a group may be called like a group
    names = [source.group.split("/")[0] + "/" if source.group else source.name for source in spec.sources]
    members = {name: [i for i, of in enumerate(names) if of == name] for name in dict.fromkeys(names)}
    sizes = [sum(quotas[i].positions for i in of) for of in members.values()]
    batch = spec.batch or 1
    each = largest_remainder(batch, [Fraction(size) for size in sizes])
    for name, size, words in zip(members, sizes, each, strict=True):
        if size and not words:
            raise UserError(
                f"{where}: {name.rstrip('/')!r} has {size} of {sum(sizes)} positions, less than half a word "
                f"in a batch of {batch}. Raise batch, or put small sources into a group."
            )
    n_batches = min(size // words for size, words in zip(sizes, each, strict=True) if words)
    if not n_batches:
        raise UserError(
            f"{where}: {sum(sizes)} positions do not fill one batch of {batch}. Lower batch or ask for more."
        )
    rounded = list(quotas)
    for of, size, words in zip(members.values(), sizes, each, strict=True):
        goal = n_batches * words
        parts = [Fraction(quotas[i].positions * goal, size or 1) for i in of]
        counts = largest_remainder(goal, parts) if goal else [0] * len(of)
        for i, count, exact in zip(of, counts, parts, strict=True):
            why = f"{quotas[i].why}, scaled to {words:,} of {batch:,} in {n_batches:,} batches"
            rounded[i] = Quota(positions=count, exact=exact, why=why)
    return rounded
