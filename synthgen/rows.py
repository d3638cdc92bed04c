"""Planned rows, each drawn from its plan, or from the next attempt's if it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
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
        try:
            drawn = engine.draw(row)
        except UnfitError as error:
            reason = str(error)
        else:
            return drawn, {"index": index, "attempt": attempt, "redrawn_because": reason, **row}, reason
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


# The engine is compared by identity: hashing its fields for each row would cost more than the lookup saves.
_planned: dict[tuple[int, int, int], tuple[Engine, int, list[str], list[Any]]] = {}


def _row(engine: Engine, seed: int, index: int, attempt: int) -> Row:
    """One planned row; the block last used is kept for each attempt.

    Of a first attempt all rows are needed, of a later one a few: those stay columns.
    """
    key, block, at = (id(engine), seed, attempt), index // BLOCK, index % BLOCK
    kept = _planned.get(key)
    if kept is None or kept[0] is not engine or kept[1] != block:
        columns = engine.plan(seed, block, attempt)
        values: list[Any] = list(columns.values())
        if attempt == 0:
            values = list(zip(*(column.tolist() for column in values), strict=True))
        kept = engine, block, list(columns), values
        if len(_planned) > 4 * ATTEMPTS:
            _planned.clear()
        _planned[key] = kept
    _, _, names, values = kept
    row = values[at] if attempt == 0 else [column[at : at + 1].tolist()[0] for column in values]
    return dict(zip(names, row, strict=True))
