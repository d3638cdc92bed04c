"""Runs drawn from a law that is known, for tests of how well it is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from train.laws import Points

JOINT = {
    "E": 0.04,
    "B": 6.0,
    "b": 0.32,
    "k": 0.12,
}  # k, b, E as in the issue; B puts 300,000 real words at 14 %
REALS = (0, 10_000, 30_000, 100_000, 300_000)
SYNTHETICS = (0, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
TEST_WORDS = 7_672
GRID = [{"n_real": r, "n_synthetic": s} for r in REALS for s in SYNTHETICS if r + s][:28]


def joint_error(n_real: float, n_synthetic: float) -> float:
    """The planted joint law."""
    words = n_real + JOINT["k"] * n_synthetic
    return JOINT["E"] + JOINT["B"] * float(words) ** -JOINT["b"] if words else 1.0


def joint_points(
    rng: np.random.Generator,
    *,
    cells: Iterable[Mapping[str, float]] = tuple(GRID),
    seeds: int = 3,
    words: int = TEST_WORDS,
    seed_sd: float = 0.0,
) -> Points:
    """Runs of the planted joint law: every word seen once."""
    cells = [
        {
            **cell,
            "n_total": cell["n_real"] + cell["n_synthetic"],
            "seen_real": cell["n_real"],
            "seen_synthetic": cell["n_synthetic"],
        }
        for cell in cells
    ]
    error = lambda cell: joint_error(cell["n_real"], cell["n_synthetic"])  # noqa: E731
    return points_of(cells, error, rng, seeds=seeds, words=words, seed_sd=seed_sd)


def points_of(
    cells: Iterable[Mapping[str, Any]],
    error: Callable[[Mapping[str, Any]], float],
    rng: np.random.Generator,
    *,
    seeds: int = 3,
    words: int = TEST_WORDS,
    seed_sd: float = 0.0,
) -> Points:
    """Runs with binomial noise, and with seeds that read better or worse by ``seed_sd``."""
    rows = []
    for i, cell in enumerate(cells):
        for seed in range(seeds):
            at = float(np.clip(error(cell) + seed_sd * rng.standard_normal(), 0, 1))
            right = words - int(rng.binomial(words, at))
            rows.append({"right": right, "words": words, "cell": f"cell{i}", "seed": seed, **cell})
    return Points.of(rows)


def exact_points(
    cells: Iterable[Mapping[str, Any]], error: Callable[[Mapping[str, Any]], float], words: float = 1e6
) -> Points:
    """One run a cell, exactly on the law (counts need not be whole)."""
    rows = [
        {"right": words * (1 - error(cell)), "words": words, "cell": f"cell{i}", "seed": 0, **cell}
        for i, cell in enumerate(cells)
    ]
    return Points.of(rows)
