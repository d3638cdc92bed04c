"""Whether the published optimum of three synthetic words per real one shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from study_fakes import finished

from train.study.answers.design_findings import published_findings
from train.study.answers.design_words import published_sentence, with_interval
from train.study.answers.draws import draw_outcome


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        ((0.4, 0.45, 0.6, 0.5), "shows in the design fixed_real on a: the best of the others, 5, reads "),
        (
            (0.4, 0.5, 0.6, 0.7),
            "does not show in the design fixed_real on a: the best of the others, 5, reads ",
        ),
        (
            (0.4, 0.5, 0.6, 0.6),
            "can be neither shown nor ruled out in the design fixed_real on a: the best of the others, 5,",
        ),
        ((0.4, 0.5, 0.6), None),
    ],
)
def test_the_published_optimum_is_compared_with_ratios_on_both_sides(
    tmp_path: Path, accuracy: tuple[float, ...], said: str | None
) -> None:
    cells = dict(zip(("r0", "r1", "r3", "r5"), accuracy, strict=False))
    study = finished(tmp_path, cells, words={"a": 5000})
    design, outcome = study.designs[0], draw_outcome(study.correct("a"), key="a")
    published = published_findings(study, design, outcome)
    sentence = published_sentence(study, {"tests": [{"name": "a", "designs": [{"published": published}]}]}, 0)
    if said is None:
        assert sentence is None
        return
    best = max(published["others"].values(), key=lambda other: other["estimate"])
    assert sentence is not None
    assert sentence.startswith(f"The published optimum, 3 rendered words per real word, {said}")
    assert sentence.endswith(f" reads {with_interval(best)} points against it (95 % interval).")
