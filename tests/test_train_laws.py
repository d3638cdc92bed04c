from __future__ import annotations

import numpy as np
import pytest

from curation.core.errors import UserError
from train.laws.simple import LogLine, PowerLaw, fit_log_line, fit_power_law, refit_power_law


@pytest.mark.parametrize(
    "truth", [PowerLaw(floor=0.05, scale=3.0, exponent=0.3), PowerLaw(floor=0.2, scale=8.0, exponent=0.5)]
)
def test_fit_recovers_a_planted_law(truth: PowerLaw) -> None:
    n = np.geomspace(1e4, 3e6, 7)
    found = fit_power_law(n, truth(n))
    assert found.exponent == pytest.approx(truth.exponent, rel=0.02)
    assert found.floor == pytest.approx(truth.floor, rel=0.02)


def test_fit_predicts_beyond_the_runs_it_saw() -> None:
    truth = PowerLaw(floor=0.05, scale=3.0, exponent=0.3)
    n = np.geomspace(1e4, 3e6, 7)
    assert fit_power_law(n, truth(n))(3e7) == pytest.approx(truth(3e7), rel=0.01)


def test_one_bad_run_hardly_moves_the_fit() -> None:
    truth = PowerLaw(floor=0.05, scale=3.0, exponent=0.3)
    n = np.geomspace(1e4, 3e6, 9)
    err = truth(n)
    err[4] *= 1.5
    assert fit_power_law(n, err)(3e7) == pytest.approx(truth(3e7), rel=0.05)


def test_resamples_are_fitted_as_each_would_be_alone() -> None:
    truth = PowerLaw(floor=0.05, scale=3.0, exponent=0.3)
    n = np.geomspace(1e4, 3e6, 7)
    noise = np.random.default_rng(0).normal(1, 0.01, (20, 7))
    law = fit_power_law(n, truth(n))
    together = refit_power_law(law, n, truth(n) * noise)
    alone = [fit_power_law(n, err) for err in truth(n) * noise]
    near = [abs(np.log(a(1e7) / b(1e7))) < 0.02 for a, b in zip(together, alone, strict=True)]
    assert sum(near) >= 19  # an absolute loss may have two equally good ends


def test_the_fit_does_not_hang_on_the_noise() -> None:
    """Planted truth, binomial noise: the spread of 200 fits is what 20,000 test words allow."""
    truth = PowerLaw(floor=0.05, scale=20.0, exponent=0.5)
    n = np.geomspace(1e3, 3.2e4, 6)
    err = np.random.default_rng(1).binomial(20_000, truth(n), (200, 6)) / 20_000
    laws = refit_power_law(fit_power_law(n, truth(n)), n, err, delta=0.01)
    exponents = np.array([law.exponent for law in laws])
    assert np.median(exponents) == pytest.approx(0.5, abs=0.02)
    assert exponents.std() < 0.05


def test_line_recovers_points_a_doubling() -> None:
    truth = LogLine(n_first=1000, error_first=0.6, per_doubling=0.05)
    n = np.array([1000, 2000, 4000, 8000])
    found = fit_log_line(n, truth(n))
    assert (found.error_first, found.per_doubling) == (pytest.approx(0.6), pytest.approx(0.05))


@pytest.mark.parametrize(
    ("fit", "sizes", "message"),
    [
        (fit_power_law, 3, "a power law needs runs at 4 or more data sizes, got 3; train more sizes"),
        (fit_log_line, 2, "a line needs runs at 3 or more data sizes, got 2; train more sizes"),
    ],
)
def test_too_few_sizes_are_refused(fit: object, sizes: int, message: str) -> None:
    n = np.repeat(np.geomspace(1e4, 1e6, sizes), 2)  # two seeds each: runs are not sizes
    with pytest.raises(UserError) as refusal:
        fit(n, np.full(len(n), 0.4))
    assert str(refusal.value) == message


@pytest.mark.parametrize("bad", [0.0, 1.5, float("nan")])
def test_a_missing_or_impossible_error_is_never_fitted(bad: float) -> None:
    with pytest.raises(ValueError, match="error in"):
        fit_power_law([1e3, 1e4, 1e5, 1e6], [0.5, 0.4, 0.3, bad])
