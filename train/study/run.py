"""Running a study: everything checked before the first run, one row for each that finishes."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.files import read_json, write_text
from curation.core.fingerprint import sha256_json
from curation.core.recipe import resolved
from curation.mixing import mix
from train.study.begin import begun
from train.study.plan import Plan, Run, mixture_of
from train.study.recipe import Cell, StudyRecipe
from train.study.rows import Row, append_row, read_rows, refuse_strange


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """The two things a run does that take long; tests put quicker ones in their place."""

    fit: Callable[..., dict[str, Any]]
    evaluate: Callable[..., list[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How a study ended: rows of all finished runs, and for each failed run what was wrong."""

    rows: list[Row]
    failed: dict[str, str] = field(default_factory=dict)


def ablate(
    study: Plan,
    out: Path,
    *,
    toml: str,
    command: str | None = None,
    steps: Steps | None = None,
    tell: Callable[[str], None] = print,
) -> Result:
    """Do the runs of a study that have not finished, one after another.

    Args:
        study: The checked study.
        out: Its folder: new, or the same study's. Killed at any time, the same call goes on.
        toml: The recipe's text, kept for the reader.
        command: What does everything again; None for the commands of datasets and study one by one.
        steps: Training and evaluation; None for the real ones.
        tell: Called with a line of text as each run begins or fails.

    Raises:
        UserError: ``out`` holds something else, this study with another recipe or changed datasets, or
            another process is running it.
    """
    steps = steps or _real_steps()
    with begun(study, out, toml=toml, command=command):
        found = read_rows(out / "runs.jsonl")
        refuse_strange(found, [run.name for run in study.runs], out)
        rows = {row["run"]: row for row in found}
        failed = {}
        for number, run in enumerate(study.runs, 1):
            if run.name in rows:
                continue
            tell(f"run {number} of {len(study.runs)}: {run.name}, {_words(study.recipe, run.cell)}")
            try:
                rows[run.name] = _finished(study, run, out, steps, tell)
            except _RunFailedError as failure:
                failed[run.name] = str(failure)
    return Result(rows=[rows[run.name] for run in study.runs if run.name in rows], failed=failed)


class _RunFailedError(Exception):
    """One run of several did not work out; the message says why."""


def _finished(study: Plan, run: Run, out: Path, steps: Steps, tell: Callable[[str], None]) -> Row:
    """Do one run and keep its row, or keep what went wrong and raise ``_RunFailedError``."""
    trace = out / "runs" / f"{run.name}.error.txt"
    try:
        row = _one(study, run, out, steps)
    except Exception as error:  # whatever stops one run must not stop the others
        name = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        trace.parent.mkdir(exist_ok=True)
        write_text(trace, traceback.format_exc())
        tell(f"run {run.name} failed: {name}{error} (traceback in {trace})")
        raise _RunFailedError(f"{name}{error}") from None
    append_row(out / "runs.jsonl", row)
    trace.unlink(missing_ok=True)
    return row


def _real_steps() -> Steps:
    from train.evaluation.evaluate import evaluate
    from train.fit import fit

    return Steps(fit=fit, evaluate=evaluate)


def _words(recipe: StudyRecipe, cell: Cell) -> str:
    return f"{cell.n_real:,} {recipe.real.name} + {cell.n_synthetic:,} {recipe.synthetic.name} words"


def _one(study: Plan, run: Run, out: Path, steps: Steps) -> Row:
    """Do one run, or what a kill left of it: mixture, training, evaluation."""
    recipe = study.recipe
    mixture, folder = out / "mixtures" / run.name, out / "runs" / run.name
    if not mixture.exists():
        spec = mixture_of(recipe, n_real=run.cell.n_real, n_synthetic=run.cell.n_synthetic)
        mixture.parent.mkdir(exist_ok=True)
        mix(spec, mixture, seed=run.seed)
    folder.parent.mkdir(exist_ok=True)
    if (folder / "run.json").is_file():
        record = read_json(folder / "run.json")
    else:
        record = steps.fit(recipe.training, folder, seed=run.seed, mixture=mixture)
    scores = steps.evaluate(folder, recipe.tests, protocol=recipe.protocol)
    return _row(study, run, read_json(mixture / "manifest.json"), record, [asdict(score) for score in scores])


def _row(
    study: Plan, run: Run, mixture: Mapping[str, Any], record: Mapping[str, Any], scores: list[dict[str, Any]]
) -> Row:
    """Everything needed to repeat the run and to compare it; only ``timing`` differs when it is repeated."""
    sources = {source["name"]: source for source in record["mixture"]["sources"]}
    return {
        "run": run.name,
        "design": study.recipe.design,
        "cell": run.cell.name,
        "ratio": run.cell.ratio,
        "seed": run.seed,
        "n_real": run.cell.n_real,
        "n_synthetic": run.cell.n_synthetic,
        "n_total": run.cell.n_total,
        "unique": {name: source["unique"] for name, source in sources.items()},
        "seen": {name: source["seen"] for name, source in sources.items()},
        "left_out": {source["name"]: source["left_out"] for source in mixture["sources"]},
        "unlearnable": record["unlearnable"],
        "steps": record["steps"],
        "samples_seen": record["samples_seen"],
        "model": record["recipe"]["model"]["kind"],
        "parameters": record["parameters"],
        "device": record["device"],
        "threads": record["recipe"]["threads"],
        "validation": record["validation"],
        "tests": scores,
        "recipe": sha256_json(resolved(study.recipe)),
        "mixture": record["mixture"]["fingerprint"],
        "datasets": {entry["path"]: entry["fingerprint"] for entry in study.datasets},
        "versions": record["versions"],
        "git_commit": record["git_commit"],
        "timing": record["timing"],
    }
