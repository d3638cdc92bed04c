"""What weakens a study's answer and is known before its first run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from train.recipe import TrainRecipe
from train.study.cells import Cell


def warnings(
    cells: Sequence[Cell],
    shared: Mapping[str, int],
    train: TrainRecipe,
    copies: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> list[str]:
    """Say what weakens a study's answer, one sentence or two each.

    Args:
        cells: Its cells.
        shared: For each test set, its words that are also trained on.
        train: How every run is trained, but for what its cell changes.
        copies: For two parts that hold the same words, how many of the second the first holds.
    """
    seen = {cell.name: (cell.n_words, cell.samples_seen(train)) for cell in cells}
    return [*_shared(shared), *_copies(copies, cells), *_never_seen(seen)]


def _shared(shared: Mapping[str, int]) -> list[str]:
    return [
        f"{n:,} {'words' if n > 1 else 'word'} of {test} {'are' if n > 1 else 'is'} among the words "
        "trained on (the same picture or uid), so accuracy on it is flattered. "
        "Take them out of one of the two."
        for test, n in shared.items()
        if n
    ]


def _copies(copies: Mapping[tuple[str, str], int], cells: Sequence[Cell]) -> list[str]:
    """Parts that hold the same words and are trained on together, where these count twice."""
    together = [set(cell.words) for cell in cells]
    return [
        f"{n:,} {'words' if n > 1 else 'word'} of {second} {'are' if n > 1 else 'is'} among those of {first} "
        "(the same picture or uid), so cells with both have fewer different words than they count. "
        "Take them out of one of the two."
        for (first, second), n in copies.items()
        if any({first, second} <= words for words in together)
    ]


def _never_seen(seen: Mapping[str, tuple[int, int]]) -> list[str]:
    """Cells whose runs end before they have seen each of their words once."""
    short = {
        cell: words_samples for cell, words_samples in seen.items() if words_samples[0] > words_samples[1]
    }
    if not short:
        return []
    names, (most, samples) = list(short), max(short.values())
    listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    return [
        f"{samples:,} samples are fewer than the different words of {listed} (up to {most:,}): the rest is "
        "never seen and teaches nothing. Raise steps."
    ]
