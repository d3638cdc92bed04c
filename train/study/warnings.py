"""What weakens a study's answer and is known before its first run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from train.recipe import TrainRecipe
from train.study.cells import Cell, samples_seen
from train.study.designs.base import listed

MOST_PASSES = 1_000  # beyond 16 or so little is gained (Muennighoff et al. 2023); this is for plain mistakes


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
    return [
        *_shared(shared),
        *_copies(copies, cells),
        *_never_seen(cells, train),
        *_seen_too_often(cells, train),
    ]


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


def _never_seen(cells: Sequence[Cell], train: TrainRecipe) -> list[str]:
    """Cells with a training that ends before it has seen each of its words once."""
    short: dict[int, dict[str, int]] = {}
    for cell in cells:
        for stage in cell.stages:
            if stage.n_words > (samples := samples_seen(stage, train)):
                short.setdefault(samples, {})[cell.name] = stage.n_words
    return [
        f"{samples:,} samples are fewer than the different words of {listed(list(words))} (up to "
        f"{max(words.values()):,}): the rest is never seen and teaches nothing. Raise steps."
        for samples, words in sorted(short.items())
    ]


def _seen_too_often(cells: Sequence[Cell], train: TrainRecipe) -> list[str]:
    """Cells whose words are repeated far beyond the passes that still teach."""
    passes = {
        cell.name: max(samples_seen(stage, train) / stage.n_words for stage in cell.stages) for cell in cells
    }
    often = {name: n for name, n in passes.items() if n > MOST_PASSES}
    if not often:
        return []
    return [
        f"each word of {listed(list(often))} is seen up to {max(often.values()):,.0f} times, far more often "
        "than teaches anything. Lower steps, or begin with more words."
    ]
