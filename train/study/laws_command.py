"""The command that says what a finished study found, or what the paper's own numbers hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.core import options
from curation.core.errors import UserError
from train.study.purse_options import purse_of, purse_options


@click.command()
@click.argument("study", metavar="[OUT]", type=click.Path(path_type=Path), required=False)
@purse_options
@click.option("--paper", is_flag=True, help="Refit the laws of arXiv 2401.00028 from its points instead.")
@options.as_json
def laws(study: Path | None, paper: bool, as_json: bool, **purse: Any) -> None:
    """Compare the cells of the study OUT, and fit how accuracy moves as far as its data allow.

    With a budget and prices, in any one currency, it also says how many words of each kind to get. What
    comes out is kept in OUT/laws.json, from which report makes its page.
    """
    if paper == (study is not None):
        raise UserError(
            "laws needs a study or --paper, one of the two. Name the folder that 'ablate' made, or "
            "write 'glyphmix laws --paper'."
        )
    if study is None:
        _paper(as_json)
        return
    from train.study.answers.findings import write_laws
    from train.study.answers.laws_text import laws_text
    from train.study.rows import Study

    opened = Study.open(study)
    found = write_laws(opened, purse_of(opened.parts, **purse))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else laws_text(opened, found))


def _paper(as_json: bool) -> None:
    from train.laws.paper import paper_laws, read_paper
    from train.laws.paper_text import paper_text

    found = paper_laws(read_paper())
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else paper_text(found))
