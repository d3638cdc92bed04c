"""The command ``evaluate``; nothing heavy is imported until it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options
from curation.core.errors import UserError
from curation.core.labels import PROTOCOLS

if TYPE_CHECKING:
    from train.evaluation.findings import Findings

path = click.Path(path_type=Path)


@click.command()
@click.argument("run", required=False, type=path)
@click.argument("datasets", nargs=-1, type=path)
@click.option(
    "--protocol",
    type=click.Choice(sorted(PROTOCOLS)),
    default="parseq36",
    help="How labels and predictions are normalised before they are compared.",
)
@click.option("--explain", is_flag=True, help="Say what the protocol does, step by step, and stop.")
@click.option(
    "-o", "--out", type=path, help="Folder for the predictions on each word.  [default: RUN/predictions]"
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Print the accuracy of groups of words too: by length, width, height, aspect (width / height), size "
    "(width x height), set, confidence, character (with what is confused with what), or any column of the "
    "datasets, such as source or render.font. May be repeated.",
)
@click.option(
    "--against",
    type=path,
    help="Compare with this run, or with predictions of one in this folder, word by word.",
)
@click.option(
    "--suite", metavar="NAME", help="Evaluate the sets that papers report: six, six_1015_2077, union14m."
)
@click.option("--data", type=path, help="Folder with the datasets of the suite, found by their names.")
@click.option(
    "--allow-unreadable",
    is_flag=True,
    help="Count words with characters that the run does not read as misread, instead of refusing them.",
)
@click.option(
    "--html", "page", type=path, help="Write a page too: tables, plots and the worst errors in pictures."
)
@click.option("--tsv", type=path, help="Write the groups of words too, as a table of tab-separated values.")
@options.as_json
def evaluate(
    run: Path | None,
    datasets: tuple[Path, ...],
    protocol: str,
    explain: bool,
    out: Path | None,
    by: tuple[str, ...],
    against: Path | None,
    suite: str | None,
    data: Path | None,
    allow_unreadable: bool,
    page: Path | None,
    tsv: Path | None,
    as_json: bool,
) -> None:
    """Measure the trained recognizer in the folder RUN on DATASETS.

    Intervals are 95 %: Wilson's for word accuracy, a bootstrap over words for 1-NED and for averages.
    """
    if explain:
        from train.evaluation.text import explain as explained

        click.echo(explained(protocol))
        return
    if run is None:
        raise click.UsageError("Missing argument 'RUN'.")
    from train.evaluation.text import as_text, as_tsv

    _check(page, tsv)
    how: dict[str, Any] = {
        "protocol": protocol,
        "out": out,
        "by": by,
        "against": against,
        "allow_unreadable": allow_unreadable,
    }
    found = _found(run, datasets, suite, data, how)
    if tsv is not None:
        _write(tsv, as_tsv(found))
    if page is not None:
        from train.evaluation.page import write_evaluation

        write_evaluation(found, page)
        click.echo(f"wrote {page}", err=True)
    click.echo(json.dumps(found.json(), indent=2) if as_json else as_text(found, by))


def _found(
    run: Path, datasets: tuple[Path, ...], suite: str | None, data: Path | None, how: dict[str, Any]
) -> Findings:
    from train.evaluation.evaluating import investigate, investigate_suite

    if suite is not None:
        if datasets or data is None:
            raise UserError(
                f"the suite {suite} is looked for in a folder. Give --data FOLDER and no other datasets."
            )
        return investigate_suite(run, suite, data, **how)
    if data is not None:
        raise UserError("--data is the folder of a suite's datasets. Give --suite NAME too.")
    if not datasets:
        raise click.UsageError("Missing argument 'DATASETS...'.")
    return investigate(run, datasets, **how)


def _check(page: Path | None, tsv: Path | None) -> None:
    if page is not None and page.suffix != ".html":
        raise UserError(f"the page {page} has no name of a page. Give --html a name that ends in .html.")
    for option, file in (("--html", page), ("--tsv", tsv)):
        if file is not None and (file.exists() or file.is_symlink()):
            raise UserError(f"{file} exists already. Remove it, or give {option} another name.")
        if file is not None and not (place := _nearest(file)).is_dir():
            raise UserError(f"{place} is a file, not a folder. Give {option} another name than {file}.")
    if page is not None and tsv is not None and page.resolve() == tsv.resolve():
        raise UserError(f"--html and --tsv would both write {page}. Give one of them another name.")


def _nearest(file: Path) -> Path:
    """The nearest folder above ``file`` that is there already."""
    return next(place for place in file.absolute().parents if place.exists())


def _write(file: Path, text: str) -> None:
    from curation.core.files import write_text

    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, text)
    click.echo(f"wrote {file}", err=True)
