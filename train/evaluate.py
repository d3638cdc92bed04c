"""Measuring a trained recognizer on datasets, word by word, so that any comparison can be made later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import refuse_existing, whole
from curation.core.labels import Protocol
from curation.core.labels import protocol as find_protocol
from train.batches import short_hashes
from train.metrics import bootstrap_mean, edit_distance, similarity, weighted_mean, wilson
from train.models import Reading
from train.packing import pack
from train.run_folder import Run, refuse_missing_characters
from train.training import read_all


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """How well a run reads one dataset. Shares are 0-1, intervals 95 %.

    Attributes:
        name: The dataset's folder name.
        fingerprint: The dataset's fingerprint.
        protocol: How labels and predictions were normalised.
        n_total: Words in the dataset.
        n_used: Words that take part.
        dropped: Words that do not, by reason.
        n_correct: Words read without an error.
        accuracy: Word accuracy, ``n_correct / n_used``.
        accuracy_low: Lower end of its Wilson interval.
        accuracy_high: Upper end.
        one_minus_ned: Mean of 1 - edit distance / length of the longer of prediction and label.
        one_minus_ned_low: Lower end of its bootstrap interval.
        one_minus_ned_high: Upper end.
        n_trained_on: Words whose uid or image file the run learned from.
    """

    name: str
    fingerprint: str
    protocol: str
    n_total: int
    n_used: int
    dropped: dict[str, int]
    n_correct: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    one_minus_ned: float
    one_minus_ned_low: float
    one_minus_ned_high: float
    n_trained_on: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Average:
    """Accuracy and 1-NED over several datasets: by words (``weighted``) and by sets (``unweighted``)."""

    n_used: int
    accuracy_weighted: float
    accuracy_unweighted: float
    one_minus_ned_weighted: float
    one_minus_ned_unweighted: float


def evaluate(
    run: Path, datasets: Sequence[Path], *, protocol: str = "parseq36", out: Path | None = None
) -> list[Score]:
    """Measure the run in the folder ``run`` on each dataset, and store every prediction.

    Predictions go to ``<dataset name>.parquet``, one row a word that takes part, in the dataset's order.

    Args:
        run: A finished run.
        datasets: Folders of datasets.
        protocol: How labels and predictions are normalised before they are compared.
        out: Folder for the predictions; None for ``predictions`` in the run.

    Raises:
        UserError: a folder is not what it should be, a dataset has no word that takes part or has
            characters the run does not read, two datasets share a name, or predictions under another
            protocol would be overwritten.
    """
    chosen = find_protocol(protocol)
    opened = [Dataset.open(path) for path in datasets]  # all mistakes in the paths before any work
    out = out or run / "predictions"
    if not out.is_dir():
        refuse_existing(out)
    for dataset in opened:
        _refuse_name_clash(dataset, opened, chosen, out)
    loaded = Run.open(run, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    out.mkdir(parents=True, exist_ok=True)
    return [_evaluate_one(loaded, dataset, chosen, out) for dataset in opened]


def average(scores: Sequence[Score]) -> Average:
    """Average over datasets, both ways, since published tables use either."""
    weights = [score.n_used for score in scores]
    accuracy, ned = [s.accuracy for s in scores], [s.one_minus_ned for s in scores]
    return Average(
        n_used=sum(weights),
        accuracy_weighted=weighted_mean(accuracy, weights),
        accuracy_unweighted=float(np.mean(accuracy)),
        one_minus_ned_weighted=weighted_mean(ned, weights),
        one_minus_ned_unweighted=float(np.mean(ned)),
    )


def _evaluate_one(run: Run, dataset: Dataset, protocol: Protocol, out: Path) -> Score:
    packed = pack(dataset, size=run.image_size)
    columns = dataset.table(["uid", "label"])
    normalised = [protocol.normalise(label) for label in columns["label"].to_pylist()]
    reasons = ["broken_image" if i in packed.broken else why for i, (_, why) in enumerate(normalised)]
    used = np.array([i for i, why in enumerate(reasons) if why is None], np.int64)
    dropped = Counter(why for why in reasons if why is not None)
    if not len(used):
        counts = ", ".join(f"{n} {why}" for why, n in sorted(dropped.items())) or "it is empty"
        raise UserError(
            f"dataset {dataset.path} has no word that counts under protocol {protocol.name} ({counts}). "
            "Check its labels, or choose another protocol."
        )
    labels = [normalised[i][0] for i in used]
    refuse_missing_characters(run, protocol, labels, str(dataset.path))
    readings = read_all(run.recognizer, packed.images[used], run.record["recipe"]["precision"])
    words = columns.take(used)
    table = _table(words["uid"].to_pylist(), words["label"].to_pylist(), labels, readings, protocol)
    with whole(out / f"{dataset.name}.parquet") as draft:
        facts = {"dataset": dataset.fingerprint, "protocol": protocol.name}
        pq.write_table(table.replace_schema_metadata(facts), draft)
    return _score(table, dataset, protocol, dict(dropped), _count_trained_on(run, dataset))


def _table(
    uids: list[str], raw: list[str], labels: list[str], readings: list[Reading], protocol: Protocol
) -> pa.Table:
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


def _score(
    table: pa.Table, dataset: Dataset, protocol: Protocol, dropped: dict[str, int], n_trained_on: int
) -> Score:
    n, n_correct = len(table), int(np.count_nonzero(table["correct"].to_numpy()))
    columns = (table[name].to_pylist() for name in ("prediction_normalised", "label_normalised"))
    alike = np.array([similarity(read, label) for read, label in zip(*columns, strict=True)])
    low, high = wilson(n_correct, n)
    ned_low, ned_high = bootstrap_mean(alike)
    return Score(
        name=dataset.name,
        fingerprint=dataset.fingerprint,
        protocol=protocol.name,
        n_total=len(dataset),
        n_used=n,
        dropped=dict(sorted(dropped.items())),
        n_correct=n_correct,
        accuracy=n_correct / n,
        accuracy_low=low,
        accuracy_high=high,
        one_minus_ned=float(alike.mean()),
        one_minus_ned_low=ned_low,
        one_minus_ned_high=ned_high,
        n_trained_on=n_trained_on,
    )


def _count_trained_on(run: Run, dataset: Dataset) -> int:
    """Count the words that the run learned from, and warn if there are any."""
    same_image = np.isin(short_hashes(dataset, "sha256"), run.trained_on.images)
    same_uid = np.isin(short_hashes(dataset, "uid"), run.trained_on.uids)
    n = int(np.count_nonzero(same_image | same_uid))
    if n:
        click.echo(f"Warning: run {run.path} was trained on {n} of the words in {dataset.path}.", err=True)
    return n


def _refuse_name_clash(dataset: Dataset, others: Sequence[Dataset], protocol: Protocol, out: Path) -> None:
    if sum(other.name == dataset.name for other in others) > 1:
        raise UserError(f"two datasets are called {dataset.name}. Rename the folder of one.")
    path = out / f"{dataset.name}.parquet"
    if not path.is_file():
        return
    try:
        facts = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        raise UserError(f"{path} is damaged. Remove it, or give another folder with -o.") from None
    if facts.get(b"dataset", b"").decode() != dataset.fingerprint:
        raise UserError(
            f"{path} holds predictions on another dataset of that name. "
            f"Rename the folder {dataset.path}, or remove that file."
        )
    if (before := facts.get(b"protocol", b"").decode()) != protocol.name:
        raise UserError(
            f"{path} holds predictions under protocol {before}, and a study may count on them. "
            f"Give another folder with -o for those under {protocol.name}."
        )
