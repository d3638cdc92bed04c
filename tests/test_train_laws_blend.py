from __future__ import annotations

import numpy as np
import pytest
from planted_laws import points_of

from curation.core.errors import UserError
from train.laws import Points
from train.laws.blending import blend
from train.laws.choosing import choose
from train.laws.power import Power, PowerNoFloor

CANDIDATES = (PowerNoFloor(), Power())


def points(seed: int, sizes: int, floor: float = 0.05) -> Points:
    cells = [{"n_total": 1000 * 2**i} for i in range(sizes)]
    rng = np.random.default_rng(seed)
    return points_of(cells, lambda cell: floor + 3 * cell["n_total"] ** -0.4, rng, words=3000, seed_sd=0.003)


def test_laws_that_no_cell_tells_apart_predict_together() -> None:
    some = points(0, 4)  # too few budgets to judge a floor by
    both = blend(CANDIDATES, some, "n_total", n_boot=200)
    assert both.title == "power_no_floor of n_total or power of n_total"
    assert both.columns == ("n_total",)
    place = {"n_total": np.array([64_000.0])}
    estimate, draws = both.predict(place)
    apart = [one.predict(place) for one in both.fits]
    assert estimate[0] == pytest.approx(np.mean([one[0][0] for one in apart]))
    assert draws.shape == (200, 1)
    assert draws.std() > apart[0][1].std()
    assert both.predict_runs(place, np.array([3000.0])).shape == (200, 1)


def test_a_law_that_predicts_worse_takes_no_part() -> None:
    best, table = choose(CANDIDATES, points(0, 9, floor=0.2), "n_total", n_boot=100)
    assert best is not None
    assert best.law == Power()
    assert [row["tied"] for row in table] == [False, True]
    assert blend(CANDIDATES, points(0, 9, floor=0.2), "n_total", n_boot=50).fits[0].law == Power()
    assert len(blend(CANDIDATES, points(0, 9, floor=0.2), "n_total", n_boot=50).fits) == 1


def test_together_they_cover_a_size_not_seen() -> None:
    """The simpler law alone covers fewer than 7 in 10 of these at 80 %."""
    hits = 0
    for trial in range(20):
        every = points(trial, 7)
        last = every.columns["n_total"] == every.columns["n_total"].max()
        held_out = every.where(last)
        together = blend(CANDIDATES, every.where(~last), "n_total", n_boot=150, same_words=True)
        low, high = np.percentile(
            together.predict_runs(held_out.columns, held_out.words, seed=trial), [10, 90], axis=0
        )
        hits += int(((low <= held_out.error) & (held_out.error <= high)).sum())
    assert 38 <= hits <= 58  # of 60 runs; 48 expected, runs of a trial share its fit


def test_no_law_is_the_reason_of_the_first() -> None:
    with pytest.raises(UserError) as refused:
        blend(CANDIDATES, points(0, 2), "n_total")
    assert str(refused.value) == (
        "a power law without a floor needs cells at 3 or more values of n_total, got 2; train more"
    )
