"""The commands that write datasets out, show them and mix them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from curation.core import options

RECIPES = Path(__file__).parent / "recipes"


@click.command()
@options.dataset
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write a contact sheet to this PNG file.")
@click.option("-n", "n_words", type=click.IntRange(1, 10_000), default=64, help="Words on the contact sheet.")
@options.seed
@options.as_json
def inspect(dataset: Path, out: Path | None, n_words: int, seed: int, as_json: bool) -> None:
    """Count what DATASET holds, and show some of its words."""
    from curation.core.dataset import Dataset
    from curation.core.files import refuse_existing
    from curation.inspecting import as_text, describe, write_sheet

    opened = Dataset.open(dataset)
    if out is not None:
        refuse_existing(out)
    facts = describe(opened)
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False) if as_json else as_text(facts))
    if out is not None:
        write_sheet(opened, out, n_words=n_words, seed=seed)
        click.echo(f"wrote {out}", err=True)


@click.command()
@click.argument("recipe", metavar="RECIPE")
@options.out
@options.seed
@options.dry_run
@options.as_json
def mix(recipe: str, out: Path, seed: int, dry_run: bool, as_json: bool) -> None:
    """Select words from datasets at the exact ratio that RECIPE asks for.

    RECIPE is a TOML file. No picture is copied: the mixture refers to its datasets.
    """
    from curation import mixing
    from curation.core.recipe import find

    manifest = mixing.mix(find(recipe, RECIPES), out, seed=seed, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False))
        return
    click.echo(_mix_table(manifest))
    verb = "would write" if dry_run else "wrote"
    held = f" and {manifest['n_validation']:,} for validation" if manifest["n_validation"] else ""
    click.echo(
        f"{verb} {manifest['n_positions']:,} positions{held} to {out}, "
        f"fingerprint {manifest['fingerprint'][:16]}"
    )


def _mix_table(manifest: Mapping[str, Any]) -> str:
    """One line a source: what was asked for, the words that makes, and why others were left out."""
    head = ("source", "asked", "unique", "seen", "repeats", "share", "left out")
    rows = [
        (
            source["name"],
            source["asked"],
            f"{source['unique']:,}",
            f"{source['positions']:,}",
            f"{source['repeats']:.2f}",
            f"{100 * source['share']:.2f} %",
            _counts(source["left_out"]),
        )
        for source in manifest["sources"]
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    numeric = {2, 3, 4, 5}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in numeric else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    )


def _counts(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items())) or "none"
