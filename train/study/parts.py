"""Parts of a study: words of one kind and origin, counted together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

Kind = Literal["real", "synthetic"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Words of one kind and origin that a study mixes with others.

    Attributes:
        name: What tables, plots, sentences and folders call it: ``real``, ``rendered``, ``stand-in``.
        kind: Whether the words are photographed or drawn.
        paths: Datasets it consists of.
        only: Rows with these names in the column ``source``, for datasets merged of several sets.
        count: Words to use of all that the datasets hold, validation not among them; None for all.
        note: What a reader must know of these words; it stands under every table and plot.
        price: What one more of these words costs, in any currency; None if nobody said.
    """

    name: str
    kind: Kind
    paths: tuple[Path, ...]
    only: tuple[str, ...] = ()
    count: int | None = None
    note: str = ""
    price: float | None = None

    def __post_init__(self) -> None:
        if not self.name or not all(c.isalnum() or c in "_-." for c in self.name) or self.name[0] in "-.":
            raise ValueError(
                f"name must be made of letters, digits, '_', '-' and '.', as folders are named after it, "
                f"got {self.name!r}"
            )
        if not self.paths:
            raise ValueError("paths must name at least one dataset")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be 1 or more, got {self.count}")
        if self.price is not None and self.price < 0:
            raise ValueError(f"price must be 0 or more, got {self.price:g}")


def split(n: int, sizes: Mapping[str, int]) -> dict[str, int]:
    """Take ``n`` words out of several parts in proportion to their sizes.

    Webster's method: of a greater ``n`` no part gets less, so that smaller cells are contained in larger
    ones, which largest remainders do not promise. Parts get within a word or two of their exact quota, and
    all they have if ``n`` is all there is.

    Args:
        n: Words to take, up to the sum of ``sizes``.
        sizes: Words of each part.
    """
    total, names = sum(sizes.values()), [name for name, size in sizes.items() if size]
    counts = {name: max(0, n * sizes[name] // total - len(names)) for name in names}
    for _ in range(n - sum(counts.values())):
        best = max(names, key=lambda name: (Fraction(sizes[name], 2 * counts[name] + 1), -names.index(name)))
        counts[best] += 1
    return {name: counts.get(name, 0) for name in sizes}


def named(parts: Sequence[Part], kind: Kind) -> str:
    """What a sentence calls all words of one kind: the part's own name if there is one alone."""
    names = [part.name for part in parts if part.kind == kind]
    return names[0] if len(names) == 1 else kind
