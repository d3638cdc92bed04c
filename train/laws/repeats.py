"""What repeated words are worth: each further reading a little less than the one before."""

from __future__ import annotations

import numpy as np

from train.laws.base import Columns, Floats

R_STAR = 15.0  # Muennighoff et al. 2023 (arXiv:2305.16264), for text; after about so many repeats, nil


def fresh_words(unique: Floats, seen: Floats, r_star: Floats | float = R_STAR) -> tuple[Floats, Floats]:
    """How many fresh words are worth as much as ``unique`` words seen again and again.

    ``U + U * R * (1 - exp(-repeats / R))`` with ``repeats = seen / U - 1``: the first reading counts whole,
    and no number of readings makes a word worth more than 1 + R fresh ones. Words that no step reached count
    for nothing.

    Args:
        unique: Different words, (K,).
        seen: Words seen, repeats counted, (K,).
        r_star: R, one value or (B, 1).

    Returns:
        The worth, (K,) or (B, K), and its derivative by log R.

    Source:
        Muennighoff et al. 2023 (arXiv:2305.16264), equation 5.
    """
    used = np.minimum(unique, seen)
    repeats = np.divide(seen, used, out=np.ones_like(seen, dtype=float), where=used > 0) - 1
    left = np.exp(-repeats / r_star)
    worth = used * (1 + r_star * (1 - left))
    return worth, used * (r_star * (1 - left) - repeats * left)


def seen_or_unique(columns: Columns, kind: str) -> tuple[Floats, Floats]:
    """Different words of a kind, ``real`` or ``synthetic``, and how many of them were seen."""
    unique = np.asarray(columns[f"n_{kind}"], float)
    return unique, np.asarray(columns[f"seen_{kind}"], float)
