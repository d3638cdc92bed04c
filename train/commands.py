"""The command ``train``; nothing heavy is imported until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    given again.
    """
    from curation.core.recipe import find, load
    from train.fit import fit
    from train.recipe import TrainRecipe, resolve

    loaded = load(find(recipe, RECIPES), TrainRecipe)
    if dry_run:
        click.echo(_plan(resolve(loaded, mixture)))
        return
    if preview:
        _preview(resolve(loaded, mixture), out, seed)
        return
    record = fit(loaded, out, seed=seed, mixture=mixture)
    timing = record["timing"]
    click.echo(
        f"{out}: {record['steps']:,} steps, {record['samples_seen']:,} words seen, "
        f"{timing['words_per_second']:,.0f} words/s, {timing['seconds']:,.0f} s"
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


def _plan(recipe: TrainRecipe) -> str:
    """What training would do, in a few lines; checks the mixture and the rendering recipe on the way."""
    from curation.core.labels import protocol
    from curation.mixture import Mixture
    from train.models.base import count_parameters
    from train.rendered import Order
    from train.rendered_plan import rendered_plan

    mixture = recipe.mixture and Mixture.open(recipe.mixture)
    network = recipe.model.build(protocol(recipe.protocol).charset)
    samples = recipe.steps * recipe.batch
    order = Order.of(recipe.rendered.per_word if recipe.rendered else None, has_mixture=bool(mixture))
    lines = [
        f"model     {recipe.model.kind}, {count_parameters(network):,} parameters, "
        f"{len(network.charset)} characters"
    ]
    passes = ""
    if mixture:
        lines.append(f"mixture   {recipe.mixture}, {len(mixture):,} positions")
        passes = f"{order.of_mixture(0, samples)[1] / len(mixture):.1f} passes, "
    if recipe.rendered:
        lines += rendered_plan(recipe, order.of_rendered(0, samples)[1])
    lines.append(
        f"training  {recipe.steps:,} steps of {recipe.batch} words = {samples:,} words, "
        f"{passes}on {recipe.device} in {recipe.precision}"
    )
    return "\n".join(lines)
