"""The command that runs a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options
from curation.core.errors import UserError

if TYPE_CHECKING:
    from train.study.plan import Plan

RECIPES = Path(__file__).parents[1] / "recipes"


@click.command()
@click.argument("recipe")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Where the study is kept; given again, it goes on.",
)
@options.dry_run
@options.as_json
def ablate(recipe: str, out: Path, dry_run: bool, as_json: bool) -> None:
    """Run the study RECIPE: many mixtures, one cause.

    RECIPE is the path of a study recipe, or the name of a shipped one such as study_real_words. Each
    finished run is a row of runs.jsonl; run the same command again after an interruption and it goes on.
    """
    from curation.core import recipe as recipes
    from train.study.plan import grid_table, plan
    from train.study.recipe import StudyRecipe
    from train.study.run import ablate as run_all

    path = recipes.find(recipe, RECIPES)
    checked = plan(recipes.load(path, StudyRecipe), out)
    if dry_run:
        text = "\n\n".join([grid_table(checked), *checked.remarks])
        click.echo(json.dumps(_plan_json(checked), indent=2) if as_json else text)
        return
    for remark in checked.remarks:
        click.echo(remark, err=True)
    toml = path.read_text(encoding="utf-8")
    result = run_all(checked, out, toml=toml, tell=lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps({"rows": result.rows, "failed": result.failed}, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{out}: {len(result.rows)} of {len(checked.runs)} runs finished")
    if result.failed:
        names = ", ".join(result.failed)
        raise UserError(
            f"{len(result.failed)} of {len(checked.runs)} runs failed: {names}. "
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
