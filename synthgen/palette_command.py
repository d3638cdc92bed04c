"""The command ``palette``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.core import options
from curation.core.files import refuse_existing


@click.command()
@click.argument("datasets", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.out
@click.option(
    "--crops",
    type=click.IntRange(min=1),
    default=20_000,
    help="Most crops of each dataset to look at, evenly spread over it.",
)
@click.option(
    "--colours", type=click.IntRange(1, 10_000), default=512, help="Most colour pairs to keep in the palette."
)
@options.as_json
def palette(datasets: tuple[Path, ...], out: Path, crops: int, colours: int, as_json: bool) -> None:
    """Learn text and background colours from word crops.

    DATASETS are imported or rendered; each counts alike. The palette is a JSON file that a recipe names:
    colours = { palette = "palette.json" }. The numbers printed describe the crops as the recipes' own
    model of colours does: contrast, chroma, which is lighter, whether hues agree.
    """
    from curation.core.dataset import Dataset
    from synthgen.pair_summary import as_text
    from synthgen.palette import learn, write

    refuse_existing(out)
    learnt = learn([Dataset.open(path) for path in datasets], crops=crops, colours=colours)
    write(learnt, out)
    if as_json:
        click.echo(json.dumps({key: learnt[key] for key in ("datasets", "summary")}))
        return
    for facts in learnt["datasets"]:
        click.echo(_line(facts))
    click.echo(f"{out}: {len(learnt['colours'])} colour pairs\n{as_text(learnt['summary'])}")


def _line(facts: dict[str, Any]) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in facts["unused_by_reason"].items())
    unused = facts["n_looked_at"] - facts["n_used"]
    detail = f", {unused} not ({reasons})" if unused else ""
    return f"{facts['name']}: {facts['n_used']} of {facts['n_rows']} crops used{detail}"
