"""The command that writes the page of a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.core import options
from train.study.purse_options import purse_of, purse_options


@click.command()
@click.argument("study", metavar="OUT", type=click.Path(path_type=Path))
@purse_options
@click.option("--no-pictures", is_flag=True, help="Show no word of any dataset, for a page to pass on.")
@options.as_json
def report(study: Path, no_pictures: bool, as_json: bool, **purse: Any) -> None:
    """Write the page of the study OUT, report.html, and print its table.

    Beside it stand runs.csv and cells.csv, the same figures for a spreadsheet, and laws.json, all that is
    known of laws.
    """
    from dataclasses import asdict

    from train.study.answers.findings import write_laws
    from train.study.page.csv_tables import TABLES
    from train.study.page.report import write_report
    from train.study.page.table import lines, report_text
    from train.study.rows import Study

    opened = Study.open(study)
    found = write_laws(opened, purse_of(opened.parts, **purse))
    page = write_report(opened, found, pictures=not no_pictures)
    if as_json:
        printed = {key: found[key] for key in ("answer", "remarks", "notes")}
        printed["cells"] = [asdict(line) for line in lines(opened, found)]
        printed |= {"page": str(page), "tables": [str(opened.path / name) for name in TABLES]}
        click.echo(json.dumps(printed, indent=2, ensure_ascii=False))
    else:
        click.echo(report_text(opened, found, page))
