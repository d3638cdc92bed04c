"""The command that runs a study."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options
from curation.core.errors import UserError

if TYPE_CHECKING:
    from train.study.plan import Plan
    from train.study.running.run import Result

RECIPES = Path(__file__).with_name("recipes")


@click.command()
@click.argument("recipe", required=False)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Where the study is kept; given again, it goes on.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    help="Runs at once, each in a process of its own; results do not depend on it.  [default: one a GPU, or "
    "as many as the cores are enough for, if the recipe says how many threads a run takes, else 1]",
)
@click.option("--only", metavar="RUN", multiple=True, help="Do only this run; can be given several times.")
@options.executor
@options.ray_address
@click.option("--slurm", is_flag=True, help="Print a job array for sbatch, one run a task, and do nothing.")
@click.option("--watch", is_flag=True, help="Show all runs in a live table; without RECIPE, do only that.")
@options.dry_run
@options.as_json
def ablate(recipe: str | None, out: Path, watch: bool, **chosen: Any) -> None:
    """Run the study RECIPE: many mixtures, one cause.

    RECIPE is the path of a study recipe, or the name of a shipped one such as study_real_words. Each
    finished run is a row of runs.jsonl; run the same command again after an interruption and it goes on.
    Several processes may work on one study at once, also on several machines that share its folder.
    """
    if recipe is not None:
        _ablate(recipe, out, watch=watch, **chosen)
    elif watch:
        from train.study.running.watch import attach

        attach(out)
    else:
        raise click.UsageError("Missing argument 'RECIPE'. Only --watch does without one.")


def _ablate(
    recipe: str,
    out: Path,
    *,
    jobs: int | None,
    only: tuple[str, ...],
    executor: str,
    ray_address: str | None,
    slurm: bool,
    watch: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    from curation.core import recipe as recipes
    from curation.core.executors import Executor
    from train.study.plan import plan
    from train.study.recipe import StudyRecipe
    from train.study.running.run import ablate as run_all
    from train.study.running.run import chosen_runs, fitting_jobs
    from train.study.running.watch import Bar, Watch

    where = Executor(name=executor, ray_address=ray_address)
    path = recipes.find(recipe, RECIPES)
    checked = plan(recipes.load(path, StudyRecipe), out)
    jobs = jobs or fitting_jobs(checked, out)
    runs = chosen_runs(checked, only)
    if dry_run or slurm:
        checked = replace(checked, runs=tuple(runs))
        click.echo(_script(checked, recipe, out) if slurm else _planned(checked, out, jobs, as_json))
        return
    for remark in checked.remarks:
        click.echo(remark, err=True)
    toml = path.read_text(encoding="utf-8")
    try:
        with Watch(out) if watch else Bar(out) as view:
            result = run_all(checked, out, toml=toml, jobs=jobs, only=only, executor=where, view=view)
    except (KeyboardInterrupt, SystemExit):
        click.echo(f"{out}: stopped. The same command goes on where it was.", err=True)
        raise
    _say(out, len(checked.runs), result, as_json)


def _script(checked: Plan, recipe: str, out: Path) -> str:
    from train.study.running.slurm import job_array

    return job_array(checked, recipe, out).rstrip("\n")


def _planned(checked: Plan, out: Path, jobs: int, as_json: bool) -> str:
    from train.study.estimate import estimate
    from train.study.plan import grid_table

    cost = estimate(checked, out, jobs)
    if as_json:
        return json.dumps(_plan_json(checked) | {"cost": cost.json()}, indent=2)
    return "\n\n".join([grid_table(checked), cost.text(), *checked.remarks])


def _say(out: Path, n_runs: int, result: Result, as_json: bool) -> None:
    """Print how it ended.

    Raises:
        UserError: a run failed.
    """
    if as_json:
        found = asdict(result)
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        others = f", {len(result.busy)} with other processes" if result.busy else ""
        waiting = f", {len(result.waiting)} trained and waiting for the forecast" if result.waiting else ""
        click.echo(f"{out}: {len(result.rows)} of {n_runs} runs finished{others}{waiting}")
    if result.failed:
        names = ", ".join(result.failed)
        raise UserError(
            f"{len(result.failed)} of {n_runs} runs failed: {names}. "
            "See above for why; the same command tries them again."
        )


def _plan_json(checked: Plan) -> dict[str, Any]:
    from curation.core.recipe import resolved

    return {
        "cells": [resolved(cell) for cell in checked.cells],
        "runs": [run.name for run in checked.runs],
        "designs": list(checked.designs),
        "held_out": list(checked.held_out),
        "datasets": list(checked.datasets),
        "remarks": list(checked.remarks),
    }
