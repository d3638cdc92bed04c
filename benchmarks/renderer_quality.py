"""What rendered words teach: word accuracy on real words after training on N words of each renderer.

    python benchmarks/renderer_quality.py -o OUT --peer SYNTHTIGER --tests IIIT5K_TEST CUTE80 [-j 2]

Every arm trains the same recognizer (``conv_ctc`` with the augmentation ``mild``) for the same number of
steps on one thread, on words of one kind alone; arms differ in nothing but the words. ``SYNTHTIGER`` is a
dataset of a rival's images (``glyphmix import tsv labels.tsv``), the tests are datasets of real words. The
first test decides.

Arms: the rival's images; the recipes ``mjst_plus``, ``mj``, ``st`` and ``trdg_release`` at equal N;
``mjst_plus`` at larger N with equal steps (what variety buys); ``mjst_plus`` with the fonts of trdg's
package, which is also the group of fonts taken away; and ``mjst_plus`` with another group of its choices
taken away: words (a dictionary in three cases), layout (straight, upright, with even margins), look (one
colour on one colour), camera (no effect).

Arms that are finished are not run again, so that the command may be killed and repeated; ``--arms`` limits
it to some. The table states accuracies in percent, protocol parseq36, means over seeds with Wilson intervals
of one seed's number of words; then ``mjst_plus`` against each other arm, and ``mjst_plus`` with trdg's fonts
against the rival, with seeds that both have, word by word on the first test, with the interval of a paired
bootstrap over words. Neither interval knows the chance of a seed. The last line is ``gain <points of
mjst_plus over the rival on the first test>``.
"""

from __future__ import annotations

import os

os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

import argparse
import importlib.util
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.core import recipe as recipes
from curation.core.files import write_text
from curation.core.pool import run_tasks
from curation.mixing import MixRecipe, MixSource, mix
from synthgen.engines import engines
from synthgen.materials import RECIPES
from synthgen.render import Recipe, render
from train.evaluation.metrics import bootstrap_mean, wilson

