"""Finding labels that are wrong: words whose label a recognizer that never saw them disbelieves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray

from curation.core import recipe as recipes
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import read_json, refuse_existing, whole_folder, write_json
from curation.core.labels import protocol
from curation.mixing import MixRecipe, MixSource, mix
from curation.mixture import Mixture
from curation.subtracting import subtract
from train.data.packing import pack
from train.fit import fit
from train.learned import short_hashes
from train.recipe import TrainRecipe
from train.run_folder import BUILD, Run, differing, read_record
from train.suspects.folds import Folds
from train.suspects.scores import doubt

RECORD = "suspects.json"


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for, and how.

    Attributes:
        run: Its recipe is what the folds are trained by, on its mixture if that holds one of the datasets.
        datasets: Whose labels are judged.
        out: The folder for all that comes of it.
        folds: Recognizers to train, each without one fold of the words.
        steps: Of each training; None for as many as the run took.
        seed: Of the trainings.
    """

    run: Path
    datasets: tuple[Path, ...]
    out: Path
    folds: int = 3
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """All words and what was made of them.

    Attributes:
        table: A row a word that could be judged, worst first: ``rank``, ``uid``, ``dataset``, ``row``,
            ``label``, ``label_normalised``, ``prediction``, ``confidence``, ``loss``, ``score``, ``fold``.
        dropped: Words that could not, by reason.
        folds: For each fold its words, and how many were read as labelled.
        trained_on: ``mixture``: the run's, without a fold's words; ``datasets``: these alone.
    """

    table: pa.Table
    dropped: Counter[str]
    folds: list[dict[str, int]]
    trained_on: str


def judge(search: Search) -> Judged:
    """Train a recognizer without each fold of the words, and ask it what it thinks of their labels.

    Killed at any time, the same call goes on where it stopped, as trainings do.

    Raises:
        UserError: the run is unfinished, too few words, ``out`` is taken, or a recognizer that the run
            began from had learned some of the words.
    """
    record = read_record(search.run)
    recipe = _recipe(record, search)
    datasets = [Dataset.open(path) for path in search.datasets]
    _refuse_twice(datasets)
    base = _mixture_of(record, datasets)
    folds = Folds(datasets, search.folds)
    _begin(search, recipe, datasets, base)
    trained_on = "datasets" if base is None else "mixture"
    if base is None:
        base = _alone(search, recipe, datasets)
    missing = _left_out(base, datasets, folds)
    parts, dropped, told = [], Counter[str](), []
    for fold in range(search.folds):
        place = search.out / f"fold_{fold + 1}"
        click.echo(f"fold {fold + 1} of {search.folds}: training {place / 'run'}", err=True)
        _train(recipe, base, missing[fold], place, search.seed)
        tables = _score(place / "run", datasets, folds, fold, dropped)
        parts += tables
        alike = [pc.sum(pc.equal(t["prediction"], t["label_normalised"])).as_py() or 0 for t in tables]
        told.append({"n_words": sum(map(len, tables)), "n_read_as_labelled": sum(alike)})
    table = pa.concat_tables(parts)
    order = np.lexsort((table["loss"].to_numpy(), table["score"].to_numpy()))[::-1]
    table = table.take(order).add_column(0, "rank", pa.array(np.arange(1, len(table) + 1)))
    return Judged(table=table, dropped=dropped, folds=told, trained_on=trained_on)


def _recipe(record: Mapping[str, Any], search: Search) -> TrainRecipe:
    """The run's recipe, with the steps asked for and no measurements under way."""
    table = {key: value for key, value in record["recipe"].items() if key != "device"}
    built = recipes.build(TrainRecipe, table, where=f"{search.run}/run.json")
    return replace(built, steps=search.steps or built.steps, validate_every=0)


def _refuse_twice(datasets: Sequence[Dataset]) -> None:
    contents, names = {}, set()
    for dataset in datasets:
        if same := contents.get(dataset.fingerprint):
            raise UserError(f"{dataset.path} is the same dataset as {same}. Name it once.")
        if dataset.name in names:
            raise UserError(f"two datasets are called {dataset.name}. Rename the folder of one.")
        contents[dataset.fingerprint] = dataset.path
        names.add(dataset.name)


def _mixture_of(record: Mapping[str, Any], datasets: Sequence[Dataset]) -> Mixture | None:
    """The run's mixture if it holds all of the datasets, so that its other words can help; else None."""
    path, fingerprint = record["recipe"].get("mixture"), (record.get("mixture") or {}).get("fingerprint")
    if path is None:
        return None
    try:
        mixture = Mixture.open(Path(path))
    except UserError as error:
        click.echo(
            f"The run's mixture cannot be used, so the datasets alone are trained on: {error}", err=True
        )
        return None
    held = {dataset.fingerprint for dataset in mixture.datasets()}
    if mixture.fingerprint != fingerprint or not {d.fingerprint for d in datasets} <= held:
        why = "is no longer that of the run" if mixture.fingerprint != fingerprint else "lacks a dataset"
        click.echo(f"The mixture {path} {why}, so the datasets alone are trained on.", err=True)
        return None
    return mixture


