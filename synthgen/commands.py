"""The commands ``render`` and ``preview``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.core import options
from curation.core.errors import UserError
from curation.core.executors import Executor
from curation.core.files import refuse_existing

if TYPE_CHECKING:
    from synthgen.render import Rendered

recipe = click.argument("recipe")


@click.command()
@recipe
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Where to write; must not exist yet. Only --dry-run does without.",
)
@click.option("-n", "n", type=click.IntRange(min=1), required=True, help="Words to draw.")
@options.seed
@options.jobs
@options.executor
@options.ray_address
@click.option(
    "--shard-rows",
    type=click.IntRange(min=1),
    help="Words in a file; the words do not depend on it. By default 1,000 to 50,000, as -n asks.",
)
@options.dry_run
@options.as_json
def render(
    recipe: str,
    out: Path | None,
    n: int,
    seed: int,
    jobs: int,
    executor: str,
    ray_address: str | None,
    shard_rows: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Draw synthetic word images.

    RECIPE is the path of a recipe, or the name of a shipped one such as mjst_plus. The same recipe and
    seed give the same bytes with any number of jobs; an interrupted run goes on where it stopped.
    """
    from synthgen import render as rendering
    from synthgen.notices import notices

    where = Executor(name=executor, ray_address=ray_address)
    loaded = rendering.load(recipe)
    for notice in notices(loaded.engine.inputs()):
        click.echo(notice, err=True)
    if dry_run:
        from curation.core.shards import refuse_finished
        from synthgen.estimate import estimate

        if out is not None:
            refuse_finished(out)
        plan = estimate(loaded, n=n, seed=seed, jobs=jobs, shard_rows=shard_rows)
        click.echo(json.dumps(plan.as_json()) if as_json else plan.as_text())
        return
    if out is None:
        raise click.UsageError("Missing option '-o' / '--out'.")
    begun = time.perf_counter()
    rendered = rendering.render(loaded, out, n=n, seed=seed, jobs=jobs, executor=where, shard_rows=shard_rows)
    _tell(out, rendered, time.perf_counter() - begun, as_json)


@click.command()
@recipe
@options.out
@click.option("-n", "n", type=click.IntRange(1, 10_000), default=64, help="Words to show.")
@options.seed
def preview(recipe: str, out: Path, n: int, seed: int) -> None:
    """Draw a contact sheet of the first words of RECIPE, as PNG."""
    from curation.core.sheet import write_png
    from synthgen import render as rendering
    from synthgen.preview import preview as draw_sheet

    if out.suffix.lower() != ".png":
        raise UserError(f"output {out} does not end in .png. Contact sheets are PNG files.")
    refuse_existing(out)
    sheet, n_drawn = draw_sheet(rendering.load(recipe), n=n, seed=seed)
    write_png(sheet, out)
    click.echo(f"{out}: {n_drawn} words, {sheet.shape[1]} x {sheet.shape[0]} pixels")


def _tell(out: Path, rendered: Rendered, seconds: float, as_json: bool) -> None:
    """Print what a run did."""
    manifest = rendered.manifest
    numbers = {
        "n_rows": manifest["n_rows"],
        "n_rejected": manifest["n_rejected"],
        "n_redrawn": manifest["n_redrawn"],
        "redrawn_by_reason": manifest["redrawn_by_reason"],
        "seconds": round(seconds, 2),
        "words_per_s": round(rendered.n_drawn / seconds, 1),
    }
    if as_json:
        click.echo(json.dumps(numbers))
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in manifest["redrawn_by_reason"].items())
    click.echo(
        f"{out}: {manifest['n_rows']} words, {manifest['n_rejected']} rejected, "
        f"{manifest['n_redrawn']} drawn again{f' ({reasons})' if reasons else ''}; "
        f"{numbers['words_per_s']:.0f} words/s"
    )
