"""From publishers' files to a mixture in one command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from published_sets import failure, run, write_iiit5k, write_png, write_tsv

from curation.core import recipe
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import read_json
from curation.curate_command import RECIPES
from curation.curate_recipe import CurationRecipe, load_curation
from curation.curating import Job, as_text, curate
from curation.mixture import Mixture

SETS = """
[[sets]]
name = "first"
format = "tsv"
path = "first/labels.tsv"
group = "real"
expected = 12

[[sets]]
name = "drawn"
format = "tsv"
path = "drawn/labels.tsv"
group = "synthetic"
clean = false

[[tests]]
name = "measured"
format = "tsv"
path = "measured/labels.tsv"
split = "test"
"""
STAGES = """
[filter]
max_dropped = 0.5
[[filter.filters]]
kind = "illegible"

[dedupe]
[decontaminate]

[mix]
protocol = "exact"
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Twelve words, of which one is illegible, one a copy of another, and one a copy of a test word."""
    folder = tmp_path / "raw"
    words = {f"{i}.png": f"word{i}" for i in range(12)} | {"3.png": "###"}
    write_tsv(folder / "first", words)
    write_tsv(folder / "drawn", {f"d{i}.png": "word" for i in range(30)})
    write_tsv(folder / "measured", {f"m{i}.png": f"test{i}" for i in range(4)})
    shutil.copy(folder / "first" / "7.png", folder / "first" / "8.png")
    labels = folder / "first" / "labels.tsv"
    labels.write_text(labels.read_text().replace("word8", "word7"))
    shutil.copy(folder / "first" / "5.png", folder / "measured" / "m0.png")
    labels = folder / "measured" / "labels.tsv"
    labels.write_text(labels.read_text().replace("test0", "word5"))
    return folder


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(SETS + STAGES)
    return path


def content(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def told(out: Path) -> dict[str, bytes]:
    """All but the files that say where the datasets lie."""
    return {name: data for name, data in content(out) if name != "mixture/manifest.json"}


def test_every_stage_counts_what_it_left(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    result = run("curate", recipe_file, "--data", raw, "-o", tmp_path / "out", "-j", 1)
    assert result.stdout.splitlines() == [
        "set    group      expected  annotated  imported  filtered  unique  clean  mixed",
        "first  real             12         12        12        11      10      9      9",
        "drawn  synthetic         -         30        30         -       -      -     30",
    ]
    clean = Dataset.open(tmp_path / "out" / "clean").table(["uid"])["uid"].to_pylist()
    assert clean == [f"first:{i}.png" for i in (0, 1, 2, 4, 6, 7, 9, 10, 11)]
    mixture = Mixture.open(tmp_path / "out" / "mixture")
    assert len(mixture) == 39
    assert [source["name"] for source in mixture.manifest["sources"]] == ["first", "drawn"]
    facts = read_json(tmp_path / "out" / "curation.json")
    assert facts["absent"] == []
    assert facts["recipe"]["sets"][1]["clean"] is False


def test_a_rerun_goes_on_and_ends_the_same(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    spec = load_curation(recipe_file, RECIPES)
    whole = Job(spec=spec, name="own", data=raw, out=tmp_path / "whole" / "out")
    curate(whole)
    said: list[str] = []

    def dies(text: str) -> None:
        said.append(text.split(":")[0])
        raise KeyboardInterrupt

    broken = Job(spec=spec, name="own", data=raw, out=tmp_path / "broken" / "out")
    for _ in range(6):
        with pytest.raises(KeyboardInterrupt):
            curate(broken, dies)
    curate(broken, said.append)
    assert said[:6] == ["first", "drawn", "measured", "filtered", "unique", "clean"]
    assert said[6].startswith("mixture: 39 positions")
    assert told(broken.out) == told(whole.out)
    before = dict(content(broken.out))
    curate(broken)
    assert dict(content(broken.out)) == before


def test_another_curation_is_refused(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    out = tmp_path / "out"
    run("curate", recipe_file, "--data", raw, "-o", out, "-j", 1)
    recipe_file.write_text(SETS + STAGES.replace("exact", "parseq36"))
    assert failure("curate", recipe_file, "--data", raw, "-o", out, "--seed", 1) == (
        f"output {out} holds a curation that differs in: recipe, seed. "
        "Repeat the command it was begun with, or give another name with -o."
    )
    (raw / "first" / "labels.tsv").write_text("1.png\tother\n")
    recipe_file.write_text(SETS + STAGES)
    assert failure("curate", recipe_file, "--data", raw, "-o", out) == (
        f"{raw / 'first' / 'labels.tsv'} has changed since {out / 'sets' / 'first'} was made of it. "
        f"Give another name with -o, or remove {out}."
    )
    (tmp_path / "taken").mkdir()
    assert failure("curate", recipe_file, "--data", raw, "-o", tmp_path / "taken") == (
        f"output {tmp_path / 'taken'} exists already and is no curation. Give another name with -o."
    )


def test_absent_sets_are_listed_or_passed_over(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    shutil.rmtree(raw / "drawn")
    shutil.rmtree(raw / "measured")
    out = tmp_path / "out"
    assert failure("curate", recipe_file, "--data", raw, "-o", out) == (
        "2 of the 3 sets of own.toml are absent. Put them where the recipe expects them, or leave them out "
        "with --skip-absent:\n"
        f"  drawn: {raw / 'drawn' / 'labels.tsv'}\n"
        f"  measured: {raw / 'measured' / 'labels.tsv'}"
    )
    assert not out.exists()
    result = run("curate", recipe_file, "--data", raw, "-o", out, "--skip-absent", "-j", 1)
    assert result.stdout.endswith("\nabsent test sets, copies of whose words were not looked for: measured\n")
    facts = read_json(out / "curation.json")
    assert facts["absent"] == ["drawn", "measured"]
    row = as_text(facts).splitlines()[2]
    assert row == "drawn  synthetic         -     absent         -         -       -      -"
    assert [row.get("mixed") for row in facts["funnel"]] == [10, None], "nothing to decontaminate against"
    shutil.rmtree(raw / "first")
    assert failure("curate", recipe_file, "--data", raw, "-o", out, "--skip-absent") == (
        f"not one training set of own.toml lies below {raw}. Check --data."
    )
    assert failure("curate", recipe_file, "--data", raw / "x", "-o", out) == (
        f"folder {raw / 'x'} does not exist. Give the folder of raw sets with --data."
    )


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_what_would_end_it_is_found_before_the_first_import(
    tmp_path: Path, raw: Path, recipe_file: Path, dry_run: list[str]
) -> None:
    command = ["curate", recipe_file, "--data", raw, "-o", tmp_path / "out", "--skip-absent", *dry_run]
    text = SETS.replace('"tsv"\npath = "measured/labels.tsv"', '"svt"\npath = "measured"')
    recipe_file.write_text(text + STAGES)
    assert failure(*command) == (
        f"{raw / 'measured'} holds no test.xml. "
        "Give the folder of Street View Text as its publisher packs it."
    )
    recipe_file.write_text(SETS + STAGES + '[mix.validation]\nsource = "drawn"\ncount = 3\n')
    shutil.rmtree(raw / "drawn")
    assert failure(*command) == (
        "own.toml, mix: validation names the source 'drawn'; known: first. "
        "The mixture cannot do without the absent sets: drawn."
    )
    assert not (tmp_path / "out").exists()


def test_a_curation_killed_at_its_first_step_goes_on(
    tmp_path: Path, raw: Path, recipe_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(spec=load_curation(recipe_file, RECIPES), name="own", data=raw, out=tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("curation.curating.write_json", None)
        with pytest.raises(TypeError):
            curate(job)
    assert curate(job)["absent"] == []


def test_what_a_killed_stage_left_is_removed(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    job = Job(spec=load_curation(recipe_file, RECIPES), name="own", data=raw, out=tmp_path / "out")
    curate(job)
    before = dict(content(job.out))
    for left in ("unique/.build", "sets/first/.build", "sets/.drawn.tmp"):
        (job.out / left).mkdir()
        (job.out / left / "00000.json").write_text("{}")
    (job.out / ".filtered.lock").touch()
    curate(job)
    assert dict(content(job.out)) == before


def test_dry_run_writes_nothing(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    result = run("curate", recipe_file, "--data", raw, "-o", tmp_path / "out", "--dry-run", "--json")
    assert json.loads(result.stdout) == {"present": ["first", "drawn", "measured"], "absent": []}
    assert not (tmp_path / "out").exists()


def test_options_of_importers_come_from_the_recipe(tmp_path: Path) -> None:
    write_iiit5k(tmp_path / "raw" / "iiit5k", {"train/1.png": "one"})
    path = tmp_path / "own.toml"
    path.write_text('[[sets]]\nname = "a"\nformat = "iiit5k"\npath = "iiit5k"\noptions = {croop = "box"}\n')
    with pytest.raises(UserError) as caught:
        load_curation(path, RECIPES)
    assert str(caught.value).startswith("unknown key 'croop' in own.toml, sets[0], options. ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sets = []", "own.toml: there are no sets; add a table [[sets]]."),
        (
            SETS.replace('"drawn"\nformat', '"first"\nformat'),
            "own.toml: two sets are called 'first'; give each a name of its own.",
        ),
        (
            SETS.replace('split = "test"', ""),
            "own.toml: test set 'measured' is of split 'train'; give the split it is measured on.",
        ),
        (
            SETS.split("[[tests]]")[0] + "[decontaminate]",
            "own.toml: decontaminate needs test sets; add a table [[tests]].",
        ),
        (
            SETS.replace('"drawn/labels.tsv"', '"../labels.tsv"'),
            "own.toml, sets[1]: path '../labels.tsv' must lie below the folder given with --data.",
        ),
        (SETS + "base = 3", None),
    ],
)
def test_recipes_that_do_not_fit(tmp_path: Path, text: str, message: str | None) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text if message else "base = 3\n" + SETS)
    with pytest.raises(UserError) as caught:
        load_curation(path, RECIPES)
    assert str(caught.value) == (message or "own.toml, base must be a text, got 3. Name another recipe.")


def test_a_source_of_the_mixture_must_be_a_set(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    recipe_file.write_text(SETS + STAGES + '[[mix.sources]]\nname = "second"\nweight = 1.0\n')
    assert failure("curate", recipe_file, "--data", raw, "-o", tmp_path / "out", "-j", 1) == (
        "own.toml, mix names the source 'second'. Known sets: first, drawn."
    )


@pytest.mark.parametrize("name", ["rebu_syn", "rebu_syn_dedup", "scene_words"])
def test_shipped_recipes_fit(name: str) -> None:
    spec = load_curation(recipe.find(name, RECIPES), RECIPES)
    assert isinstance(spec, CurationRecipe)
    if name != "scene_words":
        by_group = {group: 0 for group in ("real/R", "real/E", "real/B", "real/U", "synthetic")}
        for one in spec.sets:
            by_group[one.group] += one.expected or 0
        assert by_group == {
            "real/R": 2_632_327,
            "real/E": 15_421,
            "real/B": 7_567,
            "real/U": 3_100_000,
            "synthetic": 15_600_000,
        }
        assert all(one.clean == (one.group != "synthetic") for one in spec.sets)


def test_a_broken_set_stops_before_the_next(tmp_path: Path, raw: Path, recipe_file: Path) -> None:
    for i in range(6):
        write_png(raw / "first" / f"{i}.png")
        (raw / "first" / f"{i}.png").write_bytes(b"no picture")
    assert failure("curate", recipe_file, "--data", raw, "-o", tmp_path / "out", "-j", 1).startswith(
        "6 of 12 words of the source are unusable, more than the share of 0.01 allowed: 6 broken_image"
    )
    assert not (tmp_path / "out" / "sets" / "drawn").exists()
