"""Contact sheets for the page: words that were trained on, and words that changed sides."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.images import BrokenImageError, decode, encode_jpeg
from curation.core.rng import stream
from curation.mixture import Mixture
from train.study.rows import Row, Study

N_WORDS = 30  # a sheet; 30 words of 3 kB each keep the page below a megabyte
HEIGHT_PX, WIDTH_PX = 44, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One picture on a sheet: its data URI, size in pixels, label, and what a run read if it misread it."""

    uri: str
    width: int
    height: int
    label: str
    read: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """Words under one heading; without words, ``about`` says why."""

    title: str
    about: str
    words: tuple[Word, ...]


def sheets(study: Study, laws: Mapping[str, Any]) -> list[Sheet]:
    """Words of every part that was trained on, and test words that changed sides in the first design.

    Which words are shown is drawn at random from a fixed stream: none is picked by hand or by score.
    """
    shown = []
    for part in study.facts["parts"]:
        if run := _most(study, part["name"]):
            shown.append(_trained_on(study, run, part, f"Trained on: {part['name']} words"))
    if pair := _compared(study, laws):
        (cell, label), (base, base_label) = pair
        run, before = study.runs(cell)[0], study.runs(base)[0]
        shown.append(_changed(study, run, before, f"Read by {label}, misread by {base_label}"))
        shown.append(_changed(study, before, run, f"Read by {base_label}, misread by {label}"))
    return shown


def _most(study: Study, part: str) -> Row | None:
    """The first run with most words of ``part``; of those trained in one stage if there are any."""
    stages = {cell["name"]: len(cell["stages"]) for cell in study.facts["cells"]}
    having = [row for row in study.rows if row["words"].get(part)]
    return max(having, key=lambda row: (stages[row["cell"]] == 1, row["words"][part]), default=None)


def _compared(study: Study, laws: Mapping[str, Any]) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Cell and label of the place in the first design that held-out words prefer, and of its base."""
    design, found = study.facts["designs"][0], laws["tests"][0]["designs"][0]
    labels = {place["cell"]: f"{design['name']} {place['label']}" for place in design["places"]}
    base = found["base"]
    others = [cell for cell in labels if cell in study.cells and cell != base]
    if base not in study.cells or not others:
        return None
    best = found["best_on_validation"]
    cell = best if best in others else others[-1]
    return (cell, labels[cell]), (base, labels[base])


def _trained_on(study: Study, run: Row, part: Mapping[str, Any], title: str) -> Sheet:
    """Words of a part; if there are none, no folder of this machine is named, for pages are passed on."""
    about = f"drawn at random from the run {run['run']}"
    try:
        mixture = Mixture.open(study.path / "mixtures" / run["run"])
        datasets = mixture.datasets()
    except UserError:
        gone = f"not shown: dataset {' or '.join(part['paths'])}, or the mixture of {run['run']}, is gone"
        return Sheet(title=title, about=f"{gone} or has changed since.", words=())
    described = mixture.manifest["sources"]
    source = [entry["name"] for entry in described].index(part["name"])
    first = sum(len(entry["datasets"]) for entry in described[:source])
    words = [
        (dataset, int(row))
        for number, dataset in enumerate(datasets)
        if first <= number < first + len(described[source]["datasets"])
        for row in mixture.training_rows(number)
    ]
    picked = [words[i] for i in _some(len(words), "trained", part["name"])]
    return Sheet(title=title, about=about, words=_words(picked))


def _changed(study: Study, right: Row, wrong: Row, title: str) -> Sheet:
    """Test words that the run ``right`` read and ``wrong`` did not, with what ``wrong`` read."""
    tests = [entry for entry in study.facts["datasets"] if entry["role"] == "test"]
    entries = {entry["name"]: entry for entry in tests}
    found = []
    for test in study.tests:
        columns = ("uid", "correct", "prediction")
        first, second = (study.predictions(run["run"], test, columns) for run in (right, wrong))
        for uid, a, b, read in zip(
            first["uid"], first["correct"], second["correct"], second["prediction"], strict=True
        ):
            if a and not b:
                found.append((test, uid, read))
    picked = [found[i] for i in _some(len(found), "changed", right["run"])]
    try:
        row_of = {test: _rows(entries[test]) for test in sorted({test for test, _, _ in picked})}
    except (UserError, KeyError) as error:
        return Sheet(title=title, about=f"not shown: {error}", words=())
    words = [(row_of[test][0], row_of[test][1][uid]) for test, uid, _ in picked]
    about = f"{len(found):,} test words of seed {right['seed']}"
    if len(picked) < len(found):
        about += f", {len(picked)} of them drawn at random"
    return Sheet(title=title, about=about, words=_words(words, [read for _, _, read in picked]))


def _rows(entry: Mapping[str, Any]) -> tuple[Dataset, dict[str, int]]:
    """The test set of an entry in ``study.json``, and the row of each uid.

    Raises:
        UserError: it is gone, or has changed, so that its pictures may be others than those read.
    """
    dataset = Dataset.open(Path(entry["path"]))
    if dataset.fingerprint != entry["fingerprint"]:
        raise UserError(f"dataset {entry['path']} has changed since.")
    uids = dataset.table(["uid"])["uid"].to_pylist()
    return dataset, {uid: row for row, uid in enumerate(uids)}


def _some(n: int, *key: str | int) -> list[int]:
    picked = stream(0, "report", *key).permutation(n)[:N_WORDS]
    return sorted(picked.tolist())


def _words(places: Sequence[tuple[Dataset, int]], reads: Sequence[str] | None = None) -> tuple[Word, ...]:
    """Fetch pictures, each dataset's in one go; broken ones are left out."""
    content: dict[int, dict[str, Any]] = {}
    for dataset in {id(d): d for d, _ in places}.values():
        mine = [i for i, (d, _) in enumerate(places) if d is dataset]
        rows = dataset.take(np.array([places[i][1] for i in mine]), ["image", "label"])
        content.update(zip(mine, rows, strict=True))
    words = []
    for i in range(len(places)):
        try:
            image = decode(content[i]["image"]["bytes"])
        except BrokenImageError:
            continue
        scale = min(HEIGHT_PX / image.shape[0], WIDTH_PX / image.shape[1])
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        uri = "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(small, 88)).decode()
        read = None if reads is None else reads[i]
        words.append(Word(uri=uri, width=size[0], height=size[1], label=content[i]["label"], read=read))
    return tuple(words)
