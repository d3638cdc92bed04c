"""The command ``train``; nothing heavy is imported until it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.core import options

if TYPE_CHECKING:
    from train.recipe import TrainRecipe

RECIPES = Path(__file__).with_name("recipes")


@click.command()
@click.argument("recipe")
@options.out
@click.option("--mixture", type=click.Path(path_type=Path), help="Train on this mixture, not the recipe's.")
@click.option("--preview", is_flag=True, help="Only write a PNG of words before and after augmentation.")
@options.seed
@options.dry_run
def train(recipe: str, out: Path, mixture: Path | None, preview: bool, seed: int, dry_run: bool) -> None:
    """Train a recognizer on a mixture, on words rendered as it goes, or on both.

    RECIPE is a TOML file, or the name of a shipped one. An interrupted run goes on when the same command is
    given again. Several processes train one recognizer together: torchrun --nproc-per-node N --no-python
    glyphmix train RECIPE -o OUT.
    """
    from curation.core.recipe import find, load
    from train.dry_run import dry_run as plan
    from train.fit import fit
    from train.processes import Processes
    from train.recipe import TrainRecipe, resolve

    loaded = load(find(recipe, RECIPES), TrainRecipe)
    if dry_run:
        click.echo(plan(resolve(loaded, mixture)))
        return
    if preview:
        _preview(resolve(loaded, mixture), out, seed)
        return
    record = fit(loaded, out, seed=seed, mixture=mixture)
    if Processes.from_environment().is_first:
        _say(out, record)


def _say(out: Path, record: Mapping[str, Any]) -> None:
    timing = record["timing"]
    memory = f"{timing['peak_memory_mb']:,.0f} MB of memory"
    if "peak_gpu_memory_mb" in timing:
        memory += f" and {timing['peak_gpu_memory_mb']:,.0f} MB of the GPU's"
    click.echo(
        f"{out}: {record['steps']:,} steps, {record['samples_seen']:,} words seen, "
        f"{timing['words_per_second']:,.0f} words/s, {timing['seconds']:,.0f} s, at most {memory}"
    )
    if validation := record["validation"]:
        interval = f"[{100 * validation['accuracy_low']:.1f}, {100 * validation['accuracy_high']:.1f}]"
        held_out = "words held out" if record["mixture"] else "rendered words held out"
        click.echo(
            f"word accuracy on the {validation['n_used']} {held_out}: "
            f"{100 * validation['accuracy']:.1f} % {interval}"
        )


def _preview(recipe: TrainRecipe, out: Path, seed: int) -> None:
    from curation.core.errors import UserError
    from curation.core.files import refuse_existing
    from curation.core.sheet import write_png
    from train.preview import preview

    if out.suffix.lower() != ".png":
        raise UserError(f"output {out} does not end in .png. Contact sheets are PNG files.")
    refuse_existing(out)
    write_png(preview(recipe, n=24, seed=seed), out)
    click.echo(f"{out}: 24 words, each before and three times after {recipe.augment.kind}")
