"""Finding leaks: which words to train on copy which words of the tests, and by what one can tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation import near
from curation.evidence import SPLITS, Evidence
from curation.leak_recipe import DecontaminateRecipe, Level
from curation.lookalikes import agreements, lookalikes
from curation.near import Pairs
from curation.sketches import scratch

Rows = NDArray[np.int64]
HELD = 1 << 20  # pairs that wait before they are thinned out
COLUMNS = ("keys", "rank", "distance", "left", "right")
LEAST_EDGES = 16  # brightness changes along a hash's rows; of real words 1 in 1,000 has fewer than 21
WITHIN_ROWS = np.uint64(0x7FFF_7FFF_7FFF_7FFF)  # four rows of 16 bits; the first of a row has none before it


@dataclass(frozen=True, kw_only=True)
class Sets:
    """The published sets that rows belong to, told apart by their columns ``source`` and ``split``.

    Attributes:
        names: ``iiit5k train``, by source and then train, val, test.
        of: (N,) index in ``names`` of each row.
    """

    names: tuple[str, ...]
    of: NDArray[np.int32]

    @classmethod
    def among(cls, evidence: Evidence) -> Sets:
        """The sets that the rows of ``evidence`` come from."""
        key = evidence.source.astype(np.int32) * len(SPLITS) + evidence.split
        found, of = np.unique(key, return_inverse=True)
        pairs = (divmod(value, len(SPLITS)) for value in found.tolist())
        names = tuple(f"{evidence.sources[source]} {SPLITS[split]}" for source, split in pairs)
        return cls(names=names, of=of.astype(np.int32))

    def sizes(self) -> list[int]:
        """The number of words of each set."""
        return [int(n) for n in np.bincount(self.of, minlength=len(self.names))]


@dataclass
class Best:
    """The strongest pair for each key; it grows with keys, not with pairs.

    Attributes:
        keys: (N,) rising, once it is thinned.
        rank: (N,) the level's place in the order in which levels decide.
        distance: (N,) 1 less the overlap of two boxes, or the agreement of two pictures; 0 if identical.
        left: (N,) rows of the words to train on.
        right: (N,) rows of the words of the tests.
    """

    keys: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    rank: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    distance: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    left: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    right: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    _waiting: list[tuple[NDArray, ...]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, keys: Rows, rank: NDArray[np.uint8], pairs: Pairs) -> None:
        """Take in pairs, with a key and a rank for each."""
        self._waiting.append((keys, rank, pairs.distance, pairs.left, pairs.right))
        if sum(len(waiting[0]) for waiting in self._waiting) > HELD:
            self.thin()

    def thin(self) -> Best:
        """Leave one pair for each key: the strongest level's, the nearest, then the first."""
        parts = [tuple(getattr(self, name) for name in COLUMNS), *self._waiting]
        merged = dict(zip(COLUMNS, map(np.concatenate, zip(*parts, strict=True)), strict=True))
        order = np.lexsort([merged[name] for name in ("right", "left", "distance", "rank", "keys")])
        first = order[np.diff(merged["keys"][order], prepend=-1) != 0]
        for name in COLUMNS:
            setattr(self, name, merged[name][first])
        self._waiting = []
        return self

    def select(self, keep: NDArray[np.bool_]) -> Best:
        """The pairs where ``keep`` is true."""
        return Best(**{name: getattr(self, name)[keep] for name in COLUMNS})


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """What was found: of each word, the strongest evidence for each set of the other side.

    Attributes:
        spec: What was looked for.
        train: The words to train on.
        test: The words of the tests.
        train_sets: The sets of the former.
        test_sets: The sets of the latter.
        pairs: One for each word to train on and each test set that it copies a word of.
        touched: One for each word of a test and each train set that has a copy of it.
    """

    spec: DecontaminateRecipe
    train: Evidence
    test: Evidence
    train_sets: Sets
    test_sets: Sets
    pairs: Best
    touched: Best

    def dropped(self) -> Best:
        """The pair that costs a word its place, one for each such word, by rising row."""
        costly = self.pairs.select(self.pairs.rank < len(self.spec.dropped))
        found = Best()
        found.add(costly.left, costly.rank, Pairs(costly.left, costly.right, costly.distance))
        return found.thin()


