from __future__ import annotations

import numpy as np
import pytest

from train.laws.interval import Interval
from train.study.answers.draws import draw_outcome, mcnemar


def reads(rng: np.random.Generator, hardness: np.ndarray, accuracy: float, seeds: int) -> np.ndarray:
    """Runs that read the easier words: all of one cell agree mostly, as trained recognizers do."""
    threshold = np.quantile(hardness, accuracy)
    return hardness + rng.normal(0, 0.3, (seeds, len(hardness))) < threshold


def test_the_same_words_are_drawn_for_all_cells() -> None:
    rng = np.random.default_rng(0)
    hardness = rng.standard_normal(3000)
    correct = {"r0": reads(rng, hardness, 0.6, 1), "r3": reads(rng, hardness, 0.63, 1)}
    outcome = draw_outcome(correct, key="t")
    paired = outcome.difference("r3", "r0")
    unpaired = np.hypot(*(np.std(outcome.draws(cell)) for cell in correct))
    assert paired.estimate == pytest.approx(correct["r3"].mean() - correct["r0"].mean())
    assert (paired.high95 - paired.low95) / 3.92 < 0.6 * unpaired


def test_one_seed_gives_the_width_that_theory_gives() -> None:
    correct = {"r0": np.arange(1000)[None] < 400}
    interval = draw_outcome(correct, key="t").interval("r0")
    sd = np.sqrt(0.4 * 0.6 / 1000)
    assert interval.estimate == 0.4
    assert interval.high95 - interval.low95 == pytest.approx(2 * 1.96 * sd, rel=0.08)


@pytest.mark.parametrize("seeds", [1, 3])
def test_80_percent_intervals_cover_the_truth_in_70_to_90_of_100_studies(seeds: int) -> None:
    """Planted truth: true accuracies differ by 4 points, seeds move each run by 1.5 points."""
    seed_sd = 0.015 if seeds > 1 else 0.0
    covered = 0
    for study in range(100):
        rng = np.random.default_rng(study)
        hardness = rng.uniform(size=800)
        correct = {
            cell: hardness < truth + rng.normal(0, seed_sd, (seeds, 1))
            for cell, truth in {"r0": 0.50, "r1": 0.52, "r3": 0.54}.items()
        }
        found = draw_outcome(correct, key="t", n_draws=500).difference("r3", "r0")
        covered += found.low80 <= 0.04 <= found.high80
    assert 70 <= covered <= 92


def test_no_word_changing_sides_is_not_certainty() -> None:
    same = np.arange(288)[None] < 30
    found = draw_outcome({"r0": same, "r3": same.copy()}, key="t").difference("r3", "r0")
    assert found.estimate == 0
    assert found.low95 < 0 < found.high95
    assert not found.settled


def test_one_seed_says_nothing_of_seeds() -> None:
    correct = {"r0": np.ones((1, 10), bool)}
    assert draw_outcome(correct, key="t").seed_sd is None


def test_seed_noise_is_pooled_over_cells() -> None:
    words = np.arange(100)
    correct = {"a": words < np.array([[40], [60]]), "b": words < np.array([[50], [50]])}
    assert draw_outcome(correct, key="t").seed_sd == pytest.approx(0.1)


def test_accuracy_stays_a_share_however_far_two_seeds_lie_apart() -> None:
    words = np.arange(200)
    correct = {"r0": words < np.array([[4], [120]]), "r1": words[None] < 100}
    outcome = draw_outcome(correct, key="t")
    for cell in correct:
        interval = outcome.interval(cell)
        assert 0 <= interval.low95 <= interval.estimate <= interval.high95 <= 1
    assert -1 <= outcome.difference("r1", "r0").low95 <= outcome.difference("r1", "r0").high95 <= 1


def test_draws_depend_on_the_key_and_nothing_else() -> None:
    correct = {"a": np.arange(100)[None] < 40, "b": np.arange(100)[None] < 50}
    first, again = draw_outcome(correct, key="t"), draw_outcome(correct, key="t")
    other = draw_outcome(correct, key="u")
    assert np.array_equal(first.draws("a"), again.draws("a"))
    assert not np.array_equal(first.draws("a"), other.draws("a"))


def test_mcnemar_counts_the_words_that_changed_sides() -> None:
    base = np.array([True] * 5 + [False] * 15)
    cell = np.array([False] + [True] * 4 + [True] * 8 + [False] * 7)
    assert mcnemar(cell, base) == {"gained": 8, "lost": 1, "p": pytest.approx(0.0390625)}
    assert mcnemar(base, base) == {"gained": 0, "lost": 0, "p": 1.0}


def test_interval_reads_percentiles() -> None:
    assert Interval.of(0.5, np.linspace(0, 1, 1001)) == Interval(
        estimate=0.5,
        low95=pytest.approx(0.025),
        low80=pytest.approx(0.1),
        high80=pytest.approx(0.9),
        high95=pytest.approx(0.975),
    )


def test_many_cells_do_not_draw_a_small_test_towards_the_middle() -> None:
    words = np.arange(288)
    correct = {f"r{i}": words[None] < 255 + i for i in range(30)}
    outcome = draw_outcome(correct, key="t")
    assert outcome.draws("r0").mean() == pytest.approx(255 / 288, abs=0.004)
    assert outcome.difference("r29", "r0").estimate == pytest.approx(29 / 288)
    assert outcome.difference("r29", "r0").low80 < 29 / 288 < outcome.difference("r29", "r0").high80
