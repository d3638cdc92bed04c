"""Which characters were misread as which, by the shortest way to turn the label into what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from train.evaluation.metrics import differing, wilson

Pair = tuple[str, str]  # a character of the label and what it was read as; "" for none


@dataclass(frozen=True, kw_only=True, slots=True)
class CharacterScore:
    """How well one character is read. Shares are 0-1, with Wilson's 95 % intervals.

    Attributes:
        character: The character, as in normalised labels.
        n: How often it occurs in labels.
        n_read: How often it was read as itself.
        recall: ``n_read / n``.
        recall_low: Lower end of its interval, which takes occurrences for independent.
        recall_high: Upper end.
        n_words: Words whose label has it.
        n_words_correct: Of them, those read without an error.
        accuracy: ``n_words_correct / n_words``.
        accuracy_low: Lower end of its interval.
        accuracy_high: Upper end.
    """

    character: str
    n: int
    n_read: int
    recall: float
    recall_low: float
    recall_high: float
    n_words: int
    n_words_correct: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Confusion:
    """One character read as another; ``read`` is empty where it was missed, ``label`` where it was added.

    ``share`` is that of all occurrences of ``label`` in labels, 0-1; None for added ones.
    """

    label: str
    read: str
    n: int
    share: float | None


def align(label: str, read: str) -> list[Pair]:
    """The pairs that differ on a shortest way from ``label`` to ``read``, from left to right.

    Of several shortest ways it takes the one that, from the right, first substitutes and then misses.
    """
    label, read = differing(label, read)
    rows = [list(range(len(read) + 1))]
    for i, x in enumerate(label, 1):
        before, here = rows[-1], [i]
        for j, y in enumerate(read, 1):
            here.append(min(before[j - 1] + (x != y), before[j] + 1, here[j - 1] + 1))
        rows.append(here)
    pairs: list[Pair] = []
    i, j = len(label), len(read)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (label[i - 1] != read[j - 1]):
            i, j = i - 1, j - 1
            pair = label[i], read[j]
        elif i and rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            pair = label[i], ""
        else:
            j -= 1
            pair = "", read[j]
        if pair[0] != pair[1]:
            pairs.append(pair)
    return pairs[::-1]


def confused(labels: Sequence[str], read: Sequence[str]) -> Counter[Pair]:
    """How often which character of ``labels`` was read as which other, word by word."""
    pairs = Counter[Pair]()
    for label, text in zip(labels, read, strict=True):
        if label != text:
            pairs.update(align(label, text))
    return pairs


def confusions(labels: Sequence[str], pairs: Mapping[Pair, int]) -> list[Confusion]:
    """The ``pairs`` that were confused in reading ``labels``, the most frequent first."""
    occurrences = Counter("".join(labels))
    return [
        Confusion(label=a, read=b, n=n, share=n / occurrences[a] if a else None)
        for (a, b), n in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    ]


def character_scores(
    labels: Sequence[str], read: Sequence[str], pairs: Mapping[Pair, int]
) -> list[CharacterScore]:
    """How well each character of the labels is read, the worst recall first; ``pairs`` were confused."""
    occurrences = Counter("".join(labels))
    lost = Counter[str]()
    for (character, _), n in pairs.items():
        lost[character] += n
    words, correct = Counter[str](), Counter[str]()
    for label, text in zip(labels, read, strict=True):
        words.update(set(label))
        if label == text:
            correct.update(set(label))
    found = [
        _score(character, n, n - lost[character], words[character], correct[character])
        for character, n in occurrences.items()
    ]
    return sorted(found, key=lambda score: (score.recall, -score.n, score.character))


def _score(character: str, n: int, n_read: int, n_words: int, n_words_correct: int) -> CharacterScore:
    recall_low, recall_high = wilson(n_read, n)
    accuracy_low, accuracy_high = wilson(n_words_correct, n_words)
    return CharacterScore(
        character=character,
        n=n,
        n_read=n_read,
        recall=n_read / n,
        recall_low=recall_low,
        recall_high=recall_high,
        n_words=n_words,
        n_words_correct=n_words_correct,
        accuracy=n_words_correct / n_words,
        accuracy_low=accuracy_low,
        accuracy_high=accuracy_high,
    )
