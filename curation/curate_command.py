"""The command that goes all the way from publishers' files to a mixture."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.core import options

RECIPES = Path(__file__).parent / "recipes"


@click.command()
@click.argument("recipe", metavar="RECIPE")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the raw sets, as their publishers pack them, laid out as the recipe says.",
)
@options.out
@options.seed
@options.jobs
@click.option("--skip-absent", is_flag=True, help="Go on without the sets that are not there, and name them.")
@options.dry_run
@options.as_json
def curate(
    recipe: str,
    data: Path,
    out: Path,
    seed: int,
    jobs: int,
    skip_absent: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import, filter, deduplicate, decontaminate and mix what RECIPE names.

    RECIPE is a TOML file, or the name of a shipped one: rebu_syn, rebu_syn_dedup, scene_words. Every stage is
    kept below OUT; after a break the same command goes on.
    """
    from curation.core.recipe import find
    from curation.curate_recipe import load_curation
    from curation.curating import Job, as_text, look
    from curation.curating import curate as run

    path = find(recipe, RECIPES)
    job = Job(
        spec=load_curation(path, RECIPES),
        name=path.name,
        data=data,
        out=out,
        seed=seed,
        jobs=jobs,
        skip_absent=skip_absent,
    )
    if dry_run:
        present, absent = look(job)
        facts = {"present": [one.name for one in present], "absent": [one.name for one in absent]}
        lines = [f"would import {len(present)} sets: {', '.join(facts['present'])}"]
        lines += [f"absent: {', '.join(facts['absent'])}"] if absent else []
        click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(lines))
        return
    facts = run(job, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) if as_json else as_text(facts))
