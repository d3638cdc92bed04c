"""Accuracy of groups of words: by length, by size, by any column of their datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.errors import UserError, unknown_name
from train.evaluation.metrics import wilson
from train.evaluation.scores import Measured

OWN = ("length", "width", "height", "aspect", "size", "set")  # what needs no column of that name
ALL_WHOLE = ("length",)  # of these every value is a group
FEW, N_BINS = 12, 5  # numbers with more different values than FEW go into bins of equally many words
MOST_TEXTS = 20  # the other texts are one group
NONE, ABSENT = "none", "no such column"


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Words that share a value. Shares are 0-1, the interval Wilson's of 95 %.

    Attributes:
        name: The value, or the least and the greatest value in the group.
        least: The least value, None where values are no numbers.
        greatest: The greatest value.
        n: How many words.
        n_correct: Words read without an error.
        accuracy: ``n_correct / n``.
        accuracy_low: Lower end of its interval.
        accuracy_high: Upper end.
        one_minus_ned: Mean 1-NED.
    """

    name: str
    least: float | None
    greatest: float | None
    n: int
    n_correct: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    one_minus_ned: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Slicing:
    """All words that took part, grouped by ``by``: numbers upwards, texts by frequency, then the rest."""

    by: str
    groups: tuple[Group, ...]


def refuse_unknown(columns: Iterable[str], datasets: Sequence[Dataset]) -> None:
    """Raise a UserError for a column that no dataset has, or one that cannot be grouped by."""
    kinds: dict[str, list[pa.DataType]] = {name: [] for name in OWN}
    for dataset in datasets:
        for name, kind in _columns(dataset).items():
            kinds.setdefault(name, []).append(kind)
    usable = {name for name, found in kinds.items() if not any(map(pa.types.is_nested, found))}
    for name in columns:
        if name in kinds and name not in usable:
            raise UserError(f"column {name} holds no single values. Give --by another column.")
        if name not in usable:
            raise unknown_name("column", name, usable, where="--by")


def slice_by(by: str, measured: Sequence[Measured]) -> Slicing:
    """Group the words of all sets by the column ``by``, which ``refuse_unknown`` has let pass."""
    values = [_values(by, one) for one in measured]
    correct = np.concatenate([one.correct for one in measured])
    alike = np.concatenate([one.alike for one in measured])
    if all(column.dtype.kind == "f" for column in values if column is not None):
        numbers = [
            np.full(one.score.n_used, np.nan) if v is None else v
            for one, v in zip(measured, values, strict=True)
        ]
        absent = np.repeat([v is None for v in values], [one.score.n_used for one in measured])
        groups = _by_number(np.concatenate(numbers), absent, every=by in ALL_WHOLE)
    else:
        texts: list[str] = []
        for one, column in zip(measured, values, strict=True):
            texts += [ABSENT] * one.score.n_used if column is None else [_text(v) for v in column.tolist()]
        groups = _by_text(texts)
    made = [_group(name, span, correct[here], alike[here]) for name, span, here in groups]
    return Slicing(by=by, groups=tuple(made))


Found = tuple[str, tuple[float | None, float | None], NDArray[np.int64]]  # name, least and greatest, words


def _by_number(values: NDArray[np.float64], absent: NDArray[np.bool_], *, every: bool) -> list[Found]:
    known = np.isfinite(values)
    distinct = np.unique(values[known])
    found: list[Found] = []
    if every or len(distinct) <= FEW:
        for value in distinct.tolist():
            found.append((_named(value), (value, value), np.flatnonzero(values == value)))
    else:
        edges = np.unique(np.quantile(values[known], np.arange(1, N_BINS) / N_BINS))
        at = np.searchsorted(edges, values, side="right")
        for number in range(len(edges) + 1):
            here = np.flatnonzero(known & (at == number))
            if len(here):
                least, greatest = float(values[here].min()), float(values[here].max())
                found.append((f"{_rounded(least)} to {_rounded(greatest)}", (least, greatest), here))
    for name, of in ((NONE, ~known & ~absent), (ABSENT, absent)):
        if of.any():
            found.append((name, (None, None), np.flatnonzero(of)))
    return found


def _by_text(texts: Sequence[str]) -> list[Found]:
    counted = Counter(texts)
    lacking = [name for name in (NONE, ABSENT) if counted.pop(name, 0)]
    counts = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    shown = [text for text, _ in counts[:MOST_TEXTS]]
    others = [f"{len(counts) - len(shown)} others"] if len(counts) > len(shown) else []
    names = [*shown, *others, *lacking]
    place = {text: names.index(text) for text in (*shown, *lacking)}
    at = np.array([place.get(text, len(shown)) for text in texts])
    return [(name, (None, None), np.flatnonzero(at == i)) for i, name in enumerate(names)]


def _group(
    name: str, span: tuple[float | None, float | None], correct: NDArray[np.bool_], alike: NDArray[np.float64]
) -> Group:
    n, n_correct = len(correct), int(np.count_nonzero(correct))
    low, high = wilson(n_correct, n)
    return Group(
        name=name,
        least=span[0],
        greatest=span[1],
        n=n,
        n_correct=n_correct,
        accuracy=n_correct / n,
        accuracy_low=low,
        accuracy_high=high,
        one_minus_ned=float(alike.mean()),
    )


def _values(by: str, one: Measured) -> NDArray[Any] | None:
    """The words' values: float64 with NaN for none, or objects; None where the dataset has no such column."""
    if by == "length":
        return np.asarray(one.table["length"].to_numpy(), float)
    if by == "set":
        return np.full(one.score.n_used, one.score.name, object)
    if by in ("aspect", "size"):
        width, height = (_column(one, name).astype(float) for name in ("width", "height"))
        return width / np.maximum(height, 1) if by == "aspect" else width * height
    return _column(one, by) if by in _columns(one.dataset) else None


def _column(one: Measured, name: str) -> NDArray[Any]:
    table = one.dataset.table([name])
    column = table.column(0).combine_chunks() if table.num_columns else pa.nulls(0)
    for part in name.split(".")[1:]:
        column = column.field(part)
    column = column.take(pa.array(one.rows))
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), float)
    return np.array(column.to_pylist(), object)


def _columns(dataset: Dataset) -> dict[str, pa.DataType]:
    """The columns of ``dataset`` and, with a dot, the decisions of rendered words."""
    found: dict[str, pa.DataType] = {}
    for field in dataset.schema():
        found[field.name] = field.type
        if field.name == "render":
            found |= {f"render.{part.name}": part.type for part in field.type}
    return found


def _text(value: Any) -> str:
    return NONE if value is None or value == "" else str(value)


def _named(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"
