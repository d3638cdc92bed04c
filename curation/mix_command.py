"""The commands that mix datasets and write a mixture out."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.core import options

RECIPES = Path(__file__).parent / "recipes"


@click.command()
@click.argument("recipe", metavar="RECIPE")
@options.out
@options.seed
@click.option("--explain", is_flag=True, help="Print where every number comes from.")
@click.option("--skip-absent", is_flag=True, help="Leave out datasets that are not there, and name them.")
@options.dry_run
@options.as_json
def mix(
    recipe: str, out: Path, seed: int, explain: bool, skip_absent: bool, dry_run: bool, as_json: bool
) -> None:
    """Select words from datasets at the exact ratio that RECIPE asks for.

    RECIPE is a TOML file. No picture is copied: the mixture refers to its datasets.
    """
    from curation import mixing
    from curation.core.recipe import find
    from curation.mix_explaining import as_table, explained

    manifest = mixing.mix(find(recipe, RECIPES), out, seed=seed, dry_run=dry_run, skip_absent=skip_absent)
    for warning in manifest["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False))
        return
    click.echo(as_table(manifest))
    if explain:
        click.echo(explained(manifest))
    verb = "would write" if dry_run else "wrote"
    held = f" and {manifest['n_validation']:,} for validation" if manifest["n_validation"] else ""
    click.echo(
        f"{verb} {manifest['n_positions']:,} positions{held} to {out}, "
        f"fingerprint {manifest['fingerprint'][:16]}"
    )
