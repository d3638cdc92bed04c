"""Measuring a trained recognizer on datasets, word by word, so that any comparison can be made later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import refuse_existing, whole
from curation.core.fingerprint import sha256_file
from curation.core.labels import Protocol
from curation.core.labels import protocol as find_protocol
from curation.core.text import counted
from train.data.packing import pack
from train.evaluation.metrics import edit_distance
from train.evaluation.scores import Average, Measured, Score, average, score_of
from train.learned import is_learned
from train.models import Reading
from train.run_folder import Run
from train.training import read_all

__all__ = ["Average", "Score", "average", "evaluate", "measure"]

AT_ONCE_BYTES = 100_000_000  # of the pictures that are held at a time
BATCH = 256  # words read at a time; pictures are fetched for several batches


def evaluate(
    run: Path,
    datasets: Sequence[Path],
    *,
    protocol: str = "parseq36",
    out: Path | None = None,
    allow_unreadable: bool = False,
) -> list[Score]:
    """Measure the run in the folder ``run`` on each dataset, and store every prediction.

    Predictions go to ``<dataset name>.parquet``, one row a word that takes part, in the dataset's order.

    Args:
        run: A finished run.
        datasets: Folders of datasets.
        protocol: How labels and predictions are normalised before they are compared.
        out: Folder for the predictions; None for ``predictions`` in the run.
        allow_unreadable: Count words with characters that the run does not read as misread, and warn,
            instead of refusing them.

    Raises:
        UserError: a folder is not what it should be, a dataset has no word that takes part or has
            characters the run does not read, two datasets share a name, or predictions of another run or
            under another protocol would be overwritten.
    """
    how = {"protocol": protocol, "out": out, "allow_unreadable": allow_unreadable}
    return [one.score for one in measure(run, datasets, **how)]


def measure(
    run: Path,
    datasets: Sequence[Path],
    *,
    protocol: str = "parseq36",
    out: Path | None = None,
    allow_unreadable: bool = False,
) -> list[Measured]:
    """As ``evaluate``, with every prediction beside the scores."""
    chosen = find_protocol(protocol)
    opened = [Dataset.open(path) for path in datasets]  # all mistakes in the paths before any work
    out = out or run / "predictions"
    refuse_clashes(opened, protocol, out)
    loaded = Run.open(run, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    for dataset in opened:  # labels that cannot be compared are found before the first picture is read
        labels = [label for label, why in _normalised(dataset, chosen) if why is None]
        _look_for_unreadable(loaded, chosen, labels, dataset, allow_unreadable)
    weights = sha256_file(run / "model.pt")
    for dataset in opened:
        _refuse_another_run(out / f"{dataset.name}.parquet", run, weights)
    out.mkdir(parents=True, exist_ok=True)
    return [_measure_one(loaded, weights, dataset, chosen, out) for dataset in opened]


def refuse_clashes(datasets: Sequence[Dataset], protocol: str, out: Path) -> None:
    """Raise a UserError if predictions on ``datasets`` cannot go to the folder ``out``."""
    if not out.is_dir():
        refuse_existing(out)
    for dataset in datasets:
        _refuse_name_clash(dataset, datasets, find_protocol(protocol), out)


def _normalised(dataset: Dataset, protocol: Protocol) -> list[tuple[str, str | None]]:
    found = [protocol.normalise(label or "") for label in dataset.table(["label"])["label"].to_pylist()]
    if all(why is not None for _, why in found):
        _refuse_none(dataset, protocol, [why for _, why in found])
    return found


def _refuse_none(dataset: Dataset, protocol: Protocol, reasons: Sequence[str | None]) -> NoReturn:
    counts = counted(Counter(why for why in reasons if why is not None), none="it is empty")
    suspect = "pictures" if set(reasons) == {"broken_image"} else "labels"
    raise UserError(
        f"dataset {dataset.path} has no word that counts under protocol {protocol.name} ({counts}). "
        f"Check its {suspect}, or choose another protocol."
    )


def _measure_one(run: Run, weights: str, dataset: Dataset, protocol: Protocol, out: Path) -> Measured:
    normalised = _normalised(dataset, protocol)
    packed = pack(dataset, size=run.image_size)
    reasons = ["broken_image" if i in packed.broken else why for i, (_, why) in enumerate(normalised)]
    used = np.array([i for i, why in enumerate(reasons) if why is None], np.int64)
    dropped = Counter(why for why in reasons if why is not None)
    if not len(used):
        _refuse_none(dataset, protocol, reasons)
    labels = [normalised[i][0] for i in used]
    readings: list[Reading] = []
    each = int(np.prod(packed.images.shape[1:]))
    at_once = BATCH * max(1, AT_ONCE_BYTES // (BATCH * each))
    for start in range(0, len(used), at_once):
        images = packed.images[used[start : start + at_once]]
        readings += read_all(run.recognizer, images, run.record["recipe"]["precision"])
    words = dataset.table(["uid", "label"]).take(used)
    table = predictions(words["uid"].to_pylist(), words["label"].to_pylist(), labels, readings, protocol)
    with whole(out / f"{dataset.name}.parquet") as draft:
        facts = {"dataset": dataset.fingerprint, "protocol": protocol.name, "weights": weights}
        pq.write_table(table.replace_schema_metadata(facts), draft)
    score = score_of(table, dataset, protocol, dropped, _count_trained_on(run, dataset))
    return Measured(score=score, dataset=dataset, rows=used, table=table)


def predictions(
    uids: list[str], raw: list[str], labels: list[str], readings: list[Reading], protocol: Protocol
) -> pa.Table:
    """The table that is stored: one row a word, ``labels`` being the normalised ``raw`` ones."""
    read = [protocol.normalise_prediction(reading.text) for reading in readings]
    distance = [edit_distance(p, label) for p, label in zip(read, labels, strict=True)]
    return pa.table(
        {
            "uid": uids,
            "label": raw,
            "label_normalised": labels,
            "prediction": [reading.text for reading in readings],
            "prediction_normalised": read,
            "confidence": pa.array([reading.confidence for reading in readings], pa.float32()),
            "correct": [p == label for p, label in zip(read, labels, strict=True)],
            "edit_distance": pa.array(distance, pa.int32()),
            "length": pa.array([len(label) for label in labels], pa.int32()),
        }
    )


def _look_for_unreadable(
    run: Run, protocol: Protocol, labels: list[str], dataset: Dataset, allow: bool
) -> None:
    """Refuse normalised ``labels`` with characters that the run does not read, or warn of them."""
    missing = sorted(set().union(*labels) - set(run.recognizer.charset))
    if not missing:
        return
    strange = set(missing)
    n = sum(not strange.isdisjoint(label) for label in labels)
    told = (
        f"run {run.path} does not read {' '.join(missing[:10])}{' ...' if missing[10:] else ''}, which "
        f"{n:,} labels of {dataset.path} have under protocol {protocol.name}"
    )
    if not allow:
        raise UserError(
            f"{told}. Evaluate with --protocol {run.record['recipe']['protocol']}, or with "
            "--allow-unreadable, which counts such words as misread."
        )
    click.echo(f"Warning: {told}: they count as misread.", err=True)


def _count_trained_on(run: Run, dataset: Dataset) -> int:
    """Count the words that the run learned from, and warn if there are any."""
    n = int(np.count_nonzero(is_learned(dataset, run.trained_on)))
    if n:
        click.echo(f"Warning: run {run.path} was trained on {n} of the words in {dataset.path}.", err=True)
    return n


def _refuse_name_clash(dataset: Dataset, others: Sequence[Dataset], protocol: Protocol, out: Path) -> None:
    if sum(other.name == dataset.name for other in others) > 1:
        raise UserError(f"two datasets are called {dataset.name}. Rename the folder of one.")
    path = out / f"{dataset.name}.parquet"
    if not (facts := _facts(path)):
        return
    if facts.get("dataset") != dataset.fingerprint:
        raise UserError(
            f"{path} holds predictions on another dataset of that name. "
            f"Rename the folder {dataset.path}, or remove that file."
        )
    if (before := facts.get("protocol")) != protocol.name:
        raise UserError(
            f"{path} holds predictions under protocol {before}, and a study may count on them. "
            f"Give another folder with -o for those under {protocol.name}."
        )


def _refuse_another_run(path: Path, run: Path, weights: str) -> None:
    if _facts(path).get("weights", weights) != weights:  # earlier versions did not write them
        raise UserError(
            f"{path} holds predictions of another run. "
            f"Give another folder with -o for those of {run}, or remove that file."
        )


def _facts(path: Path) -> dict[str, str]:
    """What the predictions in ``path`` are on; empty if there is no such file."""
    if not path.is_file():
        return {}
    try:
        facts = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        raise UserError(f"{path} is damaged. Remove it, or give another folder with -o.") from None
    return {"dataset": ""} | {key.decode(): value.decode() for key, value in facts.items()}
