"""What every design of the registry must keep to, checked on real mixtures of small datasets."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from study_fakes import dataset
from study_tiny import TINY, table

from curation.core.recipe import build
from curation.mixing import mix
from curation.mixture import Mixture
from train.study.cells import samples_seen
from train.study.designs import designs
from train.study.plan import Plan, mixture_of, plan
from train.study.recipe import StudyRecipe

SMALL = {**TINY["model"], "kind": "conv_ctc"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "fixed_real": {"ratios": [0, 0.5, 2], "synthetic_only": True, "published": 2},
    "fixed_total": {"ratios": [0, 1, 3], "synthetic_only": True},
    "volume": {"ratio": 1, "totals": [7, 30, 31, 90]},
    "grid": {"real": [0, 17, 50], "synthetic": [0, 40, 100]},
    "model_size": {
        "models": [
            {"name": "wide", "model": {**SMALL, "tail": 32}, "lr": 1e-3},
            {"name": "narrow", "model": SMALL, "lr": 2e-3},
        ],
        "ratio": 1,
    },
    "compute": {"steps": [12, 24, 3], "ratio": 1},
    "pretrain": {
        "orders": ["real", "together", "synthetic_then_real", "real_then_synthetic", "together_then_real"],
        "ratio": 1,
    },
    "composition": {"rungs": [["R"], ["R", "E"], ["R", "E", "S"]]},
    "source": {"sources": ["S", "T"], "ratio": 1, "without": True},
}
PARTS = [
    {"name": "R", "kind": "real", "paths": ["R"]},
    {"name": "E", "kind": "real", "paths": ["E"]},
    {"name": "S", "kind": "synthetic", "paths": ["S"]},
    {"name": "T", "kind": "synthetic", "paths": ["T"]},
]
MOVES_SAMPLES = {"compute"}
SIZES_MOVE = {"fixed_real", "volume", "grid", "model_size", "compute"}  # where laws predict the largest cell


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("designs")
    for name, n in {"R": 60, "E": 23, "S": 130, "T": 75, "test_a": 20}.items():
        dataset(path / name, n)
    return path


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@cache
def planned(kind: str, seed: int = 0) -> Plan:
    design = {"kind": kind, **EXAMPLES[kind]}
    asked = table(parts=PARTS, designs=[design], validation=10, seeds=[seed], held_out="largest")
    return plan(build(StudyRecipe, asked, where="study.toml"), Path("out"))


@cache
def mixtures(kind: str, seed: int = 0) -> dict[tuple[str, int], Mixture]:
    """The mixture of each cell and stage, as a run makes it."""
    study, found = planned(kind, seed), {}
    for cell in study.cells:
        for number, stage in enumerate(cell.stages):
            path = Path(f"mixtures-{kind}-{seed}") / f"{cell.name}.{number}"
            path.parent.mkdir(exist_ok=True)
            mix(mixture_of(study.recipe, stage.words), path, seed=seed)
            found[cell.name, number] = Mixture.open(path)
    return found


every_design = pytest.mark.parametrize("kind", list(designs))


@every_design
def test_it_says_in_one_sentence_what_moves_and_what_is_not_held_fixed(kind: str) -> None:
    (told,) = planned(kind).designs
    assert told["sentence"].count(". ") == 0
    assert told["sentence"].endswith(".")
    assert "not held fixed" in told["sentence"]
    assert "samples" in told["sentence"]
    assert told["name"] == told["kind"] == kind


@every_design
def test_its_places_are_cells_of_the_grid_in_the_order_of_its_axis(kind: str) -> None:
    study = planned(kind)
    (told,) = study.designs
    names = [cell.name for cell in study.cells]
    assert len(set(names)) == len(names)
    assert all(place["cell"] in names and place["label"] for place in told["places"])
    assert told["base"] is None or told["base"] in names
    assert set(study.held_out) < set(names)
    assert bool(study.held_out) == (kind in SIZES_MOVE)
    numbers = [place["x"] for place in told["places"] if place["x"] is not None]
    assert numbers == sorted(numbers)
    assert bool(numbers) == (told["scale"] != "category")
    assert told["mark"] == ({"x": 2.0, "label": "published 1:2"} if kind == "fixed_real" else None)
    assert max(map(len, names)) < 150
    assert not any(set(name) & set('/\\: "') for name in names)


@every_design
def test_every_run_sees_equally_many_samples_unless_the_design_moves_them(kind: str) -> None:
    study = planned(kind)
    seen = {cell.samples_seen(study.recipe.train) for cell in study.cells}
    assert (len(seen) == 1) == (kind not in MOVES_SAMPLES)
    for cell in study.cells:
        assert all(samples_seen(stage, study.recipe.train) > 0 for stage in cell.stages)


@every_design
def test_fewer_words_of_a_part_are_among_its_more_for_a_seed(kind: str) -> None:
    for one, other in combinations(mixtures(kind, 3).values(), 2):
        for number in range(len(PARTS)):
            few, many = sorted((set(m.training_rows(number).tolist()) for m in (one, other)), key=len)
            assert few <= many


@every_design
def test_the_same_words_are_held_out_of_all_cells(kind: str) -> None:
    held = {tuple(map(tuple, np.transpose(m.validation()).tolist())) for m in mixtures(kind, 3).values()}
    assert len(held) == 1
    assert len(next(iter(held))) == 10
    assert {number for number, _ in next(iter(held))} == {0}


@every_design
def test_the_ith_word_of_a_part_is_the_same_in_all_cells_with_as_many_of_it(kind: str) -> None:
    """Over three passes of the part; and over the first pass in cells with fewer of it too."""
    for number in range(len(PARTS)):
        orders = []
        for mixture in mixtures(kind, 3).values():
            source, rows = mixture.positions(0, 3 * len(mixture))
            orders.append(rows[source == number].tolist())
        for one, other in combinations(orders, 2):
            first = min(len(one), len(other)) // 3
            assert one[:first] == other[:first]
            if len(one) == len(other):
                assert one == other


@every_design
def test_other_seeds_draw_other_words_for_the_same_cells(kind: str) -> None:
    first, second = mixtures(kind, 3), mixtures(kind, 4)
    assert list(first) == list(second)
    assert all(first[key].fingerprint != second[key].fingerprint for key in first)
