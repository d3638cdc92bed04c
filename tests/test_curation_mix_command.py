"""``glyphmix mix``: what the command prints. What a mixture holds is tested with the mixing itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from published_sets import failure, numbers, run, write_tsv


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    for name, n in (("real", 3), ("synthetic", 5)):
        labels = {f"{i}.png": f"{name}{i}" for i in range(n)} | {"odd.png": "?!"}
        run("import", "tsv", write_tsv(tmp_path / name, labels), "-o", tmp_path / f"{name}_set")
    path = tmp_path / "mix.toml"
    path.write_text(
        f"""
        [[sources]]
        name = "real"
        paths = ["{tmp_path / "real_set"}"]
        weight = 1

        [[sources]]
        name = "synthetic"
        paths = ["{tmp_path / "synthetic_set"}"]
        weight = 3
        repeat = true
        """
    )
    return path


def test_table(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dry, done = run("mix", recipe, "-o", out, "--dry-run").stdout, run("mix", recipe, "-o", out).stdout
    fingerprint = json.loads((out / "manifest.json").read_text())["fingerprint"][:16]
    table = """\
source     asked       unique  seen  repeats    share  left out
real       weight 1.0       3     3     1.00  25.00 %  1 empty
synthetic  weight 3.0       5     9     1.80  75.00 %  1 empty
"""
    assert done == table + f"wrote 12 positions to {out}, fingerprint {fingerprint}\n"
    assert dry == table + f"would write 12 positions to {out}, fingerprint {fingerprint}\n"


def test_validation_is_counted(recipe: Path, tmp_path: Path) -> None:
    with recipe.open("a") as file:
        file.write('\n[validation]\nsource = "real"\ncount = 1\n')
    last = run("mix", recipe, "-o", tmp_path / "out").stdout.splitlines()[-1]
    assert last.startswith(f"wrote 8 positions and 1 for validation to {tmp_path / 'out'}, fingerprint ")


def test_json_is_the_manifest(recipe: Path, tmp_path: Path) -> None:
    printed = numbers("mix", recipe, "-o", tmp_path / "out", "--seed", 3)
    assert printed == json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert printed["seed"] == 3


def test_unknown_recipe(tmp_path: Path) -> None:
    assert failure("mix", "exmaple_mix", "-o", tmp_path / "out") == (
        "unknown recipe 'exmaple_mix'. Did you mean 'example_mix'?"
    )