def _begin(search: Search, recipe: TrainRecipe, datasets: Sequence[Dataset], base: Mixture | None) -> None:
    """Begin the folder ``out``, or go on with it if it is this search's unfinished work."""
    left_aside = ("mixture", "threads")
    job = {
        "recipe": {k: v for k, v in recipes.resolved(recipe).items() if k not in left_aside},
        "datasets": [dataset.fingerprint for dataset in datasets],
        "mixture": base and base.fingerprint,
        "folds": search.folds,
        "seed": search.seed,
    }
    begun = search.out / BUILD / "job.json"
    if (search.out / RECORD).is_file() or not begun.is_file():
        refuse_existing(search.out)
        with whole_folder(search.out) as draft:
            (draft / BUILD).mkdir()
            write_json(draft / BUILD / "job.json", job)
    elif keys := differing(read_json(begun), json.loads(json.dumps(job))):
        raise UserError(
            f"output {search.out} holds an unfinished search that differs in: {', '.join(keys)}. "
            "Repeat the command it was begun with, or remove the folder."
        )


def _alone(search: Search, recipe: TrainRecipe, datasets: Sequence[Dataset]) -> Mixture:
    """All words of the datasets, each once a pass, as a mixture."""
    out = search.out / "words"
    if not (out / "manifest.json").is_file():
        source = MixSource(name="words", paths=tuple(dataset.path for dataset in datasets))
        mix(MixRecipe(sources=(source,), protocol=recipe.protocol, allow_test=True), out)
    return Mixture.open(out)


def _left_out(base: Mixture, datasets: Sequence[Dataset], folds: Folds) -> list[dict[int, NDArray[np.int64]]]:
    """For each fold, the rows of the mixture's datasets that its recognizer must not see."""
    first = np.cumsum([0, *map(len, datasets)])
    ours = {dataset.fingerprint: i for i, dataset in enumerate(datasets)}
    missing: list[dict[int, NDArray[np.int64]]] = [{} for _ in range(int(folds.of.max()) + 1)]
    for number, dataset in enumerate(base.datasets()):
        i = ours.get(dataset.fingerprint)
        if i is None:
            rows = folds.of_copies(dataset)
        else:
            part = folds.of[first[i] : first[i + 1]]
            rows = [np.flatnonzero(part == fold) for fold in range(len(missing))]
        for fold, here in enumerate(rows):
            missing[fold][number] = here
    return missing


def _train(
    recipe: TrainRecipe, base: Mixture, missing: dict[int, NDArray[np.int64]], place: Path, seed: int
) -> None:
    if not (place / "mixture" / "manifest.json").is_file():
        place.mkdir(exist_ok=True)
        subtract(base, missing, place / "mixture")
    if not (place / "run" / "run.json").is_file():
        fit(recipe, place / "run", seed=seed, mixture=place / "mixture")


def _score(
    path: Path, datasets: Sequence[Dataset], folds: Folds, fold: int, dropped: Counter[str]
) -> list[pa.Table]:
    """Judge the words of one fold; count those that cannot be."""
    run = Run.open(path, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    tables, first = [], 0
    for dataset in datasets:
        rows = np.flatnonzero(folds.of[first : first + len(dataset)] == fold)
        first += len(dataset)
        _refuse_seen(run, dataset, rows)
        tables.append(_judge_rows(run, dataset, rows, fold, dropped))
    return tables


def _refuse_seen(run: Run, dataset: Dataset, rows: NDArray[np.int64]) -> None:
    """What the recognizer began from may have learned words that it was not to see."""
    n = np.count_nonzero(np.isin(short_hashes(dataset, "uid", rows), run.trained_on.uids))
    if n:
        raise UserError(
            f"the weights that the run began from had learned {n:,} of the words in {dataset.path}. "
            "Give a run that began from scratch, or from weights that have not seen them."
        )


def _judge_rows(
    run: Run, dataset: Dataset, rows: NDArray[np.int64], fold: int, dropped: Counter[str]
) -> pa.Table:
    packed = pack(dataset, size=run.image_size)
    columns = dataset.table(["uid", "label"]).take(rows)
    rules = protocol(run.record["recipe"]["protocol"])
    normalised = [rules.normalise(label or "") for label in columns["label"].to_pylist()]
    _, unlearnable = run.recognizer.encode([label for label, _ in normalised])
    reasons = [
        "broken_image" if row in packed.broken else why or reason
        for row, (_, why), reason in zip(rows.tolist(), normalised, unlearnable, strict=True)
    ]
    dropped.update(reason for reason in reasons if reason is not None)
    kept = np.array([reason is None for reason in reasons], bool)
    labels = [label for (label, _), reason in zip(normalised, reasons, strict=True) if reason is None]
    doubts = doubt(run, packed.take(rows[kept]), labels)
    words = columns.take(np.flatnonzero(kept))
    return pa.table(
        {
            "uid": words["uid"],
            "dataset": [dataset.name] * len(words),
            "row": rows[kept],
            "label": words["label"],
            "label_normalised": pa.array(labels, pa.string()),
            "prediction": pa.array([reading.text for reading in doubts.readings], pa.string()),
            "confidence": pa.array([reading.confidence for reading in doubts.readings], pa.float32()),
            "loss": pa.array(doubts.losses, pa.float64()),
            "score": pa.array(doubts.scores, pa.float64()),
            "fold": pa.array([fold + 1] * len(words), pa.int32()),
        }
    )
