"""The command that writes datasets for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.core import options
from curation.core.errors import UserError, unknown_name

FORMATS = ("lmdb", "hub")
EXPORT_HELP = """Write DATASET in FORMAT:

\b
lmdb  as PARSeq and DTRB read it
hub   a folder for the Hugging Face Hub, with its card and Croissant metadata
"""


@click.command(help=EXPORT_HELP)
@click.argument("format_name", metavar="FORMAT")
@options.dataset
@options.out
@click.option(
    "--shard-rows",
    type=click.IntRange(min=1),
    help="For lmdb: most words in one LMDB; more make a folder of several. By default 1,000,000.",
)
@click.option("--sizes", is_flag=True, help="For lmdb: write the keys wh-%09d too, which OpenOCR reads.")
@options.dry_run
@options.as_json
def export(
    format_name: str,
    dataset: Path,
    out: Path,
    shard_rows: int | None,
    sizes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run ``glyphmix export``; see ``EXPORT_HELP``."""
    from curation.core.dataset import Dataset

    if format_name not in FORMATS:
        raise unknown_name("format", format_name, FORMATS)
    for flag, given in (("--shard-rows", shard_rows is not None), ("--sizes", sizes)):
        if given and format_name != "lmdb":
            raise UserError(f"{flag} is for the format lmdb, not for {format_name}. Leave it out.")
    opened = Dataset.open(dataset)
    if format_name == "hub":
        facts, what = _hub(opened, out, dry_run)
    else:
        facts, what = _lmdb(opened, out, shard_rows, sizes, dry_run)
    verb = "would write" if dry_run else "wrote"
    text = f"{verb} {facts['n_rows']:,} words to {out} as {what}"
    click.echo(json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) if as_json else text)


def _lmdb(
    dataset: Any, out: Path, shard_rows: int | None, sizes: bool, dry_run: bool
) -> tuple[dict[str, Any], str]:
    from curation.exporting import SHARD_ROWS, export_lmdb, plan_lmdb

    most = shard_rows or SHARD_ROWS
    if dry_run:
        facts = plan_lmdb(dataset, out, shard_rows=most)
    else:
        facts = export_lmdb(dataset, out, shard_rows=most, sizes=sizes)
    n = len(facts["folders"])
    return facts, f"{n} LMDB{'s' if n > 1 else ''}"


def _hub(dataset: Any, out: Path, dry_run: bool) -> tuple[dict[str, Any], str]:
    from curation.hub import export_hub, plan_hub

    plan = plan_hub(dataset, out)
    splits = ", ".join(f"{split} {part['rows']:,}" for split, part in plan["splits"].items())
    n = sum(part["files"] for part in plan["splits"].values())
    return plan if dry_run else export_hub(dataset, out), f"{n} Parquet file{'s' if n > 1 else ''} ({splits})"
