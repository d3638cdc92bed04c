"""The misread words that a page shows: which, in what order, and with what beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.inspect_pictures import Picture, cut, pictures
from train.evaluation.scores import Measured, correct_of

N_WORDS = 40  # of each kind
BUDGET = 1_000_000  # bytes of pictures on each of the two groups of sheets


@dataclass(frozen=True, kw_only=True, slots=True)
class Misread:
    """A word on the page: its picture, what it says and what was read, both as compared."""

    picture: Picture
    set: str
    label: str
    read: str
    confidence: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """Misread words of one kind, of ``n`` that there are."""

    title: str
    about: str
    n: int
    words: tuple[Misread, ...]


def sheets(measured: Sequence[Measured]) -> list[Sheet]:
    """The most confident mistakes, near misses and far ones: none is picked at random.

    No word is shown twice: what is among the most confident mistakes is left out below.
    """
    wrong = np.flatnonzero(~np.concatenate([one.correct for one in measured]))
    distance = np.concatenate([one.table["edit_distance"].to_numpy() for one in measured])[wrong]
    alike = np.concatenate([one.alike for one in measured])[wrong]
    sure = np.concatenate([one.table["confidence"].to_numpy() for one in measured])[wrong]
    confident = _ordered(-sure)[:N_WORDS]
    rest = np.setdiff1d(np.arange(len(wrong)), confident)
    near = rest[distance[rest] == 1]
    near = near[_ordered(-sure[near])]
    far = np.setdiff1d(rest, near)
    far = far[_ordered(alike[far], -sure[far])]
    chosen = {"confident": wrong[confident], "near": wrong[near[:N_WORDS]], "far": wrong[far[:N_WORDS]]}
    told = {
        "confident": ("The most confident mistakes", "the surest first", len(wrong)),
        "near": ("Near misses", "one character off, the surest first", int(np.count_nonzero(distance == 1))),
        "far": ("Furthest off", "least 1-NED first, then the surest", int(np.count_nonzero(distance > 1))),
    }
    return _sheets(measured, chosen, told)


def changed(measured: Sequence[Measured], against: Sequence[pa.Table]) -> list[Sheet]:
    """Words that only one of two runs reads, each with what the run that failed took it for."""
    ours = np.concatenate([one.correct for one in measured])
    theirs = np.concatenate([correct_of(table) for table in against])
    failed = {"gained": against, "lost": [one.table for one in measured]}
    sides = {"gained": np.flatnonzero(ours & ~theirs), "lost": np.flatnonzero(theirs & ~ours)}
    chosen, about = {}, "with what the other took them for, the surest mistakes first"
    for kind, places in sides.items():
        sure = np.concatenate([table["confidence"].to_numpy() for table in failed[kind]])[places]
        chosen[kind] = places[_ordered(-sure)][:N_WORDS]
    told = {
        "gained": ("Only this run reads them", about, len(sides["gained"])),
        "lost": ("Only the other run reads them", about.replace("the other", "this one"), len(sides["lost"])),
    }
    return _sheets(measured, chosen, told, failed)


def _sheets(
    measured: Sequence[Measured],
    chosen: Mapping[str, NDArray[np.int64]],
    told: Mapping[str, tuple[str, str, int]],
    read_by: Mapping[str, Sequence[pa.Table]] | None = None,
) -> list[Sheet]:
    tables = read_by or {kind: [one.table for one in measured] for kind in chosen}
    shown = _shown(measured, chosen, tables)
    return [
        Sheet(title=title, about=about, n=n, words=tuple(shown[kind]))
        for kind, (title, about, n) in told.items()
        if shown[kind]
    ]


def _ordered(*keys: NDArray[np.floating]) -> NDArray[np.int64]:
    """Places by the keys, the first one first; equal ones in the order of the words."""
    return np.lexsort(keys[::-1])


def _shown(
    measured: Sequence[Measured],
    chosen: Mapping[str, NDArray[np.int64]],
    tables: Mapping[str, Sequence[pa.Table]],
) -> dict[str, list[Misread]]:
    """The words at these places among all that took part, with their pictures, while the page has room."""
    first_place = np.cumsum([0, *(one.score.n_used for one in measured)])
    first_row = np.cumsum([0, *(len(one.dataset) for one in measured)])
    of = {kind: np.searchsorted(first_place, places, side="right") - 1 for kind, places in chosen.items()}
    rows = {
        kind: [
            int(first_row[at] + measured[at].rows[place - first_place[at]])
            for at, place in zip(of[kind].tolist(), places.tolist(), strict=True)
        ]
        for kind, places in chosen.items()
    }
    seen = pictures([one.dataset for one in measured], rows, budget=BUDGET)
    found: dict[str, list[Misread]] = {}
    for kind, places in chosen.items():
        some = zip(
            of[kind].tolist(), places.tolist(), seen.get(kind, []), strict=False
        )  # pictures may run out
        found[kind] = [
            _misread(measured[at].score.name, tables[kind][at], int(place - first_place[at]), picture)
            for at, place, picture in some
        ]
    return found


def _misread(name: str, table: pa.Table, place: int, picture: Picture) -> Misread:
    word = table.slice(place, 1).to_pylist()[0]
    return Misread(
        picture=picture,
        set=name,
        label=cut(word["label_normalised"], 40),
        read=cut(word["prediction_normalised"], 40),
        confidence=word["confidence"],
    )
