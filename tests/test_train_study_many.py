from __future__ import annotations

from pathlib import Path

import pytest
from study_many import SEED_SD, many, true_error


def test_cells_come_out_as_the_law_says(tmp_path: Path) -> None:
    study = many(tmp_path, words={"test": 4_000}, kinds=["fixed_real", "pretrain"], seeds=(0, 1))
    assert [design["kind"] for design in study.designs] == ["fixed_real", "pretrain"]
    assert len(study.rows) == 2 * len(study.facts["cells"])
    for cell in study.facts["cells"]:
        for row in study.runs(cell["name"]):
            off = row["tests"][0]["accuracy"] - (1 - true_error(cell))
            assert off == pytest.approx(0, abs=4 * (SEED_SD + (0.25 / 4_000) ** 0.5))
    assert study.correct("test")["photos4000"].mean() == pytest.approx(
        sum(row["tests"][0]["accuracy"] for row in study.runs("photos4000")) / 2
    )
