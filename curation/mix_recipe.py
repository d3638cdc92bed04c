"""What a mixture recipe says, and how many positions each of its sources gets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from curation.core import recipe
from curation.core.errors import UserError
from curation.schedule import MOST_POSITIONS, largest_remainder


@dataclass(frozen=True, kw_only=True)
class MixSource:
    """One source of words. With neither ``weight``, ``count`` nor ``share`` all its words are taken once.

    Attributes:
        name: What tables call it, such as ``real``.
        paths: The folders of its datasets; their words are drawn as if they were one dataset.
        weight: Its part, against the other weights, of what counts and shares leave over. Without a total
            the mixture is as large as the source that runs out first allows.
        count: Its number of positions.
        share: Its part of all positions, 0-1.
        repeat: Whether words may come more than once in one pass when more are asked for than there are.
    """

    name: str
    paths: tuple[Path, ...]
    weight: float | None = None
    count: int | None = None
    share: float | None = None
    repeat: bool = False

    def __post_init__(self) -> None:
        asked = [key for key in ("weight", "count", "share") if getattr(self, key) is not None]
        if not self.paths:
            raise ValueError(f"source {self.name!r} has no paths; give the folder of at least one dataset")
        if len(asked) > 1:
            raise ValueError(f"source {self.name!r} has both {' and '.join(asked)}; keep one of them")
        if (self.weight or 0) < 0 or (self.count or 0) < 0:
            raise ValueError(f"{asked[0]} must be 0 or more, got {self.weight or self.count}")
        if self.share is not None and not 0 <= self.share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {self.share}")

    def asked(self) -> str:
        """How much the recipe asks for, as a table shows it: ``weight 1.0``, ``all``."""
        for key in ("weight", "count", "share"):
            if (value := getattr(self, key)) is not None:
                return f"{key} {value}"
        return "all"


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Words held out of the mixture, the same ones for every volume and ratio with this seed.

    Attributes:
        source: The name of the source that they are taken from.
        count: How many.
    """

    source: str
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be 1 or more, got {self.count}")


@dataclass(frozen=True, kw_only=True)
class MixRecipe:
    """A mixture of words from datasets.

    Attributes:
        sources: Where the words come from, and how many from each.
        protocol: Words whose label falls out under this protocol are left out.
        total: Number of positions in one pass; None if counts, shares and what there is decide it.
        validation: What to hold out.
    """

    sources: tuple[MixSource, ...]
    protocol: str = "parseq36"
    total: int | None = None
    validation: Validation | None = None

    def __post_init__(self) -> None:
        names = [source.name for source in self.sources]
        if not names:
            raise ValueError("there are no sources; add a table [[sources]]")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are called {name!r}; give each a name of its own")
        if self.total is not None and self.total < 1:
            raise ValueError(f"total must be 1 or more, got {self.total}")
        if self.validation is not None and self.validation.source not in names:
            known = ", ".join(names)
            raise ValueError(f"validation names the source {self.validation.source!r}; known: {known}")


def load_mix(path: Path) -> MixRecipe:
    """Read a mixture recipe from a TOML file.

    Raises:
        UserError: the file is missing, or something in it does not fit.
    """
    return recipe.load(path, MixRecipe)


def resolve(spec: MixRecipe, available: Sequence[int], *, where: str) -> list[int]:
    """Turn counts, shares and weights into one number of positions for each source.

    Args:
        spec: The recipe.
        available: How many words each source has.
        where: The recipe's name, for messages.

    Raises:
        UserError: the numbers do not add up, or a source has fewer words than asked for.
    """
    counts: list[int | None] = []
    for source, n in zip(spec.sources, available, strict=True):
        counts.append(n if source.asked() == "all" else source.count)
    try:
        resolved = _split(spec, counts, available)
    except ValueError as error:
        raise UserError(f"{where}: {error}.") from None
    for source, count, n in zip(spec.sources, resolved, available, strict=True):
        if count > n and (not source.repeat or not n):
            remedy = "or set repeat = true" if n else "or add datasets"
            raise UserError(
                f"{where}: source {source.name!r} has {n} words, fewer than the {count} asked for. "
                f"Ask for less, {remedy}."
            )
    if not sum(resolved):
        raise UserError(f"{where}: the mixture would be empty. Ask for at least one word.")
    if sum(resolved) >= MOST_POSITIONS:
        raise UserError(
            f"{where}: {sum(resolved)} positions are more than the {MOST_POSITIONS - 1} a mixture can have. "
            "Ask for less: training goes over a mixture as often as it needs."
        )
    return resolved


def _split(spec: MixRecipe, fixed: Sequence[int | None], available: Sequence[int]) -> list[int]:
    """Fill in the counts that ``fixed`` leaves open; numbers are read as decimals, so 0.1 is one tenth."""
    sources = spec.sources
    shares = [Fraction(str(s.share or 0)) for s in sources]
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
    return [part if count is None else count for count, part in zip(fixed, open_, strict=True)]


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
        if weight and not source.repeat
    ]
    if not limits:
        raise ValueError("every source may repeat, so nothing limits the mixture; add total")
    return math.floor(min(limits))  # no quota exceeds what there is, so none is rounded above it
