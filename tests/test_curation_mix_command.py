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


GROUPS = """
total = 6
batch = 3
[[sources]]
name = "real"
group = "real"
paths = ["{0}/real_set"]
expected = 5
max_words = 1
repeat = true
[[sources]]
name = "synthetic"
group = "syn"
paths = ["{0}/synthetic_set"]
[validation]
source = "real"
count = 1
[groups]
real = {{ ratio = 1 }}
syn = {{ ratio = 2 }}
"""
EXPLAINED = """\
source     asked       found  unique  seen  repeats    share  left out
real       all        4 of 5       1     2     2.00  33.33 %  1 empty, 1 source_cap
synthetic  all             6       4     4     1.00  66.67 %  1 empty
= real     ratio 1.0               1     2     2.00  33.33 %
= syn      ratio 2.0               4     4     1.00  66.67 %

real, group real: asked all
  rows       4 in 1 dataset; 5 expected, 4 found
  available  4 rows - 1 empty - 1 held out for validation - 1 source_cap = 1
  quota      2 of group real x 1 / (1), scaled to 1 of 3 in 2 batches = 2
  resolved   2 (a whole number)
  seen       2 positions of 1 unique words: 2.00 epochs a pass

synthetic, group syn: asked all
  rows       6 in 1 dataset
  available  6 rows - 1 empty = 5
  quota      4 of group syn x 5 / (5), scaled to 2 of 3 in 2 batches = 4
  resolved   4 (a whole number)
  seen       4 positions of 4 unique words: 1.00 epochs a pass

group real: asked 1 of 3, 33.3333 %; got 2 of 6, 33.3333 %
group syn: asked 2 of 3, 66.6667 %; got 4 of 6, 66.6667 %
ratio real : syn asked 1 : 2, got 1 : 2

order      prefix within  mean a batch of 3  least  most      sd
real              0.3334             1.0000      1     1  0.0000
synthetic         0.3334             2.0000      2     2  0.0000
= real            0.3334             1.0000      1     1  0.0000
= syn             0.3334             2.0000      2     2  0.0000
any positions in a row hold a part within twice that of a prefix

"""


def test_explain_tells_where_every_number_comes_from(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(GROUPS.format(tmp_path))
    result = run("mix", recipe, "-o", tmp_path / "out", "--explain", "--dry-run")
    assert result.stdout.rpartition("would write")[0] == EXPLAINED
    assert result.stderr == "warning: source 'real' has 4 rows, not the 5 expected\n"


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
