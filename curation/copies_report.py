"""What is told of copies: counts by level and set, examples, and a picture of pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.clusters import LEVELS, Copy
from curation.core.images import BrokenImageError, Pixels, decode
from curation.core.sheet import contact_sheet, write_png
from curation.evidence import Evidence
from curation.near import Pairs

EXAMPLES = 5  # of each level, in the manifest
DRAWN = 40  # of each level, in a picture


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found out about copies, before a word is written.

    Attributes:
        evidence: All rows.
        copies: The rows that go as copies.
        conflicts: The rows that go because of their label, each with the row of the same picture that is
            named for it.
        told: Pairs that stay and are only told, by level: of words that look alike the lowest rows of one
            picture and label, of identical pictures each but the first with the first.
        overlapping_other_label: Pairs of one place in one photo whose labels differ.
        conflicting_label: ``pictures`` with several labels, and how many ``rows`` show them.
    """

    evidence: Evidence
    copies: Mapping[int, Copy]
    conflicts: Mapping[int, int]
    told: Mapping[str, Pairs]
    overlapping_other_label: int
    conflicting_label: dict[str, int]


def facts(found: Found) -> dict[str, Any]:
    """What a manifest says of copies: rows that go and pairs that are only told, by level and sets."""
    evidence = found.evidence
    names = [evidence.sources[i] for i in evidence.source[list(found.copies)].tolist()]
    dropped = Counter(
        (copy.level, name, evidence.sources[evidence.source[copy.of]])
        for name, copy in zip(names, found.copies.values(), strict=True)
    )
    told: Counter[tuple[str, ...]] = Counter()
    for level, pairs in found.told.items():
        sides = (evidence.source[side].tolist() for side in (pairs.left, pairs.right))
        told.update((level, *sorted(evidence.sources[i] for i in pair)) for pair in zip(*sides, strict=True))
    examples = list(_some(found, EXAMPLES))
    words = evidence.take([row for example in examples for row in example[1:3]], ["uid", "label"])
    return {
        "dropped": _table(dropped, ("level", "source", "copy_of", "rows")),
        "told": _table(told, ("level", "source", "other_source", "pairs")),
        "overlapping_other_label": found.overlapping_other_label,
        "conflicting_label": {**found.conflicting_label, "dropped": len(found.conflicts)},
        "examples": [
            {
                "evidence": measure(level, distance),
                "uid": one["uid"],
                "other_uid": other["uid"],
                "label": one["label"],
            }
            for (level, _, _, distance), one, other in zip(examples, words[::2], words[1::2], strict=True)
        ],
    }


def _some(found: Found, n: int) -> Iterator[tuple[str, int, int, float]]:
    """Up to ``n`` pairs of each level, from the nearest to the farthest."""
    for level in LEVELS:
        pairs = [(copy.distance, row, copy.of) for row, copy in found.copies.items() if copy.level == level]
        if level in found.told:
            told = found.told[level]
            pairs += zip(told.distance.tolist(), told.left.tolist(), told.right.tolist(), strict=True)
        pairs.sort()
        for i in np.linspace(0, len(pairs) - 1, min(n, len(pairs))).round().astype(int).tolist():
            distance, row, other = pairs[i]
            yield level, row, other, distance


def _table(counts: Mapping[tuple[str, ...], int], names: Sequence[str]) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda item: (LEVELS.index(item[0][0]), *item[0][1:]))
    return [dict(zip(names, (*key, n), strict=True)) for key, n in ordered]


def measure(level: str, distance: float) -> str:
    """What a distance says at a level, for a person: ``origin, IoU 0.83``."""
    if level == "origin":
        return f"{level}, IoU {1 - distance:.2f}"
    return level if level in ("bytes", "pixels") else f"{level}, agreement {1 - distance:.3f}"


def write_pairs(found: Found, out: Path) -> None:
    """Draw pairs of every level beside each other, from the nearest to the farthest, into a PNG file."""
    pairs = list(_some(found, DRAWN))
    words = found.evidence.take([row for pair in pairs for row in pair[1:3]], ["image", "label"])
    captions = []
    for (level, _, _, distance), word in zip(pairs, words[::2], strict=True):
        captions += [measure(level, distance), word["label"] or ""]
    write_png(contact_sheet([_picture(word["image"]["bytes"]) for word in words], captions, columns=8), out)


def _picture(data: bytes) -> Pixels:
    try:
        return decode(data)
    except BrokenImageError:
        return np.zeros((16, 48, 3), np.uint8)
