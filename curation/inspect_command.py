"""The command that counts what datasets hold, and shows some of it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.core import options
from curation.core.errors import UserError


@click.command()
@click.argument("paths", metavar="DATASET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Write a page about all of them (.html), or a contact sheet of one (.png).",
)
@click.option("-n", "n_words", type=click.IntRange(1, 10_000), default=64, help="Words on the contact sheet.")
@options.seed
@options.as_json
def inspect(paths: tuple[Path, ...], out: Path | None, n_words: int, seed: int, as_json: bool) -> None:
    """Count what datasets hold, and show some of their words.

    The page has counts by source and split, lengths, characters, sizes, copies, what was left out and why,
    words of each source, licences and history.
    """
    from curation.core.dataset import Dataset
    from curation.core.files import refuse_existing

    if out is not None:
        _check(out, len(paths))
        refuse_existing(out)
    opened = [Dataset.open(path) for path in paths]
    if out is not None and out.suffix == ".html":
        from curation.inspect_page import write_page

        write_page(opened, out, seed=seed)
    else:
        from curation.inspecting import as_text, describe, write_sheet

        facts = [describe(dataset) for dataset in opened]
        if as_json:
            click.echo(json.dumps(facts if len(facts) > 1 else facts[0], indent=2, ensure_ascii=False))
        else:
            heads = [f"{path}\n" if len(paths) > 1 else "" for path in paths]
            click.echo("\n\n".join(h + as_text(f) for h, f in zip(heads, facts, strict=True)))
        if out is not None:
            write_sheet(opened[0], out, n_words=n_words, seed=seed)
    if out is not None:
        click.echo(f"wrote {out}", err=True)


def _check(out: Path, n_datasets: int) -> None:
    if out.suffix not in (".html", ".png"):
        raise UserError(f"output {out} is neither page nor picture. Give a name that ends in .html or .png.")
    if out.suffix == ".png" and n_datasets > 1:
        raise UserError(
            f"a contact sheet shows one dataset, not {n_datasets}. Give one, or an output that ends in .html."
        )
