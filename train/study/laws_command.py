"""The command that says what a finished study found, or what the paper's own numbers hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options
from curation.core.errors import UserError

if TYPE_CHECKING:
    from train.laws.exchange import Purse

money = {"type": click.FloatRange(min=0), "metavar": "PRICE"}
words = {"type": click.IntRange(min=0), "default": 0, "metavar": "N"}


@click.command()
@click.argument("study", metavar="[OUT]", type=click.Path(path_type=Path), required=False)
@click.option("--budget", type=click.FloatRange(min=0), help="Say how to spend so much on words.")
@click.option("--price-real", **money, help="Of one real word; by default the recipe's price.")
@click.option("--price-synthetic", **money, help="Of one synthetic word; by default the recipe's price.")
@click.option("--have-real", **words, help="Real words there are already, beside those to buy.")
@click.option("--have-synthetic", **words, help="Synthetic words there are already.")
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
    from train.study.findings import write_laws
    from train.study.laws_text import laws_text
    from train.study.rows import Study

    opened = Study.open(study)
    found = write_laws(opened, _purse(opened.parts, **purse))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else laws_text(opened, found))


def _purse(
    parts: Sequence[Mapping[str, Any]],
    *,
    budget: float | None,
    price_real: float | None,
    price_synthetic: float | None,
    have_real: int,
    have_synthetic: int,
) -> Purse | None:
    """What there is to spend, None without a budget; prices may be those of the recipe's parts."""
    from train.laws.exchange import Purse

    if budget is None:
        if price_real is not None or price_synthetic is not None or have_real or have_synthetic:
            raise UserError("prices and words one has need a budget to spend. Give --budget too.")
        return None
    given = {"real": price_real, "synthetic": price_synthetic}
    for kind, price in given.items():
        of_parts = {part["price"] for part in parts if part["kind"] == kind}
        if price is None and len(of_parts) == 1:
            given[kind] = of_parts.pop()
        if given[kind] is None:
            raise UserError(
                f"a budget cannot be split without the price of a {kind} word. Give --price-{kind}, or give "
                "the parts of the recipe a price."
            )
    assert given["real"] is not None
    assert given["synthetic"] is not None
    return Purse(
        budget=budget,
        price_real=given["real"],
        price_synthetic=given["synthetic"],
        have_real=have_real,
        have_synthetic=have_synthetic,
    )


def _paper(as_json: bool) -> None:
    from train.laws.paper import paper_laws, read_paper
    from train.laws.paper_text import paper_text

    found = paper_laws(read_paper())
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else paper_text(found))
