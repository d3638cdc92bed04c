"""Planned rows, each drawn from its plan, or from the next attempt's if it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from synthgen.engines import BLOCK, Drawn, Engine, UnfitError

ATTEMPTS = 10
Row = dict[str, Any]


def draw(engine: Engine, seed: int, index: int) -> tuple[Drawn | None, Row, str]:
    """Draw word ``index``, from the plan of the next attempt as often as it cannot be read.

    Returns:
        The word, or None after ``ATTEMPTS``; its row, with ``index``, ``attempt`` and
        ``redrawn_because``; and why the last failed attempt failed, empty if none did.
    """
    reason = ""
    for attempt in range(ATTEMPTS):
        row = _row(engine, seed, index, attempt)
        row |= {"index": index, "attempt": attempt, "redrawn_because": reason}
        try:
            drawn = engine.draw(row)
        except UnfitError as error:
            reason = str(error)
        else:
            return drawn, row, reason
    return None, {}, reason


def row_type(columns: Mapping[str, np.ndarray]) -> pa.StructType:
    """The Arrow type of the column ``render``: the plan's columns and where a row stands in the plan."""
    own = [("index", pa.int64()), ("attempt", pa.int32()), ("redrawn_because", pa.string())]
    return pa.struct(
        own
        + [
            (name, pa.string() if column.dtype == object else pa.from_numpy_dtype(column.dtype))
            for name, column in columns.items()
        ]
    )


@dataclass(frozen=True)
class _Block:
    """A planned block, laid out so that one row is read with few calls.

    Attributes:
        engine: What planned it; compared by identity, for hashing its fields costs more than is saved.
        number: Which block it is.
        blank: A row with the names in the order of the columns, to be copied and filled.
        names: The names in the order in which ``stacks`` have them.
        stacks: The columns of each type beside one another, (BLOCK, n).
    """

    engine: Engine
    number: int
    blank: Row
    names: list[str]
    stacks: list[np.ndarray]

    @classmethod
    def of(cls, engine: Engine, number: int, columns: Mapping[str, np.ndarray]) -> _Block:
        alike: dict[np.dtype[Any], list[str]] = {}
        for name, column in columns.items():
            alike.setdefault(column.dtype, []).append(name)
        stacks = [np.stack([columns[name] for name in names], axis=1) for names in alike.values()]
        blank = dict.fromkeys(["index", "attempt", "redrawn_because", *columns])
        return cls(engine, number, blank, [name for names in alike.values() for name in names], stacks)

    def row(self, at: int) -> Row:
        row = self.blank.copy()
        row.update(zip(self.names, chain.from_iterable([s[at].tolist() for s in self.stacks]), strict=True))
        return row


_planned: dict[tuple[int, int, int], _Block] = {}


def _row(engine: Engine, seed: int, index: int, attempt: int) -> Row:
    """One planned row, new; the block last used is kept for each attempt."""
    key, number = (id(engine), seed, attempt), index // BLOCK
    block = _planned.get(key)
    if block is None or block.engine is not engine or block.number != number:
        block = _Block.of(engine, number, engine.plan(seed, number, attempt))
        if len(_planned) > 4 * ATTEMPTS:
            _planned.clear()
        _planned[key] = block
    return block.row(index % BLOCK)
