"""The command ``evaluate``; nothing heavy is imported until it runs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.core import options
from curation.core.labels import PROTOCOLS
from curation.core.text import aligned

if TYPE_CHECKING:
    from train.evaluate import Score


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("datasets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--protocol",
    type=click.Choice(sorted(PROTOCOLS)),
    default="parseq36",
    help="How labels and predictions are normalised before they are compared.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the predictions on each word.  [default: RUN/predictions]",
)
@options.as_json
def evaluate(run: Path, datasets: tuple[Path, ...], protocol: str, out: Path | None, as_json: bool) -> None:
    """Measure the trained recognizer in the folder RUN on DATASETS.

    Intervals are 95 %: Wilson's for word accuracy, a bootstrap over words for 1-NED.
    """
    from train.evaluate import average
    from train.evaluate import evaluate as measure

    scores = measure(run, datasets, protocol=protocol, out=out)
    if as_json:
        both = {
            "scores": [dataclasses.asdict(s) for s in scores],
            "average": dataclasses.asdict(average(scores)),
        }
        click.echo(json.dumps(both, indent=2))
    else:
        click.echo(_table(scores))


def _table(scores: Sequence[Score]) -> str:
    from train.evaluate import average

    rows: list[tuple[str, ...]] = [("set", "words", "dropped", "word accuracy %", "1-NED %")]
    for s in scores:
        dropped = ", ".join(f"{n} {reason}" for reason, n in s.dropped.items())
        accuracy = _percent(s.accuracy, s.accuracy_low, s.accuracy_high)
        ned = _percent(s.one_minus_ned, s.one_minus_ned_low, s.one_minus_ned_high)
        rows.append((s.name, f"{s.n_used:,}", dropped or "0", accuracy, ned))
    if len(scores) > 1:
        mean = average(scores)
        n = f"{mean.n_used:,}"
        by_words = mean.accuracy_weighted, mean.one_minus_ned_weighted
        by_sets = mean.accuracy_unweighted, mean.one_minus_ned_unweighted
        rows.append(("mean over words", n, "", *(f"{100 * value:.1f}" for value in by_words)))
        rows.append(("mean over sets", n, "", *(f"{100 * value:.1f}" for value in by_sets)))
    return "\n".join(aligned(rows, left=range(5)))


def _percent(value: float, low: float, high: float) -> str:
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
