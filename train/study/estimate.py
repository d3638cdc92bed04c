"""What a study will cost, said before its first run: steps of every model are timed, disk is reckoned."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from curation.core.labels import protocol
from curation.core.recipe import resolved
from train.averages.none import NoAverage
from train.cost import MB
from train.dry_run import MOST_PARAMETERS, duration, learning_speed
from train.inits.scratch import Scratch
from train.models.base import count_parameters
from train.recipe import TrainRecipe, resolve
from train.study.cells import Stage, changed, samples_seen
from train.study.plan import Plan, Run
from train.training import Training

WEIGHT = 4  # bytes of a parameter
WORD_PREDICTED = 45  # bytes of a line of predictions, as measured on iiit5k and cute80
WORD_LEARNED = 16  # bytes of a word's fingerprints in trained_on.npz


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What the runs of a study that have not finished will take.

    Attributes:
        runs: How many they are.
        jobs: How many of them run at once.
        device: What they run on.
        samples: Words that they see in training, repeats counted.
        words_per_second: Model, parameters, words of a batch -> words a second in training, one run alone;
            None for a model that was not tried.
        seconds: Wall time of all trainings; None if a model was not tried. Packing words and reading the
            tests come on top.
        weights_mb: Of disk for weights and fingerprints, which stay.
        predictions_mb: Of disk for predictions on the tests, which stay.
        checkpoints_mb: Of disk for checkpoints of the runs at work, at the most.
    """

    runs: int
    jobs: int
    device: str
    samples: int
    words_per_second: dict[str, float | None]
    seconds: float | None
    weights_mb: float
    predictions_mb: float
    checkpoints_mb: float

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def text(self) -> str:
        """As two lines and one for each model."""
        at_once = f", {self.jobs} at once" if self.jobs > 1 else ""
        lines = [
            f"time   {self._time()} for {self.runs:,} runs{at_once} on {self.device}: {self.samples:,} words "
            "seen; packing them and reading the tests come on top"
        ]
        for model, rate in self.words_per_second.items():
            tried = (
                f"{rate:,.0f} words/s, tried on a few steps"
                if rate
                else (f"not tried: more than {MOST_PARAMETERS:,} parameters on a processor")
            )
            lines.append(f"       {model}: {tried}")
        stays = self.weights_mb + self.predictions_mb
        lines += [
            f"disk   {stays:,.1f} MB: weights {self.weights_mb:,.1f}, predictions {self.predictions_mb:,.1f}",
            f"       and up to {self.checkpoints_mb:,.1f} MB of checkpoints while runs are at work",
        ]
        return "\n".join(lines)

    def _time(self) -> str:
        return "unknown" if self.seconds is None else f"about {duration(self.seconds)}"


def estimate(study: Plan, out: Path, jobs: int = 1) -> Estimate:
    """Say what the runs of a study that have no row yet will take.

    Args:
        study: The checked study.
        out: Its folder, which need not exist.
        jobs: Runs at once; their speed is taken not to suffer from each other.
    """
    left = [run for run in study.runs if not (out / "runs" / run.name / "row.json").is_file()]
    recipes = {run.name: _recipes(study, run, out, jobs) for run in left}
    models = {key: recipe for each in recipes.values() for key, recipe in each}
    tried = {key: _Tried.of(recipe) for key, recipe in models.items()}
    train, samples = study.recipe.train, 0
    seconds: float | None = 0.0  # None once a model was not tried
    for run in left:
        for stage, (key, _) in zip(run.cell.stages, recipes[run.name], strict=True):
            n = samples_seen(stage, train)
            samples, rate = samples + n, tried[key].rate
            seconds = None if seconds is None or not rate else seconds + n / rate
    at_once = max(1, min(jobs, len(left)))
    n_test = sum(entry["n_rows"] for entry in study.datasets if entry["role"] == "test")
    return Estimate(
        runs=len(left),
        jobs=at_once,
        device=resolve(train, out).device,
        samples=samples,
        words_per_second={t.name: t.rate and round(t.rate, 1) for t in tried.values()},
        seconds=None if seconds is None else round(seconds / at_once, 1),
        weights_mb=_mb(sum(_kept(run, [tried[key] for key, _ in recipes[run.name]]) for run in left)),
        predictions_mb=_mb(len(left) * n_test * WORD_PREDICTED),
        checkpoints_mb=_mb(at_once * max((t.checkpoints for t in tried.values()), default=0)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tried:
    """One model of a study: what it is called, its words a second, its parameters, bytes of checkpoints."""

    name: str
    rate: float | None
    parameters: int
    checkpoints: int

    @classmethod
    def of(cls, recipe: TrainRecipe) -> _Tried:
        charset = protocol(recipe.protocol).charset
        assert charset is not None
        recipe = replace(recipe, compile=False, accumulate=1, init=Scratch())  # its time tells of the next
        training = Training(recipe, 0, charset, torch.device(recipe.device))
        n = count_parameters(training.network)
        copies = 3 if isinstance(recipe.average, NoAverage) else 4  # weights, two moments, their average
        return cls(
            name=f"{recipe.model.kind}, {n:,} parameters, batches of {recipe.batch:,}",
            rate=learning_speed(training),
            parameters=n,
            checkpoints=2 * copies * n * WEIGHT,  # the last one and the one before it
        )


def _recipes(study: Plan, run: Run, out: Path, jobs: int) -> list[tuple[str, TrainRecipe]]:
    """For each stage of a run what its speed depends on, as text, and its resolved recipe."""
    found = []
    for stage in run.cell.stages:
        recipe = resolve(_recipe(study, stage), out)
        if study.recipe.train.threads is None:
            recipe = replace(recipe, threads=max(1, (recipe.threads or 1) // jobs))
        table = resolved(recipe)
        found.append((str([table[key] for key in ("model", "batch", "optimizer", "augment")]), recipe))
    return found


def _recipe(study: Plan, stage: Stage) -> TrainRecipe:
    return changed(study.recipe.training, stage.changes)


def _mb(n_bytes: int) -> float:
    return round(n_bytes / MB, 2)


def _kept(run: Run, stages: list[_Tried]) -> int:
    """Bytes of weights and fingerprints that a run leaves behind."""
    words = sum(stage.n_words for stage in run.cell.stages)
    return sum(stage.parameters for stage in stages) * WEIGHT + words * WORD_LEARNED
