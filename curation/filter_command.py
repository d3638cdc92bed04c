"""The command that leaves words out by a recipe."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.core import options
from curation.core.errors import UserError

RECIPES = Path(__file__).parent / "recipes"


def _list(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Print what ``[[filters]]`` may name, and end."""
    if asked and not ctx.resilient_parsing:
        from curation.filter_report import catalogue

        click.echo(catalogue())
        ctx.exit()


@click.command("filter")
@click.argument("recipe", metavar="RECIPE")
@click.argument("datasets", metavar="DATASET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.out
@options.jobs
@click.option(
    "--rejects-sheet",
    metavar="PNG",
    type=click.Path(path_type=Path),
    help="Draw a contact sheet of what each filter dropped or repaired.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="List all filters and repairs with their keys, and do nothing else.",
)
@options.dry_run
@options.as_json
def filter_(
    recipe: str,
    datasets: tuple[Path, ...],
    out: Path,
    jobs: int,
    rejects_sheet: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Leave words of DATASETs out that RECIPE does not let pass.

    RECIPE is a TOML file or the name of a shipped one: filter_words, filter_parseq. Every word left out
    has a reason and is listed in rejects.parquet. Several datasets make one.
    """
    from curation.core.dataset import Dataset
    from curation.core.files import refuse_existing
    from curation.core.recipe import find
    from curation.filter_report import as_text
    from curation.filtering import filter_datasets, load_filters

    spec = load_filters(find(recipe, RECIPES))
    opened = [Dataset.open(path) for path in datasets]
    if rejects_sheet is not None:
        refuse_existing(rejects_sheet)
    manifest = filter_datasets(spec, opened, out, jobs=jobs, dry_run=dry_run)
    click.echo(
        json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) if as_json else as_text(manifest)
    )
    if rejects_sheet is not None:
        from curation.filter_sheet import write_sheet

        write_sheet(manifest, opened, rejects_sheet)
        click.echo(f"wrote {rejects_sheet}", err=True)
    for warning in manifest.get("warnings", []):
        raise UserError(warning)
    if not as_json:
        n = manifest["n_rows"] + manifest["n_rejected"]
        done = "would write" if dry_run else "wrote"
        mark = "" if dry_run else f", fingerprint {manifest['fingerprint'][:16]}"
        click.echo(f"{done} {manifest['n_rows']:,} of {n:,} words to {out}{mark}")
