"""What filters and repairs promise."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from curation.core.registry import Registry
from curation.filters.rows import Rows

filters: Registry[Any] = Registry("filter")


class Drop(NamedTuple):
    """Rows that fall out for one reason.

    Attributes:
        reason: Short and fixed.
        rows: (N,) which rows.
        detail: Says of a row, by its index in the batch, what was found.
    """

    reason: str
    rows: NDArray[np.bool_]
    detail: Callable[[int], str]


@runtime_checkable
class Filter(Protocol):
    """Drops words. Implementations are frozen dataclasses; their fields are a recipe's keys.

    One that looks at pictures has the class attribute ``looks = True``. What it must read from
    files or from all words beforehand it tells by the methods of ``Prepared`` or ``Surveying``.

    Attributes:
        reasons: Each reason that it may give.
    """

    kind: ClassVar[str]
    reasons: ClassVar[tuple[str, ...]]

    def drops(self, rows: Rows) -> Iterator[Drop]:
        """Yield the rows that fall out. Of a row that falls out more than once, the first reason counts.

        Whatever it says of rows that are not alive is ignored.
        """
        ...


@runtime_checkable
class Repair(Protocol):
    """Changes labels. What a label was is kept in the column ``label_published``, and repairs are counted."""

    kind: ClassVar[str]

    def repaired(self, label: str) -> str:
        """Return the label as it should be, which may be the same; a pure function."""
        ...


@runtime_checkable
class Prepared(Protocol):
    """A filter that reads files before it can work."""

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of those files by their paths; the result depends on them.

        Raises:
            UserError: a file is missing.
        """
        ...

    def prepared(self) -> Filter:
        """Return the filter that does the work; it is sent to worker processes."""
        ...


@runtime_checkable
class Surveying(Protocol):
    """A filter that must have seen all words before it can judge one: repeated labels, repeated uids."""

    def look(self, rows: Rows) -> NDArray[np.uint64]:
        """(N, K) what is worth knowing of each row; some 16 bytes a row are kept."""
        ...

    def settled(self, seen: NDArray[np.uint64], numbers: NDArray[np.int64]) -> Filter:
        """Return the filter that does the work; it is sent to worker processes.

        Args:
            seen: (M, K) what ``look`` said of the rows that the filters before this one leave, in order.
            numbers: (M,) the rows' numbers over all datasets, rising.
        """
        ...


def known(what: str, name: str, names: Iterable[str]) -> None:
    """Refuse a name that is not among ``names``; the recipe reader adds the position."""
    names = sorted(names)
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=3) or names
    raise ValueError(f"unknown {what} {name!r}; known: {', '.join(near)}")


def in_order(least: float, greatest: float, names: Sequence[str]) -> None:
    """Refuse a least value above the greatest."""
    if least > greatest:
        raise ValueError(f"{names[0]} is {least:g}, more than {names[1]}, {greatest:g}; nothing would stay")


def positive(**values: float) -> None:
    """Refuse values that are not above 0."""
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"{name} must be above 0, got {value:g}")


def n_letters(label: str) -> int:
    """Characters that take up width: neither white space nor marks that sit on others."""
    if label.isascii():
        return len(label) - sum(map(label.count, " \t"))
    return sum(not c.isspace() and not unicodedata.combining(c) for c in label)
