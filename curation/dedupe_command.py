"""``glyphmix dedupe``: leave copies out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from curation.core import options
from curation.core.text import aligned


@click.command()
@click.argument("datasets", metavar="DATASET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.out
@click.option(
    "--recipe",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="TOML file that says what counts as a copy, and what becomes of it.",
)
@click.option(
    "--pairs",
    type=click.Path(path_type=Path),
    help="Draw pairs that were found, side by side, into this PNG file.",
)
@options.jobs
@options.dry_run
@options.as_json
def dedupe(
    datasets: tuple[Path, ...],
    out: Path,
    recipe: Path | None,
    pairs: Path | None,
    jobs: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the words of all DATASETs to one, but for copies of others among them.

    Copies are words cut from the same place of one photo, identical files and pictures, and words of the same
    label whose pictures agree once laid over each other, however they were cut, resized or compressed. Test
    words stay; else of several copies stays the one of the better split, with a known place in a photo, the
    larger, the first.
    """
    from curation.core.dataset import Dataset
    from curation.core.recipe import load
    from curation.dedupe import DedupeRecipe
    from curation.dedupe import dedupe as run

    spec = DedupeRecipe() if recipe is None else load(recipe, DedupeRecipe)
    opened = [Dataset.open(path) for path in datasets]
    manifest = run(opened, out, spec, jobs=jobs, dry_run=dry_run, pairs=pairs)
    if pairs is not None:
        click.echo(f"wrote {pairs}", err=True)
    if as_json:
        click.echo(json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False))
        return
    click.echo(table(manifest["duplicates"]))
    verb = "would write" if dry_run else "wrote"
    mark = "" if dry_run else f", fingerprint {manifest['fingerprint'][:16]}"
    click.echo(f"{verb} {manifest['n_rows']:,} words to {out}, left out {manifest['n_rejected']:,}{mark}")


def table(found: Mapping[str, Any]) -> str:
    """Rows that go and pairs that are only told, by level and sets, and what else was noticed."""
    rows = [("left out", d["level"], d["source"], d["copy_of"], d["rows"]) for d in found["dropped"]]
    rows += [("only told", t["level"], t["source"], t["other_source"], t["pairs"]) for t in found["told"]]
    lines = []
    if rows:
        cells = [("", "level", "of", "like one of", "words"), *((*row[:4], f"{row[4]:,}") for row in rows)]
        lines += aligned(cells, left=range(4))
    else:
        lines.append("no copies")
    if n := found["overlapping_other_label"]:
        lines.append(f"{n:,} pairs lie in one place of a photo and have different labels: no copies")
    if n := found["conflicting_label"]["pictures"]:
        words = f"{n:,} pictures come with different labels, as {found['conflicting_label']['rows']:,} words"
        lines.append(f"{words}; left out for that: {found['conflicting_label']['dropped']:,}")
    lines += [f"  {e['evidence']}: {e['uid']} and {e['other_uid']} ({e['label']})" for e in found["examples"]]
    return "\n".join(lines)