Table = dict[str, Any]
N, STEPS, BATCH = 5_900, 3_000, 128
OURS = "mjst_plus"
TRDG_FONTS = f"{OURS}, trdg's fonts"
DICTIONARY = {
    "share": 1.0,
    "casing": {"lower": 1, "upper": 1, "title": 1},
    "source": {"kind": "word_list", "file": "dictionary_en.txt"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """Words to train on: a recipe's, changed or not, or those of a dataset.

    Attributes:
        name: What the table calls it.
        recipe: Shipped recipe; None for the rival's dataset.
        change: What is taken from the recipe.
        n: How many words.
        seeds: Of rendering, of the first weights and of the augmentation.
    """

    name: str
    recipe: str | None = OURS
    change: Callable[[Table], Table] = dict
    n: int = N
    seeds: tuple[int, ...] = (0, 1)


def without_words(table: Table) -> Table:
    """The recipe with the words of a dictionary alone, in three cases."""
    return table | {"words": [DICTIONARY]}


def with_trdg_fonts(table: Table) -> Table:
    """The recipe with the Latin fonts of trdg's package, which overlap little with ours."""
    spec = importlib.util.find_spec("trdg")
    assert spec is not None
    assert spec.origin is not None
    chosen = {k: v for k, v in table.items() if k != "font_choice"}  # it speaks of classes of ours
    return chosen | {"fonts": str(Path(spec.origin).parent / "fonts" / "latin")}


def without_layout(table: Table) -> Table:
    """The recipe with words straight, upright and unstretched, and margins of one width."""
    still = {"slant_deg": 0, "skew_deg": 0, "rotation_deg": 0, "perspective": 0}
    posture = still | {"tracking_em": [0, 0], "stretch": [1, 1]}
    framing = {"tight": [0.1, 0.1], "shares": [1, 0, 0]}
    gone = ("layouts", "neighbours", "jitter")
    return {k: v for k, v in table.items() if k not in gone} | {"posture": posture, "framing": framing}


def without_look(table: Table) -> Table:
    """The recipe with one colour on one colour: no fill, outline, shadow, texture or photo."""
    kept = {k: v for k, v in table.items() if k != "backgrounds"}
    return kept | {"ink": {"outline": 0, "shadow": 0, "fade": 0}}


def without_camera(table: Table) -> Table:
    """The recipe without effects."""
    return {k: v for k, v in table.items() if k != "effects"}


ARMS = (
    Arm(name="synthtiger", recipe=None),
    Arm(name=OURS),
    Arm(name="mj", recipe="mj"),
    Arm(name="st", recipe="st"),
    Arm(name="trdg_release", recipe="trdg_release"),
    Arm(name=TRDG_FONTS, change=with_trdg_fonts, seeds=(0,)),
    Arm(name=f"{OURS} without words", change=without_words, seeds=(0,)),
    Arm(name=f"{OURS} without layout", change=without_layout, seeds=(0,)),
    Arm(name=f"{OURS} without look", change=without_look, seeds=(0,)),
    Arm(name=f"{OURS} without camera", change=without_camera, seeds=(0,)),
    Arm(name=f"{OURS} x 20000", n=20_000, seeds=(0,)),
    Arm(name=f"{OURS} x 100000", n=100_000, seeds=(0,)),
)


def main() -> None:
    """Render, train and measure what is missing, then print the table and the gain."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for words and runs")
    parser.add_argument("--peer", type=Path, required=True, help="dataset of the rival's words")
    parser.add_argument("--tests", type=Path, nargs="+", required=True, help="datasets of real words")
    parser.add_argument("--arms", nargs="+", metavar="ARM", help="only these (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of each arm's own")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("-j", "--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    if unknown := sorted(set(options.arms or ()) - {arm.name for arm in ARMS}):
        parser.error(f"no such arm: {', '.join(unknown)}. Known: {', '.join(arm.name for arm in ARMS)}")
    arms = [arm for arm in ARMS if not options.arms or arm.name in options.arms]
    runs = [(arm, seed) for arm in arms for seed in options.seeds or arm.seeds]
    options.out.mkdir(parents=True, exist_ok=True)
    for arm, seed in runs:
        prepare(arm, seed, options)
    tasks = [
        (folder(options.out, arm.name, seed), seed, options.steps, tuple(options.tests))
        for arm, seed in runs
        if not (folder(options.out, arm.name, seed) / "scores.json").is_file()
    ]
    total = len(tasks)
    for name in run_tasks(train_one, tasks, jobs=options.jobs, total=total, unit="run", what="train"):
        print(f"finished {name}", flush=True)
    print_table(runs, options)


def folder(out: Path, arm: str, seed: int) -> Path:
    """Where the files of one run lie."""
    return out / f"{arm.replace(' ', '_').replace(',', '').replace(chr(39), '')}-{seed}"


def prepare(arm: Arm, seed: int, options: argparse.Namespace) -> None:
    """Render the words of an arm and make the mixture that holds each of them once a pass."""
    at = folder(options.out, arm.name, seed)
    if (at / "mixture" / "manifest.json").is_file():
        return
    at.mkdir(exist_ok=True)
    words = options.peer
    if arm.recipe is not None:
        words = at / "words"
        if not (words / "manifest.json").is_file():
            path = RECIPES / f"{arm.recipe}.toml"
            table = arm.change(recipes.read(path))
            engine = recipes.build(engines.get(table.pop("engine"), where=path.name), table, where=path.name)
            recipe = Recipe(name=arm.recipe, engine=engine)
            render(recipe, words, n=arm.n, seed=seed, jobs=options.jobs)
    mix(MixRecipe(sources=(MixSource(name="words", paths=(words,)),)), at / "mixture")


def train_one(at: Path, seed: int, steps: int, tests: tuple[Path, ...], tick: Callable[[int], object]) -> str:
    """Train on the mixture in ``at`` and measure; the scores are written last."""
    from train.evaluation.evaluate import evaluate
    from train.fit import fit
    from train.recipe import TrainRecipe

    if not (at / "run" / "run.json").is_file():
        recipe = TrainRecipe(steps=steps, batch=BATCH, threads=1, validate_every=0, device="cpu")
        fit(recipe, at / "run", seed=seed, mixture=at / "mixture")
    scores = evaluate(at / "run", list(tests))
    write_text(at / "scores.json", json.dumps([asdict(score) for score in scores], indent=1) + "\n")
    tick(1)
    return at.name


def print_table(runs: list[tuple[Arm, int]], options: argparse.Namespace) -> None:
    """Accuracy by arm and test, and how far each arm is from ``mjst_plus``."""
    seeds: dict[str, list[int]] = {}
    for arm, seed in runs:
        seeds.setdefault(arm.name, []).append(seed)
    arms = [arm for arm in ARMS if arm.name in seeds]
    scores = {
        (arm.name, seed): json.loads((folder(options.out, arm.name, seed) / "scores.json").read_text("utf-8"))
        for arm, seed in runs
    }
    tests = [(score["name"], score["n_used"]) for score in next(iter(scores.values()))]
    print(f"{options.steps} steps of {BATCH}, parseq36, tests " + ", ".join(f"{t} ({n})" for t, n in tests))
    for arm in arms:
        cells = [interval([scores[arm.name, seed][i] for seed in seeds[arm.name]]) for i in range(len(tests))]
        print(f"{arm.name:28} N {arm.n:7,}  seeds {len(seeds[arm.name])}  " + "  ".join(cells))
    gain = None
    print(f"\npoints on {tests[0][0]}:")
    for ours, other in [(OURS, arm) for arm in arms] + [(TRDG_FONTS, arms[0])]:
        shared = sorted(set(seeds.get(ours, ())) & set(seeds[other.name]))
        if other.name == ours or not shared:
            continue
        low, middle, high = difference(options.out, ours, other.name, shared, tests[0][0])
        print(f"{ours} - {other.name:28} seeds {len(shared)}  {middle:+6.2f} [{low:+.2f}, {high:+.2f}]")
        gain = middle if (ours, other.recipe) == (OURS, None) else gain
    if gain is not None:
        print(f"gain {gain:.2f}")


def difference(out: Path, ours: str, other: str, seeds: list[int], test: str) -> tuple[float, float, float]:
    """Mean difference in accuracy over words and seeds, in points, between the ends of its interval."""
    pairs = [correct(out, ours, seed, test) - correct(out, other, seed, test) for seed in seeds]
    words = 100 * np.mean(pairs, axis=0)
    low, high = bootstrap_mean(words)
    return low, float(words.mean()), high


def interval(scores: list[Table]) -> str:
    """Mean accuracy over seeds; Wilson's interval as for the words of one seed."""
    share, n = sum(s["accuracy"] for s in scores) / len(scores), scores[0]["n_used"]
    low, high = wilson(round(share * n), n)
    return f"{100 * share:5.1f} [{100 * low:4.1f}, {100 * high:4.1f}]"


def correct(out: Path, arm: str, seed: int, test: str) -> NDArray[np.float64]:
    """1 for each word of a test that was read without an error, else 0; shape (words,)."""
    path = folder(out, arm, seed) / "run" / "predictions" / f"{test}.parquet"
    column: NDArray[np.float64] = pq.read_table(path, columns=["correct"])["correct"].to_numpy().astype(float)
    return column


if __name__ == "__main__":
    main()
