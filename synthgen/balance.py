"""Choosing among words so that rare lengths and rare characters are learnt too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthgen.choices import check_share

ROUNDS = 5  # of raking lengths and characters in turn; more change little


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """How far the words of a source are pulled towards other lengths and more even characters.

    For each word wanted, ``candidates`` are drawn; those are kept that are rarer than they should be. At
    strength 0 nothing changes, at 1 the target is reached as far as the candidates allow.

    Source: SynthTIGER balances lengths and characters (arXiv:2107.09313, section 3.3); weighted sampling
    without replacement is Efraimidis and Spirakis 2006 (doi:10.1016/j.ipl.2005.11.003), raking Deming and
    Stephan 1940 (doi:10.1214/aoms/1177731829).

    Attributes:
        length: Strength of the pull towards ``lengths``; 0 to 1.
        lengths: Weights of the lengths 1, 2, 3, ...; beyond its end 0. Empty for all lengths alike.
            A length of weight 0 is drawn only where no other is left.
        characters: Strength of the pull towards all characters alike, capitals and small letters
            counted as one; 0 to 1.
        candidates: Words drawn for each one kept.
    """

    length: float = 0.0
    lengths: tuple[float, ...] = ()
    characters: float = 0.0
    candidates: int = 4

    def __post_init__(self) -> None:
        check_share("length", self.length, at_most_one=True)
        check_share("characters", self.characters, at_most_one=True)
        for i, weight in enumerate(self.lengths, 1):
            check_share(f"weight {i} of lengths", weight)
        if self.lengths and not sum(self.lengths):
            raise ValueError("lengths are all 0, so no length is left")
        if not 2 <= self.candidates <= 64:
            raise ValueError(f"candidates must be from 2 to 64, got {self.candidates}")

    @property
    def is_on(self) -> bool:
        """Whether it changes anything."""
        return self.length > 0 or self.characters > 0

    def choose(self, words: Sequence[str], rng: np.random.Generator, n: int) -> list[str]:
        """Keep ``n`` of ``words``, in their order; at least ``n`` are needed."""
        if len(words) == n:
            return list(words)
        lengths = np.fromiter(map(len, words), int, len(words))
        wanted = self._wanted_lengths(lengths)
        weights = _raked_lengths(np.ones(len(words)), lengths, wanted)
        if self.characters:
            kinds, there = _kinds(words)
            found = np.bincount(kinds[there], minlength=int(kinds.max()) + 1).astype(float)
            even = np.where(found > 0, np.maximum(found, 1.0) ** (1 - self.characters), 0.0)
            for _ in range(ROUNDS):
                weights *= _rarity(weights, kinds, there, even)
                weights = _raked_lengths(weights, lengths, wanted)
        # The n greatest of log(u) / w are a sample without replacement; a weight of 0 comes last of all.
        keys = np.log1p(-rng.random(len(words))) / np.maximum(weights / weights.max(), 1e-12)
        kept = np.sort(np.argpartition(-keys, n - 1)[:n]) if n else []
        return [words[i] for i in kept]

    def _wanted_lengths(self, lengths: np.ndarray) -> np.ndarray:
        """Weights of the lengths 0, 1, 2, ...: those found, pulled towards the target by the strength."""
        found = np.bincount(lengths).astype(float)
        target = np.zeros(len(found))
        weights = np.asarray(self.lengths or [1.0] * len(found))[: len(found) - 1]
        target[1 : 1 + len(weights)] = weights
        if not (target * found).any():
            return found  # no candidate has a length that was asked for
        pulled: np.ndarray = found ** (1 - self.length) * target**self.length * (found > 0)
        return pulled


def _raked_lengths(weights: np.ndarray, lengths: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    now = np.bincount(lengths, weights, len(wanted))
    raked: np.ndarray = weights * (wanted / np.maximum(now, 1e-300))[lengths]
    return raked / raked.sum()


def _rarity(weights: np.ndarray, kinds: np.ndarray, there: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """How much rarer than wanted the characters of each word are, on the mean."""
    now = np.bincount(kinds[there], np.broadcast_to(weights[:, None], kinds.shape)[there], len(wanted))
    ratio = np.where(now > 0, wanted / np.maximum(now, 1e-300), 0.0)
    ratio *= now.sum() / wanted.sum()
    rarity: np.ndarray = (ratio[kinds] * there).sum(axis=1) / there.sum(axis=1)
    return rarity


def _kinds(words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The characters as numbers from 0, shape (words, longest), and where there is one."""
    points = np.array(words).astype(str).view(np.uint32).reshape(len(words), -1)  # padded with 0
    folded = _folded(points)
    kinds = np.cumsum(np.bincount(folded.ravel()) > 0) - 1  # of each code point that occurs
    return kinds[folded], points > 0


def _folded(points: np.ndarray) -> np.ndarray:
    """Code points with capitals made small, where that takes one character to one."""
    table = np.arange(int(points.max()) + 1, dtype=np.uint32)
    for point in np.flatnonzero(np.bincount(points.ravel())).tolist():
        small = chr(point).lower()
        table[point] = ord(small) if len(small) == 1 else point
    folded: np.ndarray = table[points]
    return folded
