from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from curation.core.errors import UserError
from train.laws.exchange import Surface, doubling, rate, rate_map, worth
from train.laws.purse import Purse, best_split

B, POWER, FLOOR = 5.0, 0.32, 0.04


@dataclass(frozen=True)
class Planted:
    """``FLOOR + B (real + k synthetic^r)^-POWER``, and draws in which k is not known exactly."""

    k: float = 0.12
    r: float = 1.0
    spread: float = 0.1
    sign: float = 1.0

    def predict(self, columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        ks = self.k * np.exp(self.spread * np.random.default_rng(0).standard_normal((400, 1)))
        return self._error(columns, np.array(self.k)), self._error(columns, ks)

    def _error(self, columns: Mapping[str, np.ndarray], k: np.ndarray) -> np.ndarray:
        n = columns["n_real"] + k * columns["n_synthetic"] ** self.r
        return FLOOR + B * n ** (-POWER * self.sign)


def surface(law: Planted | None = None, **changes: float) -> Surface:
    known = {"samples": 10e6, "most_real": 8_000, "most_synthetic": 100_000, **changes}
    return Surface(law=law or Planted(), **known)


def test_the_rate_is_one_over_k_with_its_interval() -> None:
    found = rate(surface(), 4_000, 12_000)
    assert found["rate"]["estimate"] == pytest.approx(1 / 0.12, rel=1e-3)
    assert found["rate"]["low80"] == pytest.approx(np.exp(-0.1 * 1.2816) / 0.12, rel=0.02)
    assert found["rate"]["high95"] == pytest.approx(np.exp(0.1 * 1.96) / 0.12, rel=0.05)
    assert found["worth"]["estimate"] == pytest.approx(0.12, rel=1e-3)
    assert found["beyond"] is False


def test_a_bent_rate_depends_on_the_point() -> None:
    estimate, draws = worth(surface(Planted(k=3.0, r=0.7)), [1000, 1000], [1000, 100_000])
    assert estimate == pytest.approx(3.0 * 0.7 * np.array([1000.0, 100_000.0]) ** -0.3, rel=1e-3)
    assert draws.shape == (400, 2)


def test_the_map_has_a_row_for_each_count_of_real_words() -> None:
    found = rate_map(surface(Planted(k=3.0, r=0.7)), [100, 1000], [1000, 10_000, 100_000])
    expected = (np.array([1e3, 1e4, 1e5]) ** 0.3 / 2.1).tolist()
    assert found["rate"] == [pytest.approx(expected, rel=1e-3)] * 2
    assert (found["real"], found["synthetic"]) == ([100, 1000], [1000, 10_000, 100_000])
    for low, high in zip(found["low80"][0], found["high80"][0], strict=True):
        assert low < high


def test_words_that_do_not_help_are_no_number() -> None:
    with pytest.raises(UserError) as error:
        rate(surface(Planted(k=0.001, spread=0.0, r=-1)), 4_000, 12_000)
    assert str(error.value) == (
        "at 4,000 real and 12,000 synthetic words the runs do not tell whether synthetic words help: one is "
        "worth -0.000 real words [-0.000, -0.000]. Add sizes, seeds, test words or steps"
    )
    with pytest.raises(UserError, match=r"^at 4,000 real and 12,000 synthetic words the law does not tell "):
        rate(surface(Planted(sign=-1)), 4_000, 12_000)
    found = rate_map(surface(Planted(sign=-1)), [1000], [1000])
    assert (found["rate"], found["low80"], found["high80"]) == ([[None]],) * 3


def test_points_far_beyond_the_runs_are_refused_and_nearer_ones_marked() -> None:
    assert rate(surface(), 8_001, 12_000)["beyond"] is True
    with pytest.raises(UserError) as error:
        rate(surface(), 32_001, 12_000)
    assert str(error.value) == (
        "32,001 real words are more than 4 times the 8,000 that runs were trained on, and the law is not to "
        "be trusted that far. Run larger cells"
    )
    with pytest.raises(UserError, match=r"^440,000 synthetic words are more than 4 times the 100,000 "):
        doubling(surface(), 4_000, 220_000)


def test_doubling_is_what_the_law_says() -> None:
    found = doubling(surface(), 4_000, 10_000)
    before, after = (B * n**-POWER for n in (4_000 + 1_200, 8_000 + 1_200))
    assert found["real"]["estimate"] == pytest.approx(before - after)
    assert found["both"]["estimate"] == pytest.approx(before * (1 - 2**-POWER))
    assert 0 < found["synthetic"]["estimate"] < found["real"]["estimate"]
    assert found["beyond"] is False


@pytest.mark.parametrize(
    ("law", "price_synthetic", "have"),
    [
        (Planted(k=3.0, r=0.7), 0.001, 0.0),
        (Planted(k=3.0, r=0.7), 0.01, 500.0),
        (Planted(k=20.0, r=0.5), 0.002, 0.0),
        (Planted(k=0.12), 0.00001, 0.0),
        (Planted(k=0.12), 0.04, 2_000.0),
    ],
)
def test_the_best_split_is_that_of_brute_force(law: Planted, price_synthetic: float, have: float) -> None:
    purse = Purse(budget=300, price_real=0.05, price_synthetic=price_synthetic, have_real=have)
    here = surface(law)
    real = np.linspace(0, 6_000, 200_001)
    synthetic = np.minimum((300 - 0.05 * real) / price_synthetic, 400_000)
    errors = here.errors(real + have, np.maximum(synthetic, 1e-9))[0]
    found = best_split(here, purse)
    assert found["error"]["estimate"] == pytest.approx(errors.min(), rel=1e-4)
    true_share = (synthetic / (synthetic + real + have))[errors.argmin()]
    assert found["share"]["estimate"] == pytest.approx(true_share, abs=0.01)
    least, most = found["as_good_share"]
    assert least <= true_share + 1e-6
    assert most >= true_share - 1e-6


def test_what_lies_too_far_is_left_unbought_and_said() -> None:
    purse = Purse(budget=500, price_real=0.05, price_synthetic=0.00001)
    found = best_split(surface(), purse)
    assert found["real"] == pytest.approx(10_000, rel=0.01)
    assert found["synthetic"] <= 400_000 * (1 + 1e-9)
    assert found["beyond"] is True
    spent = found["buy_real"] * 0.05 + found["buy_synthetic"] * 0.00001
    assert found["left_over"] == pytest.approx(500 - spent, abs=1e-6)
    assert found["over_synthetic_only"]["low95"] > 0
    dear = best_split(surface(), replace(purse, price_real=5.0))
    assert dear["real"] == pytest.approx(100 - 400_000 * 0.00001 / 5, abs=3), "the rest of the money"


def test_words_no_run_would_see_are_not_bought() -> None:
    short = surface(samples=50_000)
    found = best_split(short, Purse(budget=500, price_real=0.05, price_synthetic=0.00001))
    assert found["buy_synthetic"] <= 50_000
    estimate, _ = short.errors([1_000, 1_000, 2_000], [49_000, 99_000, 98_000])
    assert estimate[1] > estimate[0], "half of the real words are never seen"
    assert estimate[2] == pytest.approx(estimate[0])


def test_free_synthetic_words_have_a_ratio_too() -> None:
    found = best_split(surface(), Purse(budget=50, price_real=0.05, price_synthetic=0.0))
    assert found["real"] == pytest.approx(1_000)
    assert found["ratio"]["estimate"] == pytest.approx(400)
    assert found["left_over"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"price_real": 0.0},
            "budget and price of a real word must be above 0, the price of a synthetic word 0 or more, got "
            "500, 0 and 1e-05. Change them",
        ),
        (
            {"budget": float("nan")},
            "budget and price of a real word must be above 0, the price of a synthetic word 0 or more, got "
            "nan, 0.05 and 1e-05. Change them",
        ),
        (
            {"have_real": -1.0},
            "nobody has fewer than 0 words already. Change --have-real or --have-synthetic",
        ),
    ],
)
def test_impossible_purses_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(UserError) as error:
        Purse(**{"budget": 500, "price_real": 0.05, "price_synthetic": 0.00001, **changes})
    assert str(error.value) == message


def test_a_rate_at_equal_passes_does_not_count_what_longer_runs_cost() -> None:
    """Words seen often: a run as long as before sees others less for each new one."""

    @dataclass(frozen=True)
    class Repeated(Planted):
        def _error(self, columns: Mapping[str, np.ndarray], k: np.ndarray) -> np.ndarray:
            seen = {
                kind: np.sqrt(columns[f"n_{kind}"] * columns[f"seen_{kind}"])
                for kind in ("real", "synthetic")
            }
            return FLOOR + B * (seen["real"] + k * seen["synthetic"]) ** -POWER

    here = surface(Repeated(k=0.5), samples=1e6)
    assert rate(here, 4_000, 8_000, equal_passes=True)["rate"]["estimate"] == pytest.approx(2, rel=1e-3)
    assert rate(here, 4_000, 8_000)["rate"]["estimate"] > 2.5
    with pytest.raises(
        UserError, match=r"the law does not tell whether more real words help in runs that see "
    ):
        rate(surface(Repeated(k=30.0), samples=1e6), 4_000, 8_000)
