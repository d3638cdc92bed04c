"""Deciding the text of each word: its source, its casing, its punctuation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curation.core.recipe import component
from synthgen.choices import Columns, Streams, check_share, pick
from synthgen.words import Limits, word_sources

CASINGS = ("as_is", "lower", "upper", "title")
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
        as_is: As the source has them.
        lower: ``street``.
        upper: ``STREET``.
        title: ``Street``.
    """

    as_is: float = 1.0
    lower: float = 0.0
    upper: float = 0.0
    title: float = 0.0

    def __post_init__(self) -> None:
        for name in CASINGS:
            check_share(name, getattr(self, name))
        if not sum(self.weights()):
            raise ValueError("every weight is 0, so no casing is left")

    def weights(self) -> list[float]:
        """The weights in the order of ``CASINGS``."""
        return [getattr(self, name) for name in CASINGS]


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One source of words and what is made of them.

    Attributes:
        share: Weight among the sources.
        source: The source.
        casing: Weights of the cases.
        punctuation: Share of words that get a mark: ``word.``, ``(word)``; 0 to 1.
    """

    share: float
    source: Any = component(word_sources)  # noqa: RUF009
    casing: Casing = field(default_factory=Casing)
    punctuation: float = 0.0

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
        drawn = words.source.draw(rng("words", names[i]), len(rows), limits)
        cases = pick(rng("casing", names[i]), words.casing.weights(), len(rows))
        dice = rng("punctuation", names[i]).random((len(rows), 2))
        marks = np.where(dice[:, 0] < words.punctuation, _marks(dice[:, 1]), -1)
        for row, word, case, mark in zip(rows.tolist(), drawn, cases.tolist(), marks.tolist(), strict=True):
            casing[row] = CASINGS[case]
            text[row] = _written(word, CASINGS[case], mark, limits)
    return {"word_source": np.array(names, object)[which], "casing": casing, "text": text}


def recase(word: str, casing: str) -> str:
    """Write ``word`` in one of ``CASINGS``; ``title`` raises the first letter alone: ``Don't``."""
    if casing == "lower":
        return word.lower()
    if casing == "upper":
        return word.upper()
    return word[:1].upper() + word[1:].lower() if casing == "title" else word


def _written(word: str, casing: str, mark: int, limits: Limits) -> str:
    cased = recase(word, casing)
    if limits.reject(cased):
        cased = word  # such as the German sharp s, whose capital is two letters
    if mark < 0:
        return cased
    before, after = MARKS[mark]
    marked = before + cased + (after.upper() if cased.isupper() and len(cased) > 1 else after)
    return cased if limits.reject(marked) else marked


def _marks(dice: np.ndarray) -> np.ndarray:
    edges = np.cumsum(MARK_SHARES)
    return np.minimum(np.searchsorted(edges, dice * edges[-1], side="right"), len(MARKS) - 1)
