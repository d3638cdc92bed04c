"""The command ``demo``: everything that glyphmix does, small enough to watch."""

from __future__ import annotations

import json
import shlex
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from curation.core import options

if TYPE_CHECKING:
    from synthgen.engines.trdg import Trdg
    from synthgen.render import Recipe

STUDY = Path(__file__).with_name("study") / "recipes" / "study_demo.toml"
TEST_SHARE = 0.25  # of the stand-in words, which no training set has
N_WORDS = {"rendered": 650, "standin_train": 450, "standin_test": 1_000}


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo-out"),
    help="Where everything goes; given again, it goes on.",
)
@options.jobs
def demo(out: Path, jobs: int) -> None:
    """Render, mix, train, evaluate and report, small, in minutes.

    Words that stand in for real ones are drawn by the engine trdg, in fonts and of words that the native
    engine's recipe does not use; the study mixes them with rendered words at 0, 1 and 3 for each.
    """
    from train.study.answers.findings import write_laws
    from train.study.page.report import write_report
    from train.study.page.table import report_text
    from train.study.rows import Study

    begun = time.monotonic()
    make_words(out, jobs)
    run_study(out)
    study = Study.open(out / "study")
    laws = write_laws(study)
    page = write_report(study, laws)
    click.echo(f"done in {time.monotonic() - begun:.0f} s; remove {out} to start over", err=True)
    click.echo(report_text(study, laws, page))


def make_words(out: Path, jobs: int) -> None:
    """Render the three datasets of the demo, or what of them is missing."""
    from synthgen.render import load, render

    train_words, test_words = split_words(out / "words")
    standin = load("trdg_standin")
    recipes = {
        "rendered": load("mjst_plus"),
        "standin_train": _with_words(standin, "standin_train", train_words),
        "standin_test": _with_words(standin, "standin_test", test_words),
    }
    for name, recipe in recipes.items():
        if not (out / name / "manifest.json").is_file():
            click.echo(f"rendering {N_WORDS[name]:,} words: {name}", err=True)
            render(recipe, out / name, n=N_WORDS[name], jobs=jobs)


def split_words(folder: Path) -> tuple[Path, Path]:
    """Write the shipped stand-in words as two lists without a word in common, for training and for tests."""
    from curation.core.files import write_text
    from curation.core.rng import stream
    from synthgen.materials import corpus, read_lines

    words = sorted({word.lower() for word in read_lines(corpus("standin_words.txt"))})
    order = stream(0, "demo", "words").permutation(len(words))
    n_test = round(TEST_SHARE * len(words))
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "standin_train.txt", folder / "standin_test.txt"
    for path, part in zip(paths, (order[n_test:], order[:n_test]), strict=True):
        write_text(path, "".join(f"{words[i]}\n" for i in sorted(part)))
    return paths


def run_study(out: Path) -> None:
    """Run the demo's study on the datasets below ``out``, or what of it is missing.

    Raises:
        UserError: a run failed, or ``out`` holds another version's demo.
    """
    from curation.core.errors import UserError
    from curation.core.recipe import build
    from train.study.plan import plan
    from train.study.recipe import StudyRecipe
    from train.study.running.run import ablate

    text = STUDY.read_text(encoding="utf-8").replace('"demo-out/', json.dumps(f"{out}/")[:-1])
    checked = plan(build(StudyRecipe, tomllib.loads(text), where=STUDY.name), out / "study")
    result = ablate(
        checked,
        out / "study",
        toml=text,
        command=f"glyphmix demo -o {shlex.quote(str(out))}",
    )
    if result.failed:
        names = ", ".join(result.failed)
        raise UserError(f"runs of the demo failed: {names}. See above for why; the same command goes on.")


def _with_words(recipe: Recipe, name: str, file: Path) -> Recipe:
    """The same recipe, drawing from another word list."""
    engine = cast("Trdg", recipe.engine)
    source = replace(engine.words[0].source, file=str(file))
    words = (replace(engine.words[0], source=source),)
    return replace(recipe, name=name, engine=replace(engine, words=words))
