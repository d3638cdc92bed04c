"""Prices, codes, dates, phone numbers: words that follow a pattern."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.core.errors import UserError
from curation.core.fingerprint import sha256_file
from synthgen.materials import corpus, read_lines
from synthgen.pattern import Pattern
from synthgen.words.base import Limits, word_sources
from synthgen.words.files import version, weight


@word_sources.add("templates")
@dataclass(frozen=True, kw_only=True, slots=True)
class Templates:
    r"""Expand patterns from a file of ``weight TAB pattern`` lines; ``#`` starts a comment.

    A pattern is a small part of a regular expression read backwards (``synthgen.pattern``):
    ``[A-Z]{3}-\d{4}``. A pattern that could give a character outside the recipe's charset, or a
    word that is too long, is left out whole and counted. The file is read into memory whole.

    Source: the shipped patterns are ours, after what signs and price tags in real crops show.

    Attributes:
        file: Name of a shipped file, or path; ``./words.txt`` for a file beside you of a shipped name.
    """

    file: str = "templates.txt"

    def inputs(self, limits: Limits) -> dict[str, Any]:
        return {self.file: _load(*version(corpus(self.file)), limits)[2]}

    def draw(self, rng: np.random.Generator, n: int, limits: Limits) -> list[str]:
        patterns, edges, _ = _load(*version(corpus(self.file)), limits)
        which = np.minimum(np.searchsorted(edges, rng.random(n), side="right"), len(patterns) - 1)
        uniform = rng.random
        drawn = [patterns[i].expand(uniform) for i in which.tolist()]
        return [" ".join(word.split()) for word in drawn] if limits.spaced else drawn


@functools.lru_cache(maxsize=32)
def _load(path: Path, changed: int, limits: Limits) -> tuple[list[Pattern], np.ndarray, dict[str, Any]]:
    patterns, weights, reasons = [], [], Counter[str]()
    for line in read_lines(path):
        if line.startswith("#"):
            continue
        frequency, _, text = line.partition("\t")
        try:
            pattern, share = Pattern.parse(text), weight(frequency)
        except ValueError as error:
            raise UserError(f"{path.name}, pattern {line!r}: {error}. Mend that line.") from None
        if pattern.longest > limits.max_length:
            reasons["too_long"] += 1
        elif not limits.characters.issuperset(pattern.alphabet):
            reasons["unsupported_character"] += 1
        elif all(map(str.isspace, pattern.alphabet)):
            reasons["stray_space"] += 1
        else:
            patterns.append(pattern)
            weights.append(share)
    if not patterns:
        found = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items())) or "the file is empty"
        raise UserError(
            f"word list {path.name} has no pattern to expand ({found}). Mend it, or the recipe's charset."
        )
    edges = np.cumsum(weights)
    facts = {
        "sha256": sha256_file(path),
        "patterns": len(patterns),
        "left_out": dict(sorted(reasons.items())),
    }
    return patterns, edges / edges[-1], facts
