"""What a mixture holds: counts, nesting, validation, and what is refused."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from word_sets import word, write_labels, write_words

from curation.core import recipe
from curation.core.errors import UserError
from curation.mix_recipe import MixRecipe, MixSource, Validation
from curation.mixing import mix
from curation.mixture import Mixture

HELD_OUT = Validation(source="real", count=30)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real words: 150 of which 10 fall out, and 60; rendered words: 900. Read only."""
    folder = tmp_path_factory.mktemp("sets")
    write_labels(folder / "street", [f"w{i}" if i % 15 else "!!!" for i in range(150)])
    write_labels(folder / "book", 60)
    write_labels(folder / "rendered", 900)
    return folder


def real(sets: Path, **options: Any) -> MixSource:
    return MixSource(name="real", paths=(sets / "street", sets / "book"), **options)


def synthetic(sets: Path, **options: Any) -> MixSource:
    return MixSource(name="synthetic", paths=(sets / "rendered",), **options)


def words(mixture: Mixture, start: int = 0, stop: int | None = None) -> list[tuple[int, int]]:
    numbers, rows = mixture.positions(start, len(mixture) if stop is None else stop)
    return list(zip(numbers.tolist(), rows.tolist(), strict=True))


def held_out(mixture: Mixture) -> set[tuple[int, int]]:
    numbers, rows = mixture.validation()
    return set(zip(numbers.tolist(), rows.tolist(), strict=True))


