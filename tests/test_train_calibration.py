from __future__ import annotations

import numpy as np
import pytest

from train.evaluation.calibration import calibrate


def test_the_error_is_the_distance_of_confidence_and_accuracy() -> None:
    found = calibrate(np.array([0.95, 0.95, 0.05, 0.0], np.float32), np.array([True, False, False, True]))
    # Two words of 0.95 of which half are right, and two of 0.025 of which half are.
    assert found.error == pytest.approx((2 * 0.45 + 2 * 0.475) / 4)
    assert found.confidence == pytest.approx(1.95 / 4)
    assert [b.n for b in found.bins] == [2, *[0] * 13, 2]
    assert found.bins[0].accuracy == 0.5
    assert found.bins[5].accuracy is None


def test_words_below_a_threshold_are_set_aside() -> None:
    found = calibrate(np.array([0.95, 0.9, 0.4], np.float32), np.array([True, False, False]))
    kept = {k.threshold: (k.n, k.n_correct) for k in found.kept}
    assert kept == {0.0: (3, 1), 0.5: (2, 1), 0.8: (2, 1), 0.9: (2, 1), 0.95: (1, 1), 0.99: (0, 0)}
    assert found.kept[-1].accuracy is None
    assert (found.kept[-1].accuracy_low, found.kept[-1].accuracy_high) == (0.0, 1.0)


def test_a_run_that_knows_how_sure_it_is() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    assert calibrate(confidence, rng.random(20_000) < confidence).error < 0.02
    assert calibrate(confidence, rng.random(20_000) < confidence**3).error > 0.2
