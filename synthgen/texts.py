"""Deciding the text of each word: its source, its casing, its punctuation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curation.core.recipe import component
from curation.core.rng import stream
from synthgen.balance import Balance
from synthgen.capitals import in_capitals
from synthgen.choices import Columns, Streams, check_share, pick
from synthgen.words import Limits, word_sources

CASINGS = ("as_is", "lower", "upper", "title", "title_words", "small_i", "mixed")
MIXED = CASINGS.index("mixed")
# Marks around a word and how often each stands there, by eye from English running text and signs.
MARKS = (
    ("", "."),
    ("", ","),
    ("", "!"),
    ("", "?"),
    ("", ":"),
    ('"', '"'),
    ("'", "'"),
    ("(", ")"),
    ("", "'s"),
)
MARK_SHARES = (0.28, 0.26, 0.14, 0.06, 0.1, 0.05, 0.02, 0.05, 0.04)


@dataclass(frozen=True, kw_only=True, slots=True)
class Casing:
    """How often the words of a source are written in which case; weights.

    Attributes:
        as_is: As the source has them; if left out, 1 where no other weight is given, else 0.
        lower: ``street``.
        upper: ``STREET``.
        title: ``Street``.
        title_words: A capital after each space or hyphen too: ``Main Street``, ``Coca-Cola``.
        small_i: Capitals but for the i: ``BRiLLiANT``, as many logos have it.
        mixed: Each letter by itself: ``sTrEET``.
    """

    as_is: float | None = None
    lower: float = 0.0
    upper: float = 0.0
    title: float = 0.0
    title_words: float = 0.0
    small_i: float = 0.0
    mixed: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in zip(CASINGS, self.weights(), strict=True):
            check_share(name, weight)
        if not sum(self.weights()):
            raise ValueError("every weight is 0, so no casing is left")

    def weights(self) -> list[float]:
        """The weights in the order of ``CASINGS``."""
        others = [getattr(self, name) for name in CASINGS[1:]]
        return [float(not any(others)) if self.as_is is None else self.as_is, *others]


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One source of words and what is made of them.

    Attributes:
        share: Weight among the sources.
        source: The source.
        casing: Weights of the cases.
        punctuation: Share of words that get a mark: ``word.``, ``(word)``; 0 to 1.
        balance: Whether rare lengths and characters are drawn more often than the source has them.
    """

    share: float
    source: Any = component(word_sources)  # noqa: RUF009
    casing: Casing = field(default_factory=Casing)
    punctuation: float = 0.0
    balance: Balance = field(default_factory=Balance)

    def __post_init__(self) -> None:
        check_share("share", self.share)
        check_share("punctuation", self.punctuation, at_most_one=True)


def plan_texts(sources: Sequence[Words], limits: Limits, rng: Streams, n: int) -> Columns:
    """Decide ``n`` texts.

    Returns:
        Columns ``word_source`` (position in the recipe and kind, such as ``0_frequency_list``),
        ``casing`` and ``text``, each (n,) object (str). A case or mark that would take a word out of
        ``limits`` is left off.
    """
    which = pick(rng("word_source"), [words.share for words in sources], n)
    names = [f"{i}_{words.source.kind}" for i, words in enumerate(sources)]
    text, casing = np.full(n, "", object), np.full(n, CASINGS[0], object)
    for i, words in enumerate(sources):
        (rows,) = np.nonzero(which == i)
        drawn = _drawn(words, limits, rng, names[i], len(rows))
        cases = pick(rng("casing", names[i]), words.casing.weights(), len(rows))
        cased = [recase(word, CASINGS[case]) for word, case in zip(drawn, cases.tolist(), strict=True)]
        (mixed,) = np.nonzero(cases == MIXED)
        coins = rng("mixed_case", names[i]).random((len(mixed), limits.max_length)) < 0.5
        for at, row in zip(mixed.tolist(), coins.tolist(), strict=True):
            cased[at] = "".join(c.upper() if up else c.lower() for c, up in zip(cased[at], row, strict=False))
        dice = rng("punctuation", names[i]).random((len(rows), 2))
        marks = np.where(dice[:, 0] < words.punctuation, _marks(dice[:, 1]), -1)
        for at, word in enumerate(cased):
            if limits.reject(word):  # such as the German sharp s, whose capital is two letters
                cased[at], cases[at] = drawn[at], 0
        casing[rows] = np.array(CASINGS, object)[cases]
        for row, word, mark in zip(rows.tolist(), cased, marks.tolist(), strict=True):
            text[row] = _written(word, mark, limits)
    return {"word_source": np.array(names, object)[which], "casing": casing, "text": text}


class BlockTexts:
    """The texts of a block of rows: the same in every attempt, or words hard to draw would become rare.

    Args:
        sources: Where words come from.
        limits: What a word may be.
        n: Rows in a block.
        covers: Tells which of (n,) texts some font can draw; only one that none can gives way to another.
    """

    def __init__(
        self, sources: Sequence[Words], limits: Limits, n: int, covers: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        self._sources, self._limits, self._n, self._covers = sources, limits, n, covers
        self._first: dict[tuple[int, int], Columns] = {}  # of the block last planned, for later attempts

    def plan(self, seed: int, block: int, attempt: int) -> Columns:
        """The columns of ``plan_texts``."""
        if (seed, block) not in self._first:
            self._first.clear()
            self._first[seed, block] = self._drawn(seed, block, 0)
        first = self._first[seed, block]
        if attempt == 0 or (covered := self._covers(first["text"])).all():
            return first
        other = self._drawn(seed, block, attempt)
        return {key: np.where(covered, first[key], column) for key, column in other.items()}

    def _drawn(self, seed: int, block: int, attempt: int) -> Columns:
        def rng(*key: str) -> np.random.Generator:
            return stream(seed, "render", *key, block, attempt)

        return plan_texts(self._sources, self._limits, rng, self._n)


def recase(word: str, casing: str) -> str:
    """Write ``word`` in one of ``CASINGS``; ``title`` raises the first letter alone: ``Don't``.

    ``mixed`` leaves it as it is: which letters are raised is a draw.
    """
    if casing == "lower":
        return word.lower()
    if casing == "upper":
        return word.upper()
    if casing == "title":
        return word[:1].upper() + word[1:].lower()
    if casing == "title_words":
        return re.sub(r"[^\s-]+", lambda part: recase(part[0], "title"), word)
    return word.upper().replace("I", "i") if casing == "small_i" else word


def _drawn(words: Words, limits: Limits, rng: Streams, name: str, n: int) -> list[str]:
    if not words.balance.is_on:
        plain: list[str] = words.source.draw(rng("words", name), n, limits)
        return plain
    candidates = words.source.draw(rng("words", name), n * words.balance.candidates, limits)
    return words.balance.choose(candidates, rng("balance", name), n)


def _written(word: str, mark: int, limits: Limits) -> str:
    if mark < 0:
        return word
    before, after = MARKS[mark]
    marked = before + word + (after.upper() if len(word) > 1 and in_capitals(word) else after)
    return word if limits.reject(marked) else marked


def _marks(dice: np.ndarray) -> np.ndarray:
    edges = np.cumsum(MARK_SHARES)
    return np.minimum(np.searchsorted(edges, dice * edges[-1], side="right"), len(MARKS) - 1)
