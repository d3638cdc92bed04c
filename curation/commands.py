"""The commands that write datasets out and show them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.core import options


@click.command()
@options.dataset
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write a contact sheet to this PNG file.")
@click.option("-n", "n_words", type=click.IntRange(1, 10_000), default=64, help="Words on the contact sheet.")
@options.seed
@options.as_json
def inspect(dataset: Path, out: Path | None, n_words: int, seed: int, as_json: bool) -> None:
    """Count what DATASET holds, and show some of its words."""
    from curation.core.dataset import Dataset
    from curation.core.files import refuse_existing
    from curation.inspecting import as_text, describe, write_sheet

    opened = Dataset.open(dataset)
    if out is not None:
        refuse_existing(out)
    facts = describe(opened)
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False) if as_json else as_text(facts))
    if out is not None:
        write_sheet(opened, out, n_words=n_words, seed=seed)
        click.echo(f"wrote {out}", err=True)
