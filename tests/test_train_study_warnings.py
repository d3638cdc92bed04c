from __future__ import annotations

from train.recipe import TrainRecipe
from train.study.cells import Cell, Stage
from train.study.warnings import warnings


def test_words_that_are_repeated_beyond_sense_are_named() -> None:
    few, some = (Cell.of(Stage(words={"real": n})) for n in (20, 100))
    said = warnings([few, some], {}, TrainRecipe(steps=1_000, batch=100))
    assert said == [
        "each word of real20 is seen up to 5,000 times, far more often than teaches anything. "
        "Lower steps, or begin with more words."
    ], "real100 is seen 1,000 times"
