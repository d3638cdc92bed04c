"""The commands that write datasets for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.core import options


@click.command()
@options.dataset
@options.out
@click.option(
    "--shard-rows",
    type=click.IntRange(min=1),
    help="Most words in one LMDB; more make a folder of several. By default 1,000,000.",
)
@click.option("--sizes", is_flag=True, help="Write the keys wh-%09d too, which OpenOCR reads.")
@options.dry_run
@options.as_json
def lmdb(dataset: Path, out: Path, shard_rows: int | None, sizes: bool, dry_run: bool, as_json: bool) -> None:
    """Write DATASET as PARSeq and DTRB read it."""
    from curation.core.dataset import Dataset

    facts, what = _lmdb(Dataset.open(dataset), out, shard_rows, sizes, dry_run)
    _tell(facts, what, out, dry_run, as_json)


@click.command()
@options.dataset
@options.out
@options.dry_run
@options.as_json
def hub(dataset: Path, out: Path, dry_run: bool, as_json: bool) -> None:
    """Write DATASET as a folder for the Hugging Face Hub, with its card and Croissant metadata."""
    from curation.core.dataset import Dataset

    facts, what = _hub(Dataset.open(dataset), out, dry_run)
    _tell(facts, what, out, dry_run, as_json)


def _tell(facts: dict[str, Any], what: str, out: Path, dry_run: bool, as_json: bool) -> None:
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
