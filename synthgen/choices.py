"""Deciding which components act on a word, for a whole block of words at once."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.errors import UserError

Columns = dict[str, np.ndarray]
Streams = Callable[..., np.random.Generator]  # key of a decision -> its own generator


def check_share(name: str, share: float, *, at_most_one: bool = False) -> None:
    """Raise a ValueError unless ``share`` is a weight (0 or more), or a fraction if ``at_most_one``."""
    if not math.isfinite(share) or share < 0 or (at_most_one and share > 1):
        raise ValueError(f"{name} must be {'from 0 to 1' if at_most_one else '0 or more'}, got {share:g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """What every component that stands for one of several has beside it in a recipe.

    Attributes:
        share: Its weight among the others.
    """

    share: float

    def __post_init__(self) -> None:
        check_share("share", self.share)


@dataclass(frozen=True, kw_only=True, slots=True)
class Portion:
    """What every component that acts on some of the words has beside it in a recipe.

    Attributes:
        share: Share of words, 0 to 1.
    """

    share: float

    def __post_init__(self) -> None:
        check_share("share", self.share, at_most_one=True)


def check_range(name: str, pair: tuple[float, float], least: float, most: float = math.inf) -> None:
    """Raise a ValueError unless ``pair`` lies between ``least`` and ``most``, both included."""
    if not least <= pair[0] <= pair[1] <= most:
        limits = f"from {least:g} to {most:g}" if most < math.inf else f"{least:g} or more"
        raise ValueError(f"{name} must be {limits}, got {list(pair)}")


def pick(rng: np.random.Generator, weights: Sequence[float], n: int) -> np.ndarray:
    """Draw ``n`` positions in proportion to ``weights``, shape (n,) int."""
    edges = np.cumsum(np.asarray(weights, float))
    return np.minimum(np.searchsorted(edges, rng.random(n) * edges[-1], side="right"), len(edges) - 1)


def kinds(components: Sequence[Any]) -> list[str]:
    """The components' names.

    Raises:
        ValueError: two have the same name, so that their columns would fall on each other.
    """
    return distinct([component.kind for component in components], "each component may stand once")


def distinct(names: Sequence[str], rule: str) -> list[str]:
    """The names as they are; raises a ValueError that ends in ``rule`` if two are the same."""
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{doubled[0]!r} stands twice; {rule}")
    return list(names)


def only_where(used: np.ndarray, columns: Columns) -> Columns:
    """Blank the rows that do not use a component: 0 or an empty text, so that nobody reads a draw in vain."""
    blanks = {key: "" if column.dtype == object else column.dtype.type(0) for key, column in columns.items()}
    return {key: np.where(used, column, blanks[key]) for key, column in columns.items()}


def plan_one_of(
    stage: str, components: Sequence[Any], shares: Sequence[float], rng: Streams, n: int
) -> Columns:
    """Give each word one of ``components``: column ``stage`` names it, ``<stage>_<kind>_*`` say how."""
    names = kinds(components)
    which = pick(rng(stage), shares, n)
    columns: Columns = {stage: np.array(names, object)[which]}
    for i, component in enumerate(components):
        planned = only_where(which == i, component.plan(rng(stage, names[i]), n))
        columns |= {f"{stage}_{names[i]}_{key}": column for key, column in planned.items()}
    return columns


def plan_each(
    names: Sequence[str], components: Sequence[Any], shares: Sequence[float], rng: Streams, n: int
) -> Columns:
    """Give each word each of ``components`` or not: column ``<name>`` says whether, ``<name>_*`` how.

    Raises:
        UserError: a name given in the recipe makes a column that another component has.
    """
    columns: Columns = {}
    for name, component, share in zip(names, components, shares, strict=True):
        used = rng(name, "share").random(n) < share
        planned = only_where(used, component.plan(rng(name), n))
        own = {name: used} | {f"{name}_{key}": column for key, column in planned.items()}
        if doubled := sorted(columns.keys() & own.keys()):
            raise UserError(f"two effects have a column {doubled[0]!r}. Give the one another name.")
        columns |= own
    return columns


@dataclass(frozen=True)
class Bound:
    """A component and where its arguments stand in a row."""

    name: str
    component: Any
    columns: tuple[tuple[str, str], ...]
    asks_for: frozenset[str] = frozenset()  # what of the word itself it wants to see

    @classmethod
    def of(cls, component: Any, prefix: str) -> Bound:
        """Bind ``component`` to the columns that start with ``prefix``, which is also its name."""
        keys = component.plan(np.random.default_rng(0), 1)
        asks_for = frozenset(inspect.signature(component.apply).parameters) & {"letters", "ink"}
        return cls(prefix, component, tuple((key, f"{prefix}_{key}") for key in keys), asks_for)

    def arguments(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What ``row`` says for the component, by the names that its plan gave."""
        return {key: row[name] for key, name in self.columns}

    def apply(self, subject: np.ndarray, row: Mapping[str, Any], **more: Any) -> np.ndarray:
        """Let the component act on ``subject`` as ``row`` says."""
        changed: np.ndarray = self.component.apply(
            subject, **more, **{key: row[name] for key, name in self.columns}
        )
        return changed

    def seeing(self, **word: Any) -> dict[str, Any]:
        """Of the facts about a word, those that the component's ``apply`` has a parameter for."""
        return {key: fact for key, fact in word.items() if key in self.asks_for}


def join(*parts: Columns) -> Columns:
    """All columns in one table, as narrow as they can be stored and still be drawn from exactly.

    Raises:
        ValueError: two parts have a column of the same name (a programming error, so not a UserError).
    """
    columns: Columns = {}
    for part in parts:
        if doubled := columns.keys() & part.keys():
            raise ValueError(f"two decisions are called {sorted(doubled)}")
        columns |= part
    return {key: _narrow(column) for key, column in columns.items()}


def _narrow(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind == "f":
        return column.astype(np.float32)
    return column.astype(np.int32) if column.dtype.kind in "iu" and column.dtype.itemsize > 4 else column