def test_manifest_counts_unique_and_seen_apart(sets: Path, tmp_path: Path) -> None:
    spec = MixRecipe(sources=(real(sets, count=400, repeat=True), synthetic(sets)), validation=HELD_OUT)
    manifest = mix(spec, tmp_path / "m", seed=3)
    source = manifest["sources"][0]
    assert {key: source[key] for key in source if key not in ("datasets", "share")} == {
        "name": "real",
        "group": None,
        "asked": "count 400",
        "n_rows": 210,
        "expected": None,
        "found": 210,
        "left_out": {"empty": 10},
        "held_out": 30,
        "available": 170,
        "quota": 400.0,
        "remainder": 0.0,
        "why": "count 400",
        "prefix_error": 0.4616,  # 6 of 13
        "per_batch": {"batch": 256, "mean": 78.8, "least": 78, "most": 79, "sd": 0.4},
        "positions": 400,
        "unique": 170,
        "repeats": 400 / 170,
    }
    assert [d["left_out"] for d in source["datasets"]] == [{"empty": 10}, {}]
    assert sum(d["held_out"] for d in source["datasets"]) == 30
    assert sum(d["unique"] for d in source["datasets"]) == 170
    assert (manifest["n_positions"], manifest["n_unique"], manifest["n_validation"]) == (1300, 1070, 30)
    assert manifest["seed"] == 3
    assert manifest["recipe"] == recipe.resolved(spec)
    assert manifest == json.loads((tmp_path / "m" / "manifest.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        "manifest.json",
        "selection.parquet",
        "validation.parquet",
    ]


def test_selection_is_plain_parquet(sets: Path, tmp_path: Path) -> None:
    mix(MixRecipe(sources=(real(sets), synthetic(sets, share=0.75))), tmp_path / "m")
    table = pq.read_table(tmp_path / "m" / "selection.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "position": "int64",
        "source": "uint8",
        "dataset": "uint8",
        "row": "uint32",
    }
    assert table["position"].to_pylist() == list(range(800))
    source = table["source"].to_numpy()
    for k in range(1, 801):
        assert abs(np.count_nonzero(source[:k] == 0) - k / 4) <= 0.5
    np.testing.assert_array_equal(source == 1, table["dataset"].to_numpy() == 2)


def test_same_inputs_give_the_same_bytes(sets: Path, tmp_path: Path) -> None:
    spec = MixRecipe(sources=(real(sets), synthetic(sets, share=0.75)), validation=HELD_OUT)
    first, second = (mix(spec, tmp_path / name, seed=1) for name in "ab")
    for name in ("selection.parquet", "validation.parquet", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    other = mix(spec, tmp_path / "c", seed=2)
    assert first["fingerprint"] == second["fingerprint"] != other["fingerprint"]


def test_fingerprint_depends_on_content_not_on_place(sets: Path, tmp_path: Path) -> None:
    shutil.copytree(sets, tmp_path / "moved")
    here, there = (
        mix(MixRecipe(sources=(real(folder),)), tmp_path / "m", dry_run=True)
        for folder in (sets, tmp_path / "moved")
    )
    assert here["fingerprint"] == there["fingerprint"]


def test_smaller_mixtures_are_contained_in_larger_ones(sets: Path, tmp_path: Path) -> None:
    chosen = []
    for n in (10, 40, 170):
        spec = MixRecipe(sources=(real(sets, count=n), synthetic(sets, count=3 * n)), validation=HELD_OUT)
        mix(spec, tmp_path / str(n), seed=5)
        chosen.append(set(words(Mixture.open(tmp_path / str(n)))))
    assert [len(c) for c in chosen] == [40, 160, 680]
    assert chosen[0] < chosen[1] < chosen[2]


def test_validation_words_are_the_same_for_every_volume_and_ratio(sets: Path, tmp_path: Path) -> None:
    recipes = {
        "small": MixRecipe(sources=(real(sets, count=20),), validation=HELD_OUT),
        "all": MixRecipe(sources=(real(sets), synthetic(sets, share=0.5)), validation=HELD_OUT),
        "many": MixRecipe(sources=(real(sets, count=500, repeat=True),), validation=HELD_OUT),
    }
    held = []
    for name, spec in recipes.items():
        mix(spec, tmp_path / name)
        mixture = Mixture.open(tmp_path / name)
        held.append(held_out(mixture))
        assert len(held[-1]) == 30
        assert not held[-1] & set(words(mixture))
    assert held[0] == held[1] == held[2]
    mix(recipes["all"], tmp_path / "other seed", seed=1)
    assert held_out(Mixture.open(tmp_path / "other seed")) != held[0]


def test_copies_of_validation_words_in_other_sources_are_held_out_too(tmp_path: Path) -> None:
    write_labels(tmp_path / "set", 40)
    write_words(tmp_path / "copy", [word(f"set:{i}") for i in range(40)])
    spec = MixRecipe(
        sources=(
            MixSource(name="real", paths=(tmp_path / "set",)),
            MixSource(name="more", paths=(tmp_path / "copy",)),
        ),
        validation=Validation(source="real", count=15),
    )
    manifest = mix(spec, tmp_path / "m")
    assert [s["positions"] for s in manifest["sources"]] == [25, 25]
    assert [(s["held_out"], s["left_out"]) for s in manifest["sources"]] == [
        (15, {}),
        (0, {"in_validation": 15}),
    ]
    mixture = Mixture.open(tmp_path / "m")
    assert not {row for _, row in held_out(mixture)} & {row for _, row in words(mixture)}


def test_repeats_come_lap_by_lap(sets: Path, tmp_path: Path) -> None:
    mix(MixRecipe(sources=(real(sets, count=500, repeat=True),)), tmp_path / "m")
    order = words(Mixture.open(tmp_path / "m"))
    laps = [order[:200], order[200:400], order[400:]]
    assert set(laps[0]) == set(laps[1]) > set(laps[2])
    assert laps[0] != laps[1]
    assert [len(set(lap)) for lap in laps] == [200, 200, 100]
    assert set(laps[2]) == set(laps[0][:100]), "the part of a lap is nested as well"


def test_a_source_without_words_cannot_repeat(tmp_path: Path) -> None:
    write_labels(tmp_path / "signs", ["!!!", "???"])
    spec = MixRecipe(sources=(MixSource(name="signs", paths=(tmp_path / "signs",), count=5, repeat=True),))
    with pytest.raises(UserError) as caught:
        mix(spec, tmp_path / "m")
    assert str(caught.value) == (
        "mix recipe: source 'signs' has 0 words, fewer than the 5 asked for. Ask for less, or add datasets."
    )


def test_more_validation_than_words(sets: Path, tmp_path: Path) -> None:
    spec = MixRecipe(sources=(real(sets),), validation=Validation(source="real", count=201))
    with pytest.raises(UserError) as caught:
        mix(spec, tmp_path / "m")
    assert str(caught.value) == (
        "mix recipe, validation: source 'real' has 200 words, fewer than the 201 to hold out. Lower count."
    )


def test_a_dataset_named_twice(sets: Path, tmp_path: Path) -> None:
    again = MixSource(name="again", paths=(sets / "." / "book" / ".." / "book",))
    with pytest.raises(UserError) as caught:
        mix(MixRecipe(sources=(real(sets), again)), tmp_path / "m")
    assert str(caught.value) == (
        f"mix recipe: dataset {again.paths[0]} is named twice. Name it once, or pick other rows with 'only'."
    )


def test_missing_dataset_and_existing_output(sets: Path, tmp_path: Path) -> None:
    gone = MixSource(name="gone", paths=(tmp_path / "gone",))
    with pytest.raises(UserError) as caught:
        mix(MixRecipe(sources=(gone,)), tmp_path / "m")
    assert str(caught.value) == (
        f"mix recipe: a dataset is absent:\n  {tmp_path / 'gone'} of source 'gone'\n"
        "Make it with 'glyphmix import' or 'glyphmix render', or skip it with --skip-absent."
    )
    with pytest.raises(UserError) as caught:
        mix(MixRecipe(sources=(real(sets),)), sets)
    assert str(caught.value) == f"output {sets} exists already. Remove it or give another name with -o."


def test_full_disk_leaves_nothing(sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(UserError) as caught:
        mix(MixRecipe(sources=(real(sets),)), tmp_path / "m")
    assert str(caught.value) == (
        f"the disk is full, writing to {tmp_path / 'm'}. Free some space and run it again."
    )
    assert not list(tmp_path.iterdir())


def test_a_killed_run_leaves_a_draft_that_the_next_one_clears(sets: Path, tmp_path: Path) -> None:
    (tmp_path / ".m.tmp").mkdir()
    (tmp_path / ".m.tmp" / "selection.parquet").write_bytes(b"half")
    mix(MixRecipe(sources=(real(sets),)), tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
