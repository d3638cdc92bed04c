"""The command that drops words to train on that copy words of the tests."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.core import options
from curation.core.text import counted


@click.command()
@click.argument("train", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--against",
    "tests",
    metavar="TEST",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="A dataset whose words must not be trained on; may be given again.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Where to write; must not exist yet. May be left out with --dry-run.",
)
@click.option("--recipe", metavar="RECIPE", help="TOML file with the thresholds, and what else to drop.")
@click.option(
    "--page", type=click.Path(path_type=Path), help="Write the leak matrix with examples to this HTML file."
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="Write the examples as a contact sheet to this PNG file.",
)
@options.jobs
@options.dry_run
@options.as_json
def decontaminate(
    train: tuple[Path, ...],
    tests: tuple[Path, ...],
    out: Path | None,
    recipe: str | None,
    page: Path | None,
    picture: Path | None,
    jobs: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the words of the datasets TRAIN that copy no word of the tests.

    Prints how many words each train set shares with each test set, and by what one can tell: the last
    columns are the words that are dropped, and the words of the test that they copy. Only words to train
    on are dropped. Which word copies which is in leaks.parquet, dropped or not.
    """
    from curation.core import recipe as recipes
    from curation.core.dataset import Dataset
    from curation.decontaminate import decontaminate
    from curation.leak_matrix import as_text
    from curation.leak_recipe import DecontaminateRecipe

    if out is None and not dry_run:
        raise click.UsageError("Missing option '-o' / '--out'.")
    spec = DecontaminateRecipe() if recipe is None else recipes.load(Path(recipe), DecontaminateRecipe)
    opened = [[Dataset.open(path) for path in paths] for paths in (train, tests)]
    manifest = decontaminate(*opened, out, spec, jobs=jobs, dry_run=dry_run, page=page, picture=picture)
    for warning in manifest["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    for path in (page, picture):
        if path is not None:
            click.echo(f"wrote {path}", err=True)
    if as_json:
        click.echo(json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False))
        return
    click.echo(as_text(manifest["leaks"]))
    n, kept = manifest["n_rejected"], manifest["n_rows"]
    reasons = counted(manifest["rejected_by_reason"])
    click.echo(f"{'would drop' if dry_run else 'dropped'} {n:,} of {n + kept:,} words: {reasons}")
    if not dry_run:
        click.echo(f"wrote {kept:,} words to {out}, fingerprint {manifest['fingerprint'][:16]}")
