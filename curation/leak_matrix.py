"""The leak matrix: train set by test set by level, as numbers, as a table and as a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core.text import aligned
from curation.leak_recipe import LEVELS
from curation.leaks import Best, Leaks

Counts = NDArray[np.int64]
SHORT = {
    "leak_bytes": "bytes",
    "leak_pixels": "pixels",
    "leak_origin": "origin",
    "leak_same_label": "label",
    "leak_any_label": "look",
    "leak_probable": "probable",
    "shared_photo": "photo",
}


def matrix(leaks: Leaks) -> dict[str, Any]:
    """Count words by train set, test set and level, each word once in a cell: at its strongest level.

    Returns:
        Plain values. ``train_sets`` and ``test_sets``: ``name``, ``n_words`` and, of the words to train on,
        ``n_dropped``; ``dropped_levels``; ``cells``, one for each pair of sets in order: ``train``,
        ``test``, ``train_words`` and ``test_words`` (by level: words to train on that copy a word of the
        test set; words of the test set that have a copy), ``n_dropped`` and ``n_test_words_copied`` (the
        sums over the levels that are dropped).
    """
    names = leaks.train_sets.names, leaks.test_sets.names
    ours = _counts(leaks, leaks.pairs)
    theirs = _counts(leaks, leaks.touched)
    costly = len(leaks.spec.dropped)
    gone = leaks.dropped()
    dropped_of = np.bincount(leaks.train_sets.of[gone.left], minlength=len(names[0]))
    return {
        "dropped_levels": list(leaks.spec.dropped),
        "reported_levels": list(leaks.spec.ranked[costly:]),
        "train_sets": [
            {"name": name, "n_words": n, "n_dropped": int(m)}
            for name, n, m in zip(names[0], leaks.train_sets.sizes(), dropped_of, strict=True)
        ],
        "test_sets": [
            {"name": name, "n_words": n} for name, n in zip(names[1], leaks.test_sets.sizes(), strict=True)
        ],
        "cells": [
            {
                "train": train,
                "test": test,
                "train_words": _by_level(leaks, ours[i, j]),
                "test_words": _by_level(leaks, theirs[i, j]),
                "n_dropped": int(ours[i, j, :costly].sum()),
                "n_test_words_copied": int(theirs[i, j, :costly].sum()),
            }
            for i, train in enumerate(names[0])
            for j, test in enumerate(names[1])
        ],
    }


def as_tsv(facts: dict[str, Any]) -> str:
    """The whole matrix, one line a pair of sets, for a spreadsheet."""
    levels = [level for level in LEVELS if level in {*facts["dropped_levels"], *facts["reported_levels"]}]
    sizes = {side: {s["name"]: s["n_words"] for s in facts[f"{side}_sets"]} for side in ("train", "test")}
    head = ["train_set", "train_words", "test_set", "test_words", *levels, "dropped", "test_words_copied"]
    rows = [
        [
            cell["train"],
            sizes["train"][cell["train"]],
            cell["test"],
            sizes["test"][cell["test"]],
            *(cell["train_words"][level] for level in levels),
            cell["n_dropped"],
            cell["n_test_words_copied"],
        ]
        for cell in facts["cells"]
    ]
    return "".join("\t".join(map(str, row)) + "\n" for row in [head, *rows])


def as_text(facts: dict[str, Any]) -> str:
    """Lay the matrix out for a terminal: the pairs of sets that share anything, with their levels."""
    levels = [level for level in LEVELS if level in {*facts["dropped_levels"], *facts["reported_levels"]}]
    sizes = {side: {s["name"]: s["n_words"] for s in facts[f"{side}_sets"]} for side in ("train", "test")}
    shown = [cell for cell in facts["cells"] if any(cell["train_words"].values())]
    head = ["train set", "words", "test set", "words", *map(SHORT.__getitem__, levels), "dropped", "copied"]
    rows = [
        [
            cell["train"],
            f"{sizes['train'][cell['train']]:,}",
            cell["test"],
            f"{sizes['test'][cell['test']]:,}",
            *(f"{cell['train_words'][level]:,}" for level in levels),
            f"{cell['n_dropped']:,}",
            f"{cell['n_test_words_copied']:,}",
        ]
        for cell in shown
    ]
    clean = len(facts["cells"]) - len(shown)
    lines = aligned([head, *rows], left={0, 2}) if shown else []
    if clean:
        n = len(facts["train_sets"]), len(facts["test_sets"])
        lines.append(
            f"nothing in common: {clean} of {len(facts['cells'])} pairs of a train set ({n[0]}) "
            f"and a test set ({n[1]})"
        )
    return "\n".join(lines)


def _counts(leaks: Leaks, best: Best) -> Counts:
    """(train sets, test sets, levels) numbers of the keys of ``best``; levels in the order of their rank."""
    shape = len(leaks.train_sets.names), len(leaks.test_sets.names), len(leaks.spec.ranked)
    places = leaks.train_sets.of[best.left], leaks.test_sets.of[best.right], best.rank
    flat = np.ravel_multi_index(tuple(place.astype(np.int64) for place in places), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)


def _by_level(leaks: Leaks, counts: Counts) -> dict[str, int]:
    return {level: int(n) for level, n in zip(leaks.spec.ranked, counts, strict=True)}
