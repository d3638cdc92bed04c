"""Shipped recipes of studies load, begin with what one has to know, and lay out on small data."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from study_fakes import dataset

from curation.core import recipe
from train.study.ablate_command import RECIPES
from train.study.cells import distinct
from train.study.plan import lay_out, plan
from train.study.recipe import StudyRecipe

ROOT = Path(__file__).parents[1]
SHIPPED = sorted(RECIPES.glob("*.toml"))
COUNTS = "validation", "total", "totals", "n_real", "real", "synthetic", "count"
SMALLER = 100  # times fewer words than the recipes ask for, in tests
SIZES = {"real": 6_000, "synthetic": 34_000}  # of scene_words without 620 held out, and as rendered
OTHER_SIZES = {"quick_cpu": {"real": 800, "synthetic": 4_200}}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_study_loads_and_says_what_it_is(path: Path) -> None:
    loaded = recipe.load(path, StudyRecipe)
    head = path.read_text(encoding="utf-8").split("question = ")[0]
    for word in ("What", "Source", "Cost", "Expected", "Command"):
        assert f"# {word}:" in head, word
    assert f"glyphmix ablate {path.stem}" in head or f"glyphmix {path.stem.removeprefix('study_')}" in head
    sizes = OTHER_SIZES.get(path.stem, SIZES)
    n = {part.name: part.count or sizes[part.kind] for part in loaded.parts}
    grid = distinct([place.cell for design in lay_out(loaded, n) for place in design.places])
    cost = head.partition("# Cost: ")[2]
    assert f"{len(grid) * len(loaded.seeds)} runs" in cost.split("# Expected:")[0]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_study_plans_on_small_data(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = smaller(tomllib.loads(path.read_text(encoding="utf-8")))
    table["train"]["device"] = "cpu"
    table["validation"] = min(table["validation"], 20)
    for part in table["parts"]:
        if part.pop("only", None):  # of one dataset merged of many
            part["paths"] = [f"{part['paths'][0]}_{part['name']}"]
        for folder in part["paths"]:
            if not Path(folder).exists():
                dataset(Path(folder), (68 if part["kind"] == "real" else 345) // len(part["paths"]))
    for folder in table["tests"]:
        dataset(Path(folder), 5)
    study = plan(recipe.build(StudyRecipe, table, where=path.name), Path("out/study"))
    assert len(study.runs) == len(study.cells) * len(study.recipe.seeds)
    assert len(study.designs) == len(study.recipe.designs)
    samples = {cell.samples_seen(study.recipe.train) for cell in study.cells}
    assert len(samples) == 1 or any(design["kind"] == "compute" for design in study.designs)


def smaller(table: dict[str, Any]) -> dict[str, Any]:
    """The same recipe with a hundredth of its numbers of words."""

    def divided(value: Any) -> Any:
        if isinstance(value, list):
            return [divided(item) for item in value]
        return max(1, value // SMALLER) if isinstance(value, int) and value else value

    return {
        key: divided(value)
        if key in COUNTS
        else [smaller(item) for item in value]
        if key in ("parts", "designs")
        else value
        for key, value in table.items()
    }


def test_the_template_is_copied_by_the_command_at_its_head(tmp_path: Path) -> None:
    template = RECIPES / "my_data.toml"
    line = next(line for line in template.read_text(encoding="utf-8").splitlines() if "# Command:" in line)
    command = line.partition("# Command:")[2].partition(" ; ")[0]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "my_data.toml").read_bytes() == template.read_bytes()
