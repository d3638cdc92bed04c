"""How well the joint law is found where it was planted, from every start, and how fast.

Runs are drawn from ``error = E + B (real + k * synthetic)^-b`` on 28 cells of 0 to 300,000 real and 0 to
3,000,000 synthetic words, three seeds a cell, a test of 7,672 words: with binomial noise alone, with seeds
that move a run by 0.3 points, and with test words that are the same in all runs, easy or hard in all of
them. The table says how often k lies within 10 % and b within 0.03 of the truth, and how often their 80 %
intervals hold it; below it stand a smaller test and fewer seeds. Then: the share of seeds whose starts reach
the best fit of all, the sentences with which grids are refused, and 30 cells with 1,000 resamples in
processor time: against scipy's ``curve_fit``, one start a resample and least squares, and against a floor,
the evaluation of the law that every step must do.

The last lines are ``ratio <number>``: scipy's time over ours, and ours over the floor.

Command: python benchmarks/laws.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import curve_fit
from scipy.stats import norm

from curation.core.errors import UserError
from train.laws.fitting import Fitted, fit
from train.laws.joint import Joint
from train.laws.points import Points

TRUTH = {"E": 0.04, "B": 6.0, "b": 0.32, "k": 0.12}
REALS = (0, 10_000, 30_000, 100_000, 300_000)
SYNTHETICS = (0, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
GRID = [(real, synthetic) for real in REALS for synthetic in SYNTHETICS if real + synthetic]
CELLS_28, CELLS_30 = GRID[:28], [*GRID, (1_000_000, 0)]
CELLS_8 = [(real, synthetic) for real in REALS[::2] for synthetic in SYNTHETICS[::2] if real + synthetic]
CELLS_NEAR = [(real, synthetic) for real in (5_000, 10_000) for synthetic in (0, 5_000, 10_000, 20_000)]
FLIPS = 0.5  # noise of one reading of a word, beside a spread of 1 between words
LAW = Joint(repeats="counted_once")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=300, help="of each simulation")
    parser.add_argument("--starts", type=int, default=300, help="seeds of the starts")
    options = parser.parse_args()
    coverage(options.simulations, options.resamples)
    reached(options.starts)
    refusals()
    speed()


def points(
    rng: np.random.Generator,
    cells: Sequence[tuple[float, float]] = tuple(CELLS_28),
    *,
    seeds: int = 3,
    words: int = 7_672,
    seed_sd: float = 0.0,
    shared: bool = False,
) -> Points:
    """Runs of the planted law, each word seen once."""
    hardness = rng.standard_normal(words)
    rows, correct = [], []
    for real, synthetic in cells:
        error = TRUTH["E"] + TRUTH["B"] * (real + TRUTH["k"] * synthetic) ** -TRUTH["b"]
        for seed in range(seeds):
            at = error + seed_sd * rng.standard_normal()
            if shared:
                ease = norm.ppf(1 - at) * np.hypot(1, FLIPS)
                correct.append(hardness + FLIPS * rng.standard_normal(words) < ease)
                right = int(correct[-1].sum())
            else:
                right = words - int(rng.binomial(words, at))
            columns = {"n_real": real, "n_synthetic": synthetic, "n_total": real + synthetic}
            rows.append(
                {"right": right, "words": words, "cell": f"{real}-{synthetic}", "seed": seed, **columns}
            )
    return Points.of(rows, np.array(correct) if shared else None)


def coverage(simulations: int, resamples: int) -> None:
    """Print how often the truth is found, and how often an interval holds it."""
    print(f"{simulations} simulations of 28 cells, {resamples} resamples each; truth {TRUTH}")
    print(f"{'':34} {'k 10 %':>7} {'b 0.03':>7}  80 % interval holds  median 80 % interval")
    print(f"{'noise':34} {'within':>7} {'within':>7}  {'E':>4} {'B':>4} {'b':>4} {'k':>4}    k, b, E")
    for name, how in (
        ("binomial", {}),
        ("and seeds, 0.3 points", {"seed_sd": 0.003}),
        ("and words shared by all runs", {"seed_sd": 0.003, "shared": True}),
        ("seeds, 1 seed a cell", {"seed_sd": 0.003, "seeds": 1}),
        ("seeds, 2,000 test words", {"seed_sd": 0.003, "words": 2_000}),
    ):
        found, refused = [], 0
        for i in range(simulations):
            try:
                found.append(fit(LAW, points(np.random.default_rng(i), **how), n_boot=resamples))
            except UserError:
                refused += 1
        print(f"{name:34} {line(found)}" + (f"  ({refused} refused)" if refused else ""))


def line(found: Sequence[Fitted]) -> str:
    """One row of the table."""
    estimate = {name: np.array([one.estimate[name] for one in found]) for name in TRUTH}
    interval = {name: [one.interval(name) for one in found] for name in TRUTH}
    near_k = np.mean(np.abs(estimate["k"] / TRUTH["k"] - 1) < 0.1)
    near_b = np.mean(np.abs(estimate["b"] - TRUTH["b"]) < 0.03)
    holds = {n: np.mean([one.low80 <= TRUTH[n] <= one.high80 for one in interval[n]]) for n in TRUTH}
    ends = {
        n: [np.median([getattr(one, end) for one in interval[n]]) for end in ("low80", "high80")]
        for n in "kbE"
    }
    shown = ", ".join("[{:.3f}, {:.3f}]".format(*ends[name]) for name in "kbE")
    return f"{near_k:7.0%} {near_b:7.0%}  " + " ".join(f"{holds[n]:4.0%}" for n in TRUTH) + f"   {shown}"


def reached(n: int) -> None:
    """Print the share of seeds whose starts reach the least deviance of all seeds."""
    print(f"\nstarts: share of {n} seeds that reach the best fit of all")
    noisy = points(np.random.default_rng(1), seeds=1, words=2_000, seed_sd=0.003)
    few = points(np.random.default_rng(1), CELLS_8, seed_sd=0.003)
    for law, data, name in (
        (LAW, points(np.random.default_rng(0)), "joint, 28 cells"),
        (LAW, few, "joint, 8 cells"),
        (Joint(curved=True, repeats="counted_once"), noisy, "joint, curved, one seed, 2,000 words"),
        ("additive", noisy, "additive, the same"),
        ("power", noisy, "power, the same"),
    ):
        ends = np.array([fit(law, data, seed=seed, n_boot=0).deviance for seed in range(n)])
        print(f"{name:38} {np.mean(ends <= ends.min() + 1e-6 * (1 + ends.min())):7.1%}")


def refusals() -> None:
    """Print what grids that cannot tell the law are answered."""
    print("\nrefused")
    for name, cells, how in (
        ("always 3 : 1", [(real, 3 * real) for real in REALS[1:]], {}),
        ("one amount of real", [(10_000, synthetic) for synthetic in SYNTHETICS], {}),
        ("8 near each other", CELLS_NEAR, {"words": 1_000, "seeds": 1}),
    ):
        try:
            told = f"not refused: {fit(LAW, points(np.random.default_rng(0), cells, **how)).estimate}"
        except UserError as refusal:
            told = str(refusal)
        print(f"{name:20} {told}")


def speed() -> None:
    """Print processor times of 30 cells with 1,000 resamples, and the ratios."""
    data = points(np.random.default_rng(0), CELLS_30, seed_sd=0.003)
    ours, fitted = timed(lambda: fit(LAW, data, n_boot=1_000))
    assert isinstance(fitted, Fitted)
    real, synthetic = data.columns["n_real"], data.columns["n_synthetic"]

    def law(_: object, e: float, b_scale: float, b: float, log_k: float) -> np.ndarray:
        return e + b_scale * ((real + np.exp(log_k) * synthetic) / 1e5) ** -b

    start = [0.04, 0.15, 0.32, np.log(0.12)]
    errors = np.random.default_rng(0).binomial(7_672, data.error, (50, len(real))) / 7_672
    theirs, _ = timed(lambda: [curve_fit(law, None, one, start, maxfev=5_000) for one in errors])
    theirs *= 1_000 / len(errors)
    shapes = np.repeat(fitted.theta[None, fitted.form.n_scales :], 1_000, axis=0)
    cells = {name: values[::3] for name, values in data.columns.items()}
    floor, _ = timed(lambda: [fitted.form.terms(shapes, cells) for _ in range(20)])
    print("\n30 cells, 3 seeds, 1,000 resamples, processor time")
    print(f"ours {ours:.2f} s; curve_fit, one start each {theirs:.2f} s; floor, 20 evaluations {floor:.3f} s")
    print(f"ratio {theirs / ours:.1f} of curve_fit over ours")
    print(f"ratio {ours / floor:.1f} of ours over the floor")


def timed(what: Callable[[], object]) -> tuple[float, object]:
    """Seconds of the processor, and what came of it."""
    begin = time.process_time()
    found = what()
    return time.process_time() - begin, found


if __name__ == "__main__":
    main()
