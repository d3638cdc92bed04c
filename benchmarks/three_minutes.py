"""What three minutes of training on a CPU read: word accuracy on rendered words of other words and fonts.

    python benchmarks/three_minutes.py [-o OUT]

Everything is made for the occasion: 20,000 words of ``mjst_plus`` in four of five families of the shipped
fonts to train on, and 1,000 words in the other families to read, all from ``standin_words.txt``, whose words
no other shipped list has. Words that both draw nevertheless, such as numbers, are not counted. So neither a
word nor a font was seen in training; backgrounds and the camera's effects are drawn from the same ranges.

``conv_ctc`` trains for a fixed number of steps: 245 s on two cores of an AMD EPYC without matrix units that
others shared, of which 208 s were its own; other machines take as many steps. Accuracy is over 36 characters,
case-insensitive (``parseq36``), with Wilson's 95 % interval, on the last line: ``accuracy <share> [low,
high]``. It was 0.547 [0.515, 0.578].
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from curation.core import recipe as recipes
from curation.core.dataset import Dataset
from curation.core.labels import CHARSET_36, protocol
from curation.mixing import MixRecipe, MixSource, mix
from synthgen.engines import engines
from synthgen.fonts import index_fonts
from synthgen.materials import FONTS, RECIPES
from synthgen.render import Recipe, render
from train.evaluation.evaluate import evaluate
from train.evaluation.metrics import wilson
from train.fit import fit
from train.recipe import TrainRecipe

N_TRAIN, N_TEST = 20_000, 1_000
HELD_OUT = 5  # every fifth family, by the first word of its name
TRAINING = TrainRecipe(
    steps=1_200, optimizer="muon", ns_steps=3, warmup=0.05, threads=2, validate_every=0, device="cpu"
)
OTHER_WORDS = {
    "share": 1.0,
    "casing": {"lower": 1, "upper": 1, "title": 1},
    "source": {"kind": "word_list", "file": "standin_words.txt"},
}


def main() -> None:
    """Render, train, read and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", type=Path, help="folder that keeps words and run (default: none)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        measure(options.out or Path(temporary))


def measure(out: Path) -> None:
    """Do all of it below ``out``, and print what came of it."""
    # With one seed every decision but word and font would be the same in both: colours, layout, photo.
    for seed, (recipe, n) in enumerate(zip(both_recipes(), (N_TRAIN, N_TEST), strict=True)):
        if not (out / recipe.name / "manifest.json").is_file():
            render(recipe, out / recipe.name, n=n, seed=seed)
    if not (out / "mixture" / "manifest.json").is_file():
        mix(MixRecipe(sources=(MixSource(name="rendered", paths=(out / "train",)),)), out / "mixture")
    record = fit(TRAINING, out / "run", seed=0, mixture=out / "mixture")
    (score,) = evaluate(out / "run", [out / "test"])
    normalise = protocol(TRAINING.protocol).normalise
    seen = {
        normalise(label)[0] for label in Dataset.open(out / "train").table(["label"])["label"].to_pylist()
    }
    table = pq.read_table(out / "run" / "predictions" / "test.parquet").to_pylist()
    counted = [row for row in table if row["label_normalised"] not in seen]
    timing = record["timing"]
    print(
        f"{record['steps']:,} steps of {TRAINING.batch} on {TRAINING.threads} threads: "
        f"{timing['seconds']:.0f} s, {timing['processor_seconds']:.0f} s of processor, "
        f"{timing['words_per_second']:,.0f} words/s"
    )
    print(f"{len(counted):,} words read; {score.n_used - len(counted)} more were seen in training")
    n_correct = sum(row["correct"] for row in counted)
    low, high = wilson(n_correct, len(counted))
    print(f"accuracy {n_correct / len(counted):.3f} [{low:.3f}, {high:.3f}]")


def both_recipes() -> tuple[Recipe, Recipe]:
    """``mjst_plus`` without some families of fonts; and in these alone, with other words."""
    families = {font.family for font in index_fonts(FONTS, CHARSET_36).fonts}
    names = sorted({family.split()[0] for family in families})[::HELD_OUT]  # Barlow Condensed is a Barlow
    held_out = sorted(family for family in families if family.split()[0] in names)
    table = recipes.read(RECIPES / "mjst_plus.toml")
    choice = table["font_choice"]
    training = table | {"font_choice": choice | {"exclude": held_out}}
    test = table | {"font_choice": choice | {"include": held_out}, "words": [OTHER_WORDS]}
    return _recipe("train", training), _recipe("test", test)


def _recipe(name: str, table: dict[str, Any]) -> Recipe:
    kind = table["engine"]
    rest = {key: value for key, value in table.items() if key != "engine"}
    return Recipe(name=name, engine=recipes.build(engines.get(kind), rest, where="mjst_plus.toml"))


if __name__ == "__main__":
    main()
