from __future__ import annotations

import numpy as np
import pytest

from curation.core.errors import UserError
from train.laws.points import Points

ROWS = [
    {"right": 6, "words": 8, "cell": "real10", "seed": 0, "n_real": 10, "flops": None},
    {"right": 7, "words": 8, "cell": "real20", "seed": 0, "n_real": 20, "flops": 5.0},
]


def test_a_column_that_some_run_lacks_is_left_out_of_all() -> None:
    points = Points.of(ROWS)
    assert sorted(points.columns) == ["n_real"]
    assert points.error.tolist() == [0.25, 0.125]
    with pytest.raises(UserError) as refusal:
        points.column("flops")
    assert str(refusal.value) == (
        "the law needs 'flops' of every run, and these runs have n_real. Choose a law of what they have"
    )


def test_runs_are_chosen_with_their_words() -> None:
    correct = np.arange(8) < np.array([[6], [7]])
    points = Points.of(ROWS, correct).where(np.array([False, True]))
    assert points.cell.tolist() == ["real20"]
    assert points.columns["n_real"].tolist() == [20]
    assert points.correct is not None
    assert points.correct.shape == (1, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_real": float("nan")}, "n_real has a value that is missing or not finite"),
        ({"right": float("nan")}, "right has a value that is missing or not finite"),
        ({"right": 9}, "right must lie between 0 and words, and words above 0"),
        ({"words": 0, "right": 0}, "right must lie between 0 and words, and words above 0"),
    ],
)
def test_a_missing_or_impossible_number_is_never_a_point(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Points.of([ROWS[0], {**ROWS[1], **change}])


def test_words_that_do_not_sum_to_the_count_are_refused() -> None:
    with pytest.raises(ValueError, match="correct must have one row a run that sums to right"):
        Points.of(ROWS, np.ones((2, 8), bool))