def find(
    train: Evidence, test: Evidence, spec: DecontaminateRecipe, *, jobs: int, out: Path | None = None
) -> Leaks:
    """Look for words of ``train`` that copy words of ``test``; memory grows with words, not with pairs.

    Sketches of pictures that are looked at twice lie beside ``out`` meanwhile, or among temporary files.
    """
    train_sets, test_sets = Sets.among(train), Sets.among(test)
    of_train, of_test = Best(), Best()
    with scratch(out) as folder:
        for level, pairs in _pairs(train, test, spec, folder, jobs):
            rank = np.full(len(pairs), spec.ranked.index(level), np.uint8)
            of_train.add(pairs.left * len(test_sets.names) + test_sets.of[pairs.right], rank, pairs)
            of_test.add(pairs.right * len(train_sets.names) + train_sets.of[pairs.left], rank, pairs)
    return Leaks(
        spec=spec,
        train=train,
        test=test,
        train_sets=train_sets,
        test_sets=test_sets,
        pairs=of_train.thin(),
        touched=of_test.thin(),
    )


def _pairs(
    train: Evidence, test: Evidence, spec: DecontaminateRecipe, folder: Path, jobs: int
) -> Iterator[tuple[Level, Pairs]]:
    """Yield the pairs of each level in bounded chunks; weaker levels find those of stronger ones again."""
    wanted = {*spec.ranked}
    if "leak_bytes" in wanted:
        for pairs in near.same_bytes(train, test):
            yield "leak_bytes", pairs
    if "leak_pixels" in wanted:
        for pairs in near.same_pixels(train, test, jobs=jobs):
            yield "leak_pixels", pairs
    if wanted & {"leak_origin", "shared_photo"}:
        for pairs in near.same_origin(train, test, least_iou=0):
            yield from _split(pairs, spec.least_iou, "leak_origin", "shared_photo", wanted)
    if wanted & {"leak_same_label", "leak_probable"}:
        pairs = lookalikes(train, test, folder=folder, look=spec.look, least=spec.probable, jobs=jobs)
        yield from _split(pairs, spec.certain, "leak_same_label", "leak_probable", wanted)
    if "leak_any_label" in wanted:
        chunks = near.any_label(telling(train), telling(test), most_bits=spec.any_label_bits)
        for near_ in _gathered(chunks):
            agree = agreements(train, near_, test, folder=folder, jobs=jobs)
            pairs = Pairs(near_.left, near_.right, 1 - agree)
            yield "leak_any_label", pairs.select(agree >= np.float32(spec.any_label))


def _split(
    pairs: Pairs, least: float, close: Level, far: Level, wanted: set[Level]
) -> Iterator[tuple[Level, Pairs]]:
    """Tell pairs that overlap or agree by ``least`` from the others."""
    within = pairs.distance <= np.float32(1 - least)
    for level, which in ((close, within), (far, ~within)):
        if level in wanted:
            yield level, pairs.select(which)


def _gathered(chunks: Iterator[Pairs]) -> Iterator[Pairs]:
    """Join chunks, for each look at many pairs reads the same pictures but once."""
    held: list[Pairs] = []
    for chunk in chunks:
        held.append(chunk)
        if sum(map(len, held)) > HELD:
            yield near.joined(held)
            held = []
    if sum(map(len, held)):
        yield near.joined(held)


def telling(evidence: Evidence) -> Evidence:
    """The evidence without the hashes of nearly flat pictures, which are all near each other."""
    changes = np.bitwise_count((evidence.dhash ^ (evidence.dhash >> np.uint64(1))) & WITHIN_ROWS)
    enough = changes.sum(axis=1, dtype=np.uint8) >= LEAST_EDGES
    return dataclasses.replace(evidence, hashed=evidence.hashed & enough)
