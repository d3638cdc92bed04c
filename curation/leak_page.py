"""The leak matrix as a page, and examples of leaks to judge by eye: one self-contained HTML file, one PNG."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation.core import recipe
from curation.core.images import BrokenImageError, Pixels, decode, encode_jpeg
from curation.core.page import write_page as fill
from curation.core.sheet import contact_sheet, write_png
from curation.evidence import Evidence
from curation.leak_judge import told
from curation.leak_matrix import SHORT
from curation.leak_recipe import TOLD
from curation.leaks import Leaks, Rows

TEMPLATE = Path(__file__).parent / "templates" / "leaks.html"
N_EXAMPLES = 24  # of each level: enough to see what a threshold does, and the page stays below a megabyte
HEIGHT_PX, WIDTH_PX = 44, 220
NO_PICTURE = np.full((HEIGHT_PX, 2 * HEIGHT_PX, 3), (200, 60, 60), np.uint8)


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One word of a pair: its set, uid, label and (h, w, 3) uint8 picture, and whether that can be read."""

    set: str
    uid: str
    label: str
    image: Pixels
    readable: bool

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(self.image, 88)).decode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A word to train on, the word of a test that it copies, and what their distance is in a few words."""

    level: str
    told: str
    train: Side
    test: Side


def write_examples(
    leaks: Leaks, facts: Mapping[str, Any], *, page: Path | None, picture: Path | None
) -> None:
    """Write the page, the contact sheet or both; their folders are made.

    Args:
        leaks: What was found.
        facts: The leak matrix.
        page: An HTML file that needs nothing beside it.
        picture: A PNG file; each word to train on is followed by the word that it copies.
    """
    shown = examples(leaks)
    if page is not None:
        fill(TEMPLATE, _content(leaks, facts, shown), page)
    if picture is not None:
        sides = [side for example in shown for side in (example.train, example.test)]
        captions = [text for example in shown for text in _captions(example)]
        write_png(contact_sheet([s.image for s in sides], captions, columns=6, cell=(190, 44)), picture)


def _captions(example: Example) -> tuple[str, str]:
    number = example.told.rpartition(" ")[2]
    told_ = f"{number} {SHORT[example.level]} · {example.train.label}"
    return told_, f"{example.test.set} · {example.test.label}"


def examples(leaks: Leaks) -> list[Example]:
    """Up to ``N_EXAMPLES`` pairs of each level, of all pairs of sets if these are so few, near and far."""
    chosen = np.concatenate([_spread(leaks, rank) for rank in range(len(leaks.spec.ranked))])
    pairs = leaks.pairs
    train = _sides(leaks.train, leaks.train_sets.names, leaks.train_sets.of, pairs.left[chosen])
    test = _sides(leaks.test, leaks.test_sets.names, leaks.test_sets.of, pairs.right[chosen])
    levels = [leaks.spec.ranked[rank] for rank in pairs.rank[chosen].tolist()]
    distances = pairs.distance[chosen].tolist()
    return [
        Example(level=level, told=told(level, distance), train=ours, test=theirs)
        for level, distance, ours, theirs in zip(levels, distances, train, test, strict=True)
    ]


def _spread(leaks: Leaks, rank: int) -> Rows:
    """Choose pairs of one level: the same number of each pair of sets, evenly over their distances."""
    here = np.flatnonzero(leaks.pairs.rank == rank)
    left, right = leaks.pairs.left[here], leaks.pairs.right[here]
    cell = leaks.train_sets.of[left] * len(leaks.test_sets.names) + leaks.test_sets.of[right]
    cells = np.unique(cell)
    if not len(cells):
        return here
    each = max(1, N_EXAMPLES // len(cells))
    chosen = []
    for number in cells[:N_EXAMPLES]:
        members = here[cell == number]
        members = members[np.argsort(leaks.pairs.distance[members], kind="stable")]
        chosen.append(members[np.unique(np.linspace(0, len(members) - 1, each).round().astype(int))])
    return np.concatenate(chosen)


def _sides(evidence: Evidence, names: tuple[str, ...], of: np.ndarray, rows: Rows) -> list[Side]:
    found = evidence.take(rows, ["uid", "label", "image"])
    sides = []
    for row, word in zip(rows.tolist(), found, strict=True):
        try:
            image, readable = _small(decode(word["image"]["bytes"])), True
        except BrokenImageError:
            image, readable = NO_PICTURE, False
        sides.append(
            Side(set=names[of[row]], uid=word["uid"], label=word["label"], image=image, readable=readable)
        )
    return sides


def _small(image: Pixels) -> Pixels:
    scale = min(HEIGHT_PX / image.shape[0], WIDTH_PX / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8
    )


def _content(leaks: Leaks, facts: Mapping[str, Any], shown: list[Example]) -> dict[str, Any]:
    cells = {(cell["train"], cell["test"]): cell for cell in facts["cells"]}
    n_pairs = {
        level: int(n)
        for level, n in zip(
            leaks.spec.ranked,
            np.bincount(leaks.pairs.rank, minlength=len(leaks.spec.ranked)),
            strict=True,
        )
    }
    return {
        "facts": facts,
        "cells": cells,
        "levels": leaks.spec.ranked,
        "dropped": set(leaks.spec.dropped),
        "short": {level: level.removeprefix("leak_").replace("_", " ") for level in leaks.spec.ranked},
        "told": TOLD,
        "n_pairs": n_pairs,
        "n_words": len(leaks.train),
        "n_dropped": sum(side["n_dropped"] for side in facts["train_sets"]),
        "examples": [(level, [e for e in shown if e.level == level]) for level in leaks.spec.ranked],
        "recipe": recipe.resolved(leaks.spec),
        "datasets": [
            (role, dataset.name, len(dataset), dataset.fingerprint)
            for role, evidence in (("train", leaks.train), ("test", leaks.test))
            for dataset in evidence.datasets
        ],
    }
