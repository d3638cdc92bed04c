"""Finding leaks: which words to train on copy which words of the tests, and by what one can tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curation import near
from curation.evidence import SPLITS, Evidence
from curation.leak_recipe import DecontaminateRecipe, Level, Rule
from curation.near import Pairs
from curation.second_look import likenesses

Rows = NDArray[np.int64]
HELD = 1 << 20  # pairs that wait before they are thinned out
COLUMNS = ("keys", "rank", "distance", "likeness", "left", "right")
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
        distance: (N,) as in ``Pairs``.
        likeness: (N,) what the second look says; not a number where none was needed.
        left: (N,) rows of the words to train on.
        right: (N,) rows of the words of the tests.
    """

    keys: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    rank: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    distance: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    likeness: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    left: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    right: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    _waiting: list[tuple[NDArray, ...]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, keys: Rows, rank: NDArray[np.uint8], likeness: NDArray[np.float32], pairs: Pairs) -> None:
        """Take in pairs, with a key, a rank and a likeness for each."""
        self._waiting.append((keys, rank, pairs.distance, likeness, pairs.left, pairs.right))
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
        pairs = Pairs(costly.left, costly.right, costly.distance)
        found.add(costly.left, costly.rank, costly.likeness, pairs)
        return found.thin()


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs of one level, and what a second look at them says."""

    level: Level
    pairs: Pairs
    likeness: NDArray[np.float32]


def find(train: Evidence, test: Evidence, spec: DecontaminateRecipe, *, jobs: int) -> Leaks:
    """Look for words of ``train`` that copy words of ``test``; memory grows with words, not with pairs."""
    train_sets, test_sets = Sets.among(train), Sets.among(test)
    of_train, of_test = Best(), Best()
    for found in _found(train, test, spec, jobs):
        pairs, rank = found.pairs, np.full(len(found.pairs), spec.ranked.index(found.level), np.uint8)
        key = pairs.left * len(test_sets.names) + test_sets.of[pairs.right]
        of_train.add(key, rank, found.likeness, pairs)
        key = pairs.right * len(train_sets.names) + train_sets.of[pairs.left]
        of_test.add(key, rank, found.likeness, pairs)
    return Leaks(
        spec=spec,
        train=train,
        test=test,
        train_sets=train_sets,
        test_sets=test_sets,
        pairs=of_train.thin(),
        touched=of_test.thin(),
    )


def _found(train: Evidence, test: Evidence, spec: DecontaminateRecipe, jobs: int) -> Iterator[Found]:
    """Yield the pairs of each level in bounded chunks; weaker levels find those of stronger ones again."""
    wanted = {*spec.ranked}
    if "leak_bytes" in wanted:
        for pairs in near.same_bytes(train, test):
            yield _unseen("leak_bytes", pairs)
    if "leak_pixels" in wanted:
        for pairs in near.same_pixels(train, test, jobs=jobs):
            yield _unseen("leak_pixels", pairs)
    if wanted & {"leak_origin", "shared_photo"}:
        for pairs in near.same_origin(train, test, least_iou=0):
            here = pairs.distance <= np.float32(1 - spec.least_iou)
            if "leak_origin" in wanted:
                yield _unseen("leak_origin", pairs.select(here))
            if "shared_photo" in wanted:
                yield _unseen("shared_photo", pairs.select(~here))
    if rules := [rule for rule in spec.same_label_rules if rule.level in wanted]:
        most = max(rule.most_bits for rule in rules)
        yield from _looked_at(train, test, near.same_label(train, test, most_bits=most), rules, jobs)
    if "leak_any_label" in wanted:
        rule = spec.any_label_rule
        pairs_of = near.any_label(telling(train), telling(test), most_bits=rule.most_bits)
        yield from _looked_at(train, test, pairs_of, [rule], jobs)


def _unseen(level: Level, pairs: Pairs) -> Found:
    return Found(level, pairs, np.full(len(pairs), np.nan, np.float32))


def _looked_at(
    train: Evidence, test: Evidence, chunks: Iterator[Pairs], rules: Sequence[Rule], jobs: int
) -> Iterator[Found]:
    """Look again at what may be near; a pair has the level of the first rule that it fulfils."""
    for pairs in _gathered(chunks):
        likeness = likenesses(train, pairs, test, jobs=jobs)
        open_ = np.ones(len(pairs), bool)
        for rule in rules:
            here = open_ & (pairs.distance <= rule.most_bits) & (likeness >= np.float32(rule.least_likeness))
            open_ &= ~here
            yield Found(rule.level, pairs.select(here), likeness[here])


def _gathered(chunks: Iterator[Pairs]) -> Iterator[Pairs]:
    """Join chunks, for each look at many pairs reads the same pictures but once."""
    held: list[Pairs] = []
    for chunk in chunks:
        held.append(chunk)
        if sum(map(len, held)) > HELD:
            yield _joined(held)
            held = []
    if sum(map(len, held)):
        yield _joined(held)


def _joined(parts: Sequence[Pairs]) -> Pairs:
    return Pairs(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.distance for part in parts]),
    )


def telling(evidence: Evidence) -> Evidence:
    """The evidence without the hashes of nearly flat pictures, which are all near each other."""
    changes = np.bitwise_count((evidence.dhash ^ (evidence.dhash >> np.uint64(1))) & WITHIN_ROWS)
    enough = changes.sum(axis=1, dtype=np.uint8) >= LEAST_EDGES
    return dataclasses.replace(evidence, hashed=evidence.hashed & enough)
