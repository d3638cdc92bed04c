"""The command ``suspects``; nothing heavy is imported until it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.core import options
from curation.core.errors import UserError
from curation.core.text import aligned, counted


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("datasets", metavar="DATASET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for all; given again, it goes on.",
)
@click.option("--folds", type=click.IntRange(min=2), default=3, help="Recognizers to train.")
@click.option("--steps", type=click.IntRange(min=1), show_default="those of RUN", help="Of each training.")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    show_default="0.02",
    help="List this share of the words, the worst.",
)
@click.option(
    "--score",
    type=click.FloatRange(min=0, min_open=True),
    help="List the words with this score or more instead.",
)
@options.seed
@options.as_json
def suspects(
    run: Path,
    datasets: tuple[Path, ...],
    out: Path,
    folds: int,
    steps: int | None,
    share: float | None,
    score: float | None,
    seed: int,
    as_json: bool,
) -> None:
    """Find words of DATASETs that are probably labelled wrongly.

    The words are dealt into folds, those of one photo or picture into the same; for each fold a recognizer
    is trained without it, by the recipe of RUN and on its mixture if that holds the DATASETs. A word's
    score is how much likelier its recognizer holds what it reads for than the label, in nats a character.

    Writes suspects.parquet and .tsv (all words, worst first), suspects.html to look at, and
    rejects.parquet, which the filter 'listed' takes. An interrupted search goes on when the same command
    is given again.
    """
    from train.suspects.report import recipe_for, write_suspects
    from train.suspects.search import Search, judge

    if share is not None and score is not None:
        raise UserError("--share and --score both say what to list. Give one of them.")
    search = Search(run=run, datasets=datasets, out=out, folds=folds, steps=steps, seed=seed)
    facts = write_suspects(judge(search), search, share=0.02 if share is None else share, score=score)
    if as_json:
        click.echo(json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False))
        return
    click.echo(_text(facts, out))
    click.echo(f"\nTo leave them out, give 'glyphmix filter' a recipe with\n\n{recipe_for(out)}")


def _text(facts: dict[str, Any], out: Path) -> str:
    rows = [("fold", "words", "read as labelled %")]
    for number, fold in enumerate(facts["folds"], 1):
        alike = 100 * fold["n_read_as_labelled"] / max(1, fold["n_words"])
        rows.append((str(number), f"{fold['n_words']:,}", f"{alike:.1f}"))
    least = facts["least_score_listed"]
    cut = f", those with a score of {least:.2f} or more," if least is not None else ""
    return "\n".join(
        [
            *aligned(rows, left=()),
            f"{facts['n_words']:,} words judged; left out: {counted(facts['dropped'])}",
            f"the worst {facts['n_listed']:,}{cut} are listed in {out / 'rejects.parquet'}",
            f"look at them in {out / 'suspects.html'}",
        ]
    )
