"""The command that writes a mixture out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.core import options


@click.command()
@click.argument("mixture", type=click.Path(path_type=Path))
@options.out
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["dataset", "lmdb"]),
    default="dataset",
    help="What to write; LMDB as PARSeq and DTRB read it.",
)
@options.jobs
@options.dry_run
@options.as_json
def materialise(mixture: Path, out: Path, format_name: Any, jobs: int, dry_run: bool, as_json: bool) -> None:
    """Write the words of one pass of MIXTURE in order, pictures and all.

    A word that comes several times is written as often; from the second time on its uid ends in #2, #3, ...
    """
    from curation.materialising import materialise as write
    from curation.mixture import Mixture

    facts = write(Mixture.open(mixture), out, jobs=jobs, format=format_name, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False))
        return
    verb = "would write" if dry_run else "wrote"
    click.echo(
        f"{verb} {facts['n_rows']:,} words to {out} as {'LMDB' if format_name == 'lmdb' else 'a dataset'}"
    )
