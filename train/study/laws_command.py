"""The command that says what a finished study found, or what the paper's own numbers hold."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.core import options
from curation.core.errors import UserError


@click.command()
@click.argument("study", metavar="[OUT]", type=click.Path(path_type=Path), required=False)
@click.option("--paper", is_flag=True, help="Refit the laws of arXiv 2401.00028 from its points instead.")
@options.as_json
def laws(study: Path | None, paper: bool, as_json: bool) -> None:
    """Compare the cells of the study OUT, and fit how accuracy moves as far as its data allow."""
    if paper == (study is not None):
        raise UserError(
            "laws needs a study or --paper, one of the two. Name the folder that 'ablate' made, or "
            "write 'glyphmix laws --paper'."
        )
    if study is None:
        _paper(as_json)
        return
    from train.study.findings import write_laws
    from train.study.laws_text import laws_text
    from train.study.rows import Study

    opened = Study.open(study)
    found = write_laws(opened)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else laws_text(opened, found))


def _paper(as_json: bool) -> None:
    from train.laws.paper import paper_laws, read_paper
    from train.laws.paper_text import paper_text

    found = paper_laws(read_paper())
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else paper_text(found))
