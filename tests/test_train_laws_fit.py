"""What every law promises, and what fitting it gives."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from planted_laws import JOINT, exact_points, joint_error, points_of
from scipy.optimize import minimize

from curation.core.errors import UserError
from train.laws import Law, Points, laws
from train.laws.fitting import fit, resolve
from train.laws.joint import Joint
from train.laws.noise import Noise
from train.laws.power import Power, PowerNoFloor

SIZES = (1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6)
EVERY: list[Law] = [
    *map(resolve, laws),
    Joint(floor=False),
    Power(discounted=True),
    Joint(size=True, curved=True, repeats="fitted"),
    Joint(repeats="counted_once"),
]
TRUTH = {  # kind -> scales of the terms and shapes, as the form has them
    "additive": ([0.03, 0.05, 0.1], [0.8, 0.5, -1.0, 0.4]),
    "joint": ([0.04, 0.2], [0.35, -2.0]),
    "mixing": ([0.1, 0.2], [-2.5]),
    "power": ([0.05, 0.15], [0.45]),
    "power_no_floor": ([0.2], [0.25]),
    "size_and_words": ([0.03, 0.1, 0.2], [0.3, 0.5]),
    "transfer": ([0.1, 0.15], [0.4, 0.2]),
}


def cells_for(law: Law) -> list[dict[str, float]]:
    """Cells that can carry any law: a grid of words, repeats and model sizes, or shares of a fixed volume."""
    if law.kind == "mixing":
        return [{"n_total": 1e5, "n_synthetic": 1e5 * share} for share in np.linspace(0, 1, 8)]
    least = 1 if law.kind == "transfer" else 0
    reals, synthetics = (0, 1e4, 5e4, 2e5)[least:], (0, 3e4, 1e5, 3e5, 1e6)[least:]
    return [
        {
            "n_real": real,
            "n_synthetic": synthetic,
            "n_total": real + synthetic,
            "seen_real": real * (1 + i % 7),
            "seen_synthetic": synthetic * (1 + i % 4),
            "samples": 2e6,
            "parameters": (1e5, 1e6, 1e7)[i % 3],
        }
        for i, (real, synthetic) in enumerate(product(reals, synthetics))
        if real + synthetic
    ]


def columns_of(cells: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([cell[name] for cell in cells]) for name in cells[0]}


@pytest.mark.parametrize("law", EVERY, ids=lambda law: law.title)
def test_slopes_are_those_of_the_terms(law: Law) -> None:
    columns = columns_of(cells_for(law))
    form = law.prepare(columns)
    low, high = form.bounds.T
    shapes = low + (high - low) * np.random.default_rng(0).uniform(0.2, 0.5, (3, len(low)))
    terms, slopes = form.terms(shapes, columns)
    assert slopes.shape == (*terms.shape, len(low))
    assert terms.shape[2] == form.n_scales
    for q, step in enumerate(1e-6 * (high - low)):
        more, less = shapes.copy(), shapes.copy()
        more[:, q] += step
        less[:, q] -= step
        measured = (form.terms(more, columns)[0] - form.terms(less, columns)[0]) / (2 * step)
        np.testing.assert_allclose(slopes[..., q], measured, rtol=1e-4, atol=1e-6 * abs(measured).max())


@pytest.mark.parametrize("kind", list(laws))
def test_a_planted_law_is_found_exactly(kind: str) -> None:
    law = resolve(kind)
    cells = cells_for(law)
    scales, shapes = (np.array(values) for values in TRUTH[kind])
    form = law.prepare(columns_of(cells))
    terms, _ = form.terms(shapes[None], columns_of(cells))
    errors = dict(zip(map(id, cells), (terms[0] @ scales).tolist(), strict=True))
    found = fit(law, exact_points(cells, lambda cell: errors[id(cell)]), n_boot=0)
    assert found.deviance < 1e-3
    truth = {name: value[0] for name, value in form.parameters(scales[None], shapes[None]).items()}
    assert found.estimate == pytest.approx(truth, rel=0.02)
    assert [row["predicted"] for row in found.cells] == pytest.approx(
        [row["observed"] for row in found.cells], abs=1e-5
    )


def test_titles_tell_laws_apart() -> None:
    assert len({law.title for law in EVERY}) == len(EVERY)


@pytest.mark.parametrize("law", EVERY, ids=lambda law: law.title)
def test_a_law_needs_its_columns(law: Law) -> None:
    cells = [{"other": 1.0}, {"other": 2.0}]
    with pytest.raises(UserError, match=f"^the law needs '{law.columns[0]}' of every run"):
        fit(law, exact_points(cells, lambda cell: 0.2))


def power_points(seed: int, *, words: int = 7000, seed_sd: float = 0.0, seeds: int = 3) -> Points:
    cells = [{"n_total": n} for n in SIZES]
    rng = np.random.default_rng(seed)
    return points_of(
        cells, lambda cell: 0.05 + 3 * cell["n_total"] ** -0.4, rng, words=words, seeds=seeds, seed_sd=seed_sd
    )


@pytest.mark.parametrize("seed_sd", [0.0, 0.003])
def test_intervals_of_a_power_law_cover_the_truth(seed_sd: float) -> None:
    truth = {"E": 0.05, "A": 3.0, "a": 0.4}
    hits = dict.fromkeys(truth, 0)
    for trial in range(20):
        found = fit("power", power_points(trial, seed_sd=seed_sd), n_boot=200)
        for name, value in truth.items():
            interval = found.interval(name)
            hits[name] += interval.low80 <= value <= interval.high80
    assert all(11 <= n <= 20 for n in hits.values()), hits  # 16 of 20, and 2.8 standard errors


def test_every_seed_of_the_starts_finds_the_same_fit() -> None:
    points = power_points(0)
    ends = [fit("power", points, seed=seed, n_boot=0).deviance for seed in range(40)]
    assert np.ptp(ends) < 1e-6


def test_a_general_optimizer_finds_no_better_fit() -> None:
    points = power_points(3)
    n, right, wrong = points.column("n_total"), points.right, points.words - points.right

    def minus_log_likelihood(at: np.ndarray) -> float:
        error = (at[0] + at[1] * (n / 3e4) ** -at[2]).clip(1e-9, 1 - 1e-9)
        return -float((wrong * np.log(error) + right * np.log(1 - error)).sum())

    begin = [[floor, 0.1, slope] for floor in (0.0, 0.05) for slope in (0.2, 0.8)]
    bounds = [(0, 1), (0, 1), (0, 4)]
    theirs = min((minimize(minus_log_likelihood, x, bounds=bounds) for x in begin), key=lambda end: end.fun)
    ours = fit("power", points, n_boot=0).estimate
    at = [ours["E"], ours["A"] * 3e4 ** -ours["a"], ours["a"]]
    assert minus_log_likelihood(np.array(at)) <= theirs.fun + 1e-3
    assert at == pytest.approx(theirs.x.tolist(), rel=0.02)


def test_equal_seeds_give_equal_fits() -> None:
    one, two = (fit("power", power_points(0), n_boot=50).json() for _ in range(2))
    assert one == two


def test_a_run_strays_further_than_the_law() -> None:
    found = fit("power", power_points(0, seed_sd=0.01), same_words=True)
    place = {"n_total": np.array([3e6])}
    estimate, draws = found.predict(place)
    runs = found.predict_runs(place, np.array([7000]))
    assert estimate[0] == pytest.approx(0.05 + 3 * 3e6**-0.4, abs=0.01)
    assert draws.std() < runs.std()
    assert np.hypot(draws.std(), 0.01) == pytest.approx(runs.std(), rel=0.35)


def test_words_that_all_seeds_read_alike_make_seeds_surer_than_words() -> None:
    """Where 9 in 10 words are read by all seeds or none, another seed moves little, and other words much."""
    rng, n_words = np.random.default_rng(0), 4000
    hardness, rows, correct = rng.uniform(size=n_words), [], []
    for n, seed in product(SIZES, range(3)):
        read = hardness + rng.normal(0, 0.02, n_words) > 0.05 + 3 * n**-0.4
        correct.append(read)
        rows.append(
            {"right": read.sum(), "words": n_words, "cell": f"real{n:.0f}", "seed": seed, "n_total": n}
        )
    points = Points.of(rows, np.array(correct))
    noise = Noise.of(points)
    assert noise.flips < 0.2
    other, same = (fit("power", points, same_words=same) for same in (False, True))
    place = {"n_total": np.array([1e5])}
    spread = [found.predict(place)[1].std() for found in (other, same)]
    assert spread[1] < 0.5 * spread[0]
    share = 0.05 + 3 * 1e5**-0.4
    assert spread[0] == pytest.approx(np.sqrt(share * (1 - share) / n_words), rel=0.3)


def test_a_law_that_misses_its_cells_says_so_and_is_less_sure() -> None:
    cells = [{"n_total": n} for n in SIZES]
    bent = lambda cell: 0.1 if cell["n_total"] > 2e4 else 0.3  # noqa: E731
    found = fit("power_no_floor", points_of(cells, bent, np.random.default_rng(0)))
    good = fit(
        "power_no_floor", points_of(cells, lambda cell: cell["n_total"] ** -0.2, np.random.default_rng(0))
    )
    assert good.misses == 1
    assert found.misses > 50
    width = {law: law.interval("a").high80 - law.interval("a").low80 for law in (good, found)}
    assert width[found] > 5 * width[good]


def test_repeats_of_fewer_words_bend_a_power_law() -> None:
    """Equal samples for all: 1,000 words are read a thousand times, a million once."""
    cells = [{"n_total": n, "samples": 1e6} for n in SIZES]
    truth = lambda cell: 0.05 + 3 * float(Power(discounted=True).amount(cell)) ** -0.4  # noqa: E731
    points = points_of(cells, truth, np.random.default_rng(0), words=20_000)
    found = fit(Power(discounted=True), points, n_boot=200)
    assert found.misses == 1
    assert found.interval("a").low95 < 0.4 < found.interval("a").high95
    assert fit("power_no_floor", points, n_boot=0).misses > 3
    with pytest.raises(ValueError, match="only the repeats of n_total can be discounted, not those of flops"):
        Power(column="flops", discounted=True)


def few(sizes: int) -> Points:
    cells = [{"n_total": n} for n in SIZES[:sizes]]
    return points_of(cells, lambda cell: cell["n_total"] ** -0.2, np.random.default_rng(0))


def refusal(law: Law, points: Points) -> str:
    with pytest.raises(UserError) as refused:
        fit(law, points)
    return str(refused.value)


def test_few_sizes_are_a_sentence() -> None:
    assert refusal(Power(), few(3)) == (
        "a power law needs cells at 4 or more values of n_total, got 3; train more"
    )
    assert refusal(PowerNoFloor(), few(2)) == (
        "a power law without a floor needs cells at 3 or more values of n_total, got 2; train more"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            0.9999,
            "all runs read fewer than 10 of the 7,672 test words, too few to fit a law to. "
            "Train longer or on more words",
        ),
        (
            0.0001,
            "all runs miss fewer than 10 of the 7,672 test words, too few to fit a law to. "
            "Take a harder test",
        ),
        (
            0.3,
            "the 7 cells differ by no more than seeds and test words do, so no law shows. "
            "Train cells further apart, more seeds, or take a larger test",
        ),
    ],
)
def test_runs_that_all_read_alike_are_refused(error: float, message: str) -> None:
    cells = [{"n_total": n} for n in SIZES]
    assert refusal(Power(), points_of(cells, lambda cell: error, np.random.default_rng(0))) == message


def test_words_that_no_step_reached_are_refused() -> None:
    cells: list[dict[str, Any]] = [{"n_total": n, "samples": 64_000} for n in SIZES]
    assert refusal(Power(), exact_points(cells, lambda cell: cell["n_total"] ** -0.2)) == (
        "a power law needs runs that see each of their words, and some see 64,000 samples of up to "
        "1,000,000 different words; raise steps"
    )


def test_an_error_that_rises_with_words_is_refused() -> None:
    cells = [{"n_total": n} for n in SIZES]
    points = points_of(cells, lambda cell: 0.05 * cell["n_total"] ** 0.1, np.random.default_rng(0))
    assert refusal(PowerNoFloor(), points) == (
        "the error of the 7 cells does not fall as the law 'power_no_floor of n_total' would have it: "
        "its a is 0. Choose another law"
    )


def test_chinchilla_is_found_again_at_a_tenth_of_its_loss() -> None:
    """The refit of Besiroglu et al. 2024 (arXiv:2404.10102), planted where theirs was measured."""
    truth = {"E": 1.8172, "A": 482.01, "a": 0.3478, "B": 2085.43, "b": 0.3658}
    compute = np.geomspace(1e19, 3e21, 8)
    cells = [{"parameters": n, "n_total": c / 6 / n} for c, n in product(compute, np.geomspace(1e8, 8e9, 9))]
    loss = lambda cell: sum(  # noqa: E731
        (
            truth["E"],
            truth["A"] * cell["parameters"] ** -truth["a"],
            truth["B"] * cell["n_total"] ** -truth["b"],
        )
    )
    found = fit("size_and_words", exact_points(cells, lambda cell: loss(cell) / 10), n_boot=0).estimate
    assert {name: found[name] * (1 if name in "ab" else 10) for name in truth} == pytest.approx(
        truth, rel=1e-3
    )
    assert found["b"] / (found["a"] + found["b"]) == pytest.approx(0.5126, abs=1e-3)


def test_the_planted_joint_law_is_that_of_the_tests() -> None:
    assert joint_error(300_000, 0) == pytest.approx(JOINT["E"] + JOINT["B"] * 300_000 ** -JOINT["b"])
