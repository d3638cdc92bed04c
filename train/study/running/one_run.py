"""One run of a study: its mixtures, its training stage by stage, its evaluation, its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.core.files import read_json
from curation.core.fingerprint import sha256_json
from curation.core.recipe import resolved
from curation.mixing import mix
from train.inits.run import FromRun
from train.recipe import TrainRecipe
from train.study.cells import Stage, changed, samples_seen
from train.study.model_cost import training_flops
from train.study.plan import Plan, Run, mixture_of
from train.study.rows import Row, Study
from train.study.running import kept

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """The things a study does that take long; tests put quicker ones in their place.

    Attributes:
        fit: As ``train.fit.fit``.
        evaluate: As ``train.evaluation.evaluate.evaluate``.
        forecast: As ``train.study.forecast.forecast``; None where no cell is held out.

    Worker processes are sent them, so they are functions of a module or objects of its classes.
    """

    fit: Callable[..., Record]
    evaluate: Callable[..., list[Any]]
    forecast: Callable[..., dict[str, Any]] | None = None


def real_steps() -> Steps:
    """Training and evaluation as ``glyphmix train`` and ``glyphmix evaluate`` do them."""
    from train.evaluation.evaluate import evaluate
    from train.fit import fit

    return Steps(fit=fit, evaluate=evaluate, forecast=_forecast)


def _forecast(study: Study, held_out: Sequence[str]) -> dict[str, Any]:
    from train.study.answers.forecast import forecast  # and scipy, which worker processes do without

    return forecast(study, held_out)


def folder_names(run: Run) -> list[str]:
    """The folder of each stage below ``mixtures`` and ``runs``: the last one's is the run's name."""
    n = len(run.cell.stages)
    return [run.name if i == n else f"{run.name}.{i}" for i in range(1, n + 1)]


def trained(study: Plan, run: Run, out: Path, steps: Steps) -> list[Record]:
    """Do the mixtures and trainings of a run, or what a kill left of them: one record for each stage."""
    records: list[Record] = []
    before: Path | None = None
    for name, stage in zip(folder_names(run), run.cell.stages, strict=True):
        mixture, folder = out / "mixtures" / name, out / "runs" / name
        spec = mixture_of(study.recipe, stage.words)
        if not mixture.exists():
            mixture.parent.mkdir(exist_ok=True)
            mix(spec, mixture, seed=run.seed)
        manifest = kept.mixture(mixture, spec, run.seed)
        recipe = _after(replace(changed(study.recipe.training, stage.changes), threads=study.threads), before)
        folder.parent.mkdir(exist_ok=True)
        if not (folder / "run.json").is_file():
            steps.fit(recipe, folder, seed=run.seed, mixture=mixture)
        records.append(kept.record(folder, recipe, run.seed, manifest))
        before = folder
    return records


def one(study: Plan, run: Run, out: Path, steps: Steps) -> Row:
    """Do one run, or what a kill left of it: mixtures, trainings, evaluation."""
    records = trained(study, run, out, steps)
    scores = kept.scores(study, out / "runs" / run.name, steps.evaluate)
    mixtures = [read_json(out / "mixtures" / name / "manifest.json") for name in folder_names(run)]
    return row_of(study, run, mixtures, records, scores)


def row_of(
    study: Plan,
    run: Run,
    mixtures: Sequence[Mapping[str, Any]],
    records: Sequence[Record],
    scores: list[dict[str, Any]],
) -> Row:
    """Everything needed to repeat the run and to compare it; only ``timing`` differs when it is repeated."""
    last, words = records[-1], run.cell.words
    stages = [_stage(*each) for each in zip(run.cell.stages, records, strict=True)]
    kinds = {part.name: part.kind for part in study.recipe.parts}
    return {
        "run": run.name,
        "cell": run.cell.name,
        "seed": run.seed,
        "words": {part: words.get(part, 0) for part in kinds},
        **{f"n_{kind}": _of_kind(words, kinds, kind) for kind in ("real", "synthetic")},
        "n_total": run.cell.n_words,
        "unique": {part: max(stage["unique"][part] for stage in stages) for part in kinds},
        "seen": {part: sum(stage["seen"][part] for stage in stages) for part in kinds},
        "left_out": {source["name"]: source["left_out"] for source in mixtures[-1]["sources"]},
        "unlearnable": last["unlearnable"],
        "steps": sum(record["steps"] for record in records),
        "samples_seen": sum(record["samples_seen"] for record in records),
        "model": last["recipe"]["model"]["kind"],
        "parameters": last["parameters"],
        "flops": _flops(study, run),
        "device": last["device"],
        "threads": last["recipe"]["threads"],
        "validation": last["validation"],
        "tests": scores,
        "stages": stages,
        "recipe": sha256_json(resolved(study.recipe)),
        "mixture": last["mixture"]["fingerprint"],
        "datasets": {entry["path"]: entry["fingerprint"] for entry in study.datasets},
        "versions": last["versions"],
        "git_commit": last["git_commit"],
        "timing": _timing([record["timing"] for record in records]),
    }


def _flops(study: Plan, run: Run) -> int:
    """Floating-point operations of all stages' training."""
    train = study.recipe.training
    return sum(
        training_flops(changed(train, stage.changes).model, train.protocol, samples_seen(stage, train))
        for stage in run.cell.stages
    )


def _after(recipe: TrainRecipe, before: Path | None) -> TrainRecipe:
    return recipe if before is None else replace(recipe, init=FromRun(path=before))


def _stage(stage: Stage, record: Record) -> dict[str, Any]:
    sources = record["mixture"]["sources"]
    return {
        "words": {source["name"]: stage.words.get(source["name"], 0) for source in sources},
        "unique": {source["name"]: source["unique"] for source in sources},
        "seen": {source["name"]: source["seen"] for source in sources},
        "steps": record["steps"],
        "samples_seen": record["samples_seen"],
        "unlearnable": record["unlearnable"],
        "mixture": record["mixture"]["fingerprint"],
    }


def _of_kind(words: Mapping[str, int], kinds: Mapping[str, str], kind: str) -> int:
    return sum(n for part, n in words.items() if kinds[part] == kind)


def _timing(timings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Times of all stages together, the most of their memory; the speed of the last."""
    found = dict(timings[-1])
    for key in ("seconds", "processor_seconds"):
        if key in found:
            found[key] = round(sum(timing[key] for timing in timings), 1)
    for key in ("peak_memory_mb", "peak_gpu_memory_mb"):
        if key in found:
            found[key] = max(timing.get(key, 0.0) for timing in timings)
    return found
