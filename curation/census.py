"""Counting what datasets hold in one pass over their columns, whole columns at a time."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.labels import PROTOCOLS
from curation.core.pool import progress
from curation.words import hash_texts, key, mix64

COLUMNS = ["label", "source", "split", "licence", "width", "height"]
COPY_COLUMNS = ["sha256", "dhash128"]
LONGEST = 1_000  # characters, and times as wide as high: what is beyond counts as this
LOW_PX = 8  # lower pictures can hardly be read, by machine or man
Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]


@dataclass
class Census:
    """What was counted; memory grows with the number of different values.

    Attributes:
        groups: Rows by source, split and licence.
        lengths: Labels by their length in characters.
        widths: Pictures by width in pixels.
        heights: By height.
        aspects: By width over height, to 0.01.
        characters: Occurrences of each character in labels.
        fallen: Labels that fall out, by protocol and reason.
        odd: Words with what is rarely meant, by what it is: ``space_around``, ``control_character``,
            ``low``, ``upright`` (higher than wide).
    """

    groups: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    widths: Counter[int] = field(default_factory=Counter)
    heights: Counter[int] = field(default_factory=Counter)
    aspects: Counter[float] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    fallen: Counter[tuple[str, str]] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)

    @property
    def n_rows(self) -> int:
        """How many words were counted."""
        return self.groups.total()

    def add(self, table: pa.Table) -> None:
        """Count the rows of ``table``, which has the columns ``COLUMNS``."""
        groups = ["source", "split", "licence"]
        for row in table.select(groups).group_by(groups).aggregate([([], "count_all")]).to_pylist():
            self.groups[row["source"] or "", row["split"] or "", row["licence"] or ""] += row["count_all"]
        labels = table["label"].fill_null("")
        _count(self.lengths, np.minimum(pc.utf8_length(labels).to_numpy(), LONGEST))
        width, height = (table[name].fill_null(0).to_numpy() for name in ("width", "height"))
        _count(self.widths, width)
        _count(self.heights, height)
        _count(self.aspects, np.minimum(np.round(width / np.maximum(height, 1), 2), LONGEST))
        self.odd["low"] += int(np.count_nonzero(height < LOW_PX))
        self.odd["upright"] += int(np.count_nonzero(height > width))
        self._add_labels(labels)

    def _add_labels(self, labels: pa.ChunkedArray) -> None:
        """Look at each different label once."""
        counted = labels.value_counts()
        texts, times = counted.field("values").to_pylist(), counted.field("counts").to_numpy()
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        values, inverse = np.unique(codes, return_inverse=True)
        occurrences = np.bincount(inverse, np.repeat(times, lengths), len(values))
        self.characters.update(
            {chr(v): int(n) for v, n in zip(values.tolist(), occurrences.tolist(), strict=True)}
        )
        for text, n in zip(texts, times.tolist(), strict=True):
            for verdict in _verdicts(text):
                self.fallen[verdict] += n
            if text != text.strip():
                self.odd["space_around"] += n
            if not text.isprintable():
                self.odd["control_character"] += n


def _count(into: Counter[Any], values: NDArray[Any]) -> None:
    found, n = np.unique(values, return_counts=True)
    into.update(dict(zip(found.tolist(), n.tolist(), strict=True)))


@functools.lru_cache(maxsize=1 << 17)  # words repeat; the most frequent ones are most of any set
def _verdicts(label: str) -> list[tuple[str, str]]:
    verdicts = ((name, protocol.normalise(label)[1]) for name, protocol in PROTOCOLS.items())
    return [(name, reason) for name, reason in verdicts if reason is not None]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A census, and what telling copies and showing words takes: 25 bytes a row.

    Attributes:
        census: The counts.
        labels: (N,) hash of each row's label.
        bytes: (N,) hash of its picture's bytes.
        alike: (N,) hash of its label and dhash; 0 where it has no dhash.
        splits: (N,) number of its split, by first appearance.
        samples: Of each source, by name, row numbers chosen by ``seed`` alone.
    """

    census: Census
    labels: Hashes
    bytes: Hashes
    alike: Hashes
    splits: NDArray[np.uint8]
    samples: dict[str, Rows]


def count(datasets: Sequence[Dataset]) -> Census:
    """Count what ``datasets`` hold, from few columns."""
    census = Census()
    with progress(sum(map(len, datasets)), " words", "inspect") as bar:
        for dataset in datasets:
            for table in dataset.tables(COLUMNS):
                census.add(table)
                bar.update(len(table))
    return census


def look(datasets: Sequence[Dataset], *, seed: int, per_source: int, most_sources: int) -> Looked:
    """Count what ``datasets`` hold, their rows numbered on, and choose rows of each source at random.

    Args:
        datasets: Taken as one.
        seed: Decides which rows are chosen.
        per_source: How many rows of each source.
        most_sources: Of how many sources; the first ones to appear.
    """
    n_rows = sum(map(len, datasets))
    census, chooser = Census(), _Chooser(key(seed, "inspect"), per_source, most_sources)
    hashes = {name: np.zeros(n_rows, np.uint64) for name in ("labels", "bytes", "alike")}
    splits, seen = np.zeros(n_rows, np.uint8), dict[str, int]()
    at = 0
    with progress(n_rows, " words", "inspect") as bar:
        for dataset in datasets:
            for table in dataset.tables([*COLUMNS, *COPY_COLUMNS]):
                census.add(table)
                here = slice(at, at + len(table))
                hashes["labels"][here] = hash_texts(table["label"].fill_null(""), 0)
                hashes["bytes"][here] = hash_texts(table["sha256"].fill_null(""), 0)
                dhash = hash_texts(table["dhash128"].fill_null(""), 0)
                known = table["dhash128"].is_valid().to_numpy()
                hashes["alike"][here] = np.where(known, mix64(dhash ^ mix64(hashes["labels"][here])), 0)
                splits[here] = _codes(table["split"], seen)
                chooser.offer(table["source"], at)
                at += len(table)
                bar.update(len(table))
    return Looked(census=census, splits=splits, samples=chooser.chosen(), **hashes)


def _codes(column: pa.ChunkedArray, seen: dict[str, int]) -> NDArray[np.uint8]:
    """Number the values of ``column`` by first appearance; the 256th and later ones share a number."""
    encoded = column.fill_null("").combine_chunks().dictionary_encode()
    numbers = [min(seen.setdefault(text, len(seen)), 255) for text in encoded.dictionary.to_pylist()]
    return np.array(numbers, np.uint8)[encoded.indices.to_numpy()]


class _Chooser:
    """Keeps the rows of least random number, source by source: a sample whatever the order of reading."""

    def __init__(self, key: int, per_source: int, most_sources: int) -> None:
        self._key, self._per_source, self._most_sources = np.uint64(key), per_source, most_sources
        self._rows: dict[str, Rows] = {}

    def offer(self, sources: pa.ChunkedArray, first: int) -> None:
        encoded = sources.fill_null("").combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy()
        for code, name in enumerate(encoded.dictionary.to_pylist()):
            if name not in self._rows and len(self._rows) >= self._most_sources:
                continue
            rows = np.concatenate(
                [self._rows.get(name, np.empty(0, np.int64)), first + np.flatnonzero(codes == code)]
            )
            order = np.argsort(mix64(rows.astype(np.uint64) ^ self._key), kind="stable")
            self._rows[name] = rows[order[: self._per_source]]

    def chosen(self) -> dict[str, Rows]:
        return {name: np.sort(rows) for name, rows in sorted(self._rows.items())}
