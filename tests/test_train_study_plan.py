from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_fakes import dataset, write
from study_tiny import ADDED, REAL, RENDERED, TINY, lay_out, recipe, toml

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.mixing import mix
from train.study.ablate_command import ablate as ablate_command
from train.study.plan import grid_table, mixture_of, plan
from train.study.rows import Study


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def test_test_words_among_those_trained_on_are_counted_by_picture_and_uid(words: Path) -> None:
    """Of the 7 words of ``mixed`` 4 have the picture of a real word, and 2 the uid of a rendered one."""
    same_pictures = Dataset.open(words / "real").take([1, 2, 3, 4], ["image"])
    pictures = [row["image"]["bytes"] for row in same_pictures]
    uids = ["rendered:5", "a", "b", "c", "d", "rendered:6", "e"]
    own = [row["image"]["bytes"] for row in Dataset.open(words / "test_a").take([0, 1, 2], ["image"])]
    write(words / "mixed", [pictures[0], *pictures[1:], *own], uids=uids)
    study = plan(recipe(tests=["test_a", "mixed"]), words / "out")
    counted = {entry["name"]: entry.get("n_shared") for entry in study.datasets}
    assert counted == {"real": None, "rendered": None, "test_a": 0, "mixed": 5}
    assert study.remarks[1:] == (
        "5 words of mixed are among the words trained on (the same picture or uid), so accuracy on it is "
        "flattered. Take them out of one of the two.",
    )


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            1,
            "{out} has format 1, of a study of one design, which this glyphmix no longer reads. "
            "Run the study anew, with the recipe's parts and designs as lists.",
        ),
        (3, "{out} has format 3; this glyphmix reads up to 2. Update it."),
    ],
)
def test_a_study_of_another_format_is_refused(words: Path, number: int, message: str) -> None:
    out = words / "out"
    out.mkdir()
    (out / "study.json").write_text(json.dumps({"format": number, "kind": "study"}))
    for opens in (lambda: plan(recipe(), out), lambda: Study.open(out)):
        with pytest.raises(UserError) as refusal:
            opens()
        assert str(refusal.value) == message.format(out=out)


def test_cells_have_the_words_that_every_seed_leaves(words: Path) -> None:
    """Ten words of ``more`` are real ones, and some of these are held out: others for other seeds."""
    pictures = [row["image"]["bytes"] for row in Dataset.open(words / "real").take(range(10), ["image"])]
    write(words / "more", pictures, uids=[f"real:{i}" for i in range(10)])
    parts = [REAL, {"name": "more", "kind": "real", "paths": ["more"]}]
    ladder = {"kind": "composition", "rungs": [["real", "more"]]}
    left = [plan(recipe(ladder, parts=parts, seeds=[seed]), words / "out").cells[0] for seed in range(3)]
    together = plan(recipe(ladder, parts=parts, seeds=[0, 1, 2]), words / "out")
    counts = [cell.words["more"] for cell in left]
    assert len(set(counts)) > 1
    assert together.cells[0].words == {"real": 40, "more": min(counts)}
    for seed in range(3):
        mix(mixture_of(together.recipe, together.cells[0].words), words / f"mix{seed}", seed=seed)


def test_words_of_a_test_set_are_not_trained_on(words: Path) -> None:
    from curation.core import shards
    from curation.core.sample import Sample

    row = Dataset.open(words / "real").take([1], ["image"])[0]["image"]["bytes"]
    shards.start(words / "theirs", {"command": "test", "name": "theirs", "seed": 0})
    one = {"image": row, "label": "ab", "size": (80, 32), "source": "s", "dhash128": b"\0" * 16}
    shards.write_shard(words / "theirs", 0, [Sample(uid=f"{s}", split=s, **one) for s in ("train", "test")])
    shards.finish(words / "theirs")
    with pytest.raises(UserError) as refusal:
        plan(recipe(parts=[REAL, {**RENDERED, "paths": ["rendered", "theirs"]}]), words / "out")
    assert str(refusal.value) == (
        "part rendered has 1 word of a test set: rows of split 'test' in theirs. "
        "Give the set's training part."
    )


def test_words_that_two_parts_hold_are_told_where_a_cell_has_both(words: Path) -> None:
    """Of the 5 words of ``more`` 3 are real ones."""
    pictures = [row["image"]["bytes"] for row in Dataset.open(words / "real").take([1, 2, 3], ["image"])]
    own = [row["image"]["bytes"] for row in Dataset.open(words / "test_a").take([0, 1], ["image"])]
    write(words / "more", [*pictures, *own], uids=list("abcde"))
    parts = [REAL, {"name": "more", "kind": "real", "paths": ["more"]}]
    ladder = {"kind": "composition", "rungs": [["real"], ["more"]]}
    apart = plan(recipe(ladder, parts=parts), words / "out")
    both = plan(recipe({**ladder, "rungs": [["real", "more"]]}, parts=parts), words / "out")
    told = (
        "3 words of more are among those of real (the same picture or uid), so cells with both have fewer "
        "different words than they count. Take them out of one of the two."
    )
    assert apart.copies == both.copies == {("real", "more"): 3}
    assert told in both.remarks
    assert told not in apart.remarks


def test_a_plan_says_when_runs_end_before_they_have_seen_their_words(words: Path) -> None:
    (words / "study.toml").write_text(toml(train={**TINY, "steps": 6}))
    said = (
        "96 samples are fewer than the different words of real40-rendered120 and rendered120 (up to 160): "
        "the rest is never seen and teaches nothing. Raise steps."
    )
    shown = CliRunner().invoke(ablate_command, ["study.toml", "-o", "out", "--dry-run"])
    assert shown.stdout.endswith(f"\n\n{said}\n")


def test_the_grid_is_counted_before_anything_runs(words: Path) -> None:
    assert grid_table(plan(recipe(), words / "out")) == (
        "| run                   | real | rendered | different words | samples seen | passes |\n"
        "| --------------------- | ---: | -------: | --------------: | -----------: | -----: |\n"
        "| real40-s0             |   40 |        0 |              40 |          192 |    4.8 |\n"
        "| real40-rendered40-s0  |   40 |       40 |              80 |          192 |    2.4 |\n"
        "| real40-rendered120-s0 |   40 |      120 |             160 |          192 |    1.2 |\n"
        "| rendered120-s0        |    0 |      120 |             120 |          192 |    1.6 |"
    )
    assert not (words / "out").exists()


def test_fixed_total_keeps_the_volume(words: Path) -> None:
    shares = {"kind": "fixed_total", "ratios": [0, 0.5, 3], "synthetic_only": True}
    grid = plan(recipe(shares), words / "out").cells
    assert [cell.words for cell in grid] == [
        {"real": 40},
        {"real": 27, "rendered": 13},
        {"real": 10, "rendered": 30},
        {"rendered": 40},
    ]


def test_fixed_real_keeps_as_many_real_words_as_it_is_told(words: Path) -> None:
    few = {"kind": "fixed_real", "ratios": [0, 2], "n_real": 30, "synthetic_only": True}
    study = plan(recipe(few), words / "out")
    assert [cell.words for cell in study.cells] == [
        {"real": 30},
        {"real": 30, "rendered": 60},
        {"rendered": 60},
    ]
    assert study.designs[0]["sentence"].startswith("The same 30 real words are in every cell with real words")


def test_a_cell_of_two_designs_is_run_once(words: Path) -> None:
    moved = {"kind": "volume", "ratio": 1, "totals": [20, 80]}
    study = plan(recipe({**ADDED, "synthetic_only": False}, moved, held_out="largest"), words / "out")
    assert [cell.name for cell in study.cells] == [
        "real40",
        "real40-rendered40",
        "real40-rendered120",
        "real10-rendered10",
    ]
    assert [place["cell"] for place in study.designs[1]["places"]] == [
        "real10-rendered10",
        "real40-rendered40",
    ]
    assert study.held_out == ("real40-rendered40", "real40-rendered120")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"designs": [{**ADDED, "ratios": [0, 4]}]},
            "design fixed_real needs 160 rendered words at ratio 4, and there are 120. "
            "Make more of them, or let the design ask for fewer.",
        ),
        (
            {"designs": [{**ADDED, "n_real": 41}]},
            "design fixed_real needs 41 real words at every ratio, and there are 40. "
            "Make more of them, or let the design ask for fewer.",
        ),
        (
            {"parts": [{**REAL, "count": 50}, RENDERED]},
            "beside the 20 held out there are 40 real words, fewer than the 50 asked for. "
            "Add datasets to its paths, or lower count or validation.",
        ),
        (
            {"parts": [REAL, {**RENDERED, "count": 500}]},
            "there are 120 rendered words, fewer than the 500 asked for. "
            "Add datasets to its paths, or lower count.",
        ),
        (
            {"validation": 61},
            "part real has 60 words, fewer than the 61 to hold out. "
            "Lower validation, or add datasets to the paths of the part.",
        ),
        (
            {"validation": 60},
            "design fixed_real has no words at ratio 0. None of real can be trained on: lower validation, or "
            "add datasets.",
        ),
        ({"tests": ["test_a", "test_a"]}, "test set test_a is named twice. Name it once."),
        (
            {"tests": ["real"]},
            "test set real is also trained on, as real. Take it out of one of the two.",
        ),
        (
            {"tests": ["unreadable"]},
            "test set unreadable has no word that counts under protocol parseq36 (3 empty). "
            "Check its labels, or choose another protocol.",
        ),
        ({"tests": ["nowhere"]}, "dataset nowhere does not exist. Check the path."),
        (
            {"designs": [{"kind": "fixed_total", "ratios": [0], "total": 100}]},
            "design fixed_total needs 100 real words at ratio 0, and there are 40. "
            "Make more of them, or let the design ask for fewer.",
        ),
        (
            {"designs": [{**ADDED, "ratios": [1, 1]}]},
            "study.toml, designs[0] (fixed_real): ratios must be different numbers of 0 or more, "
            "got [1.0, 1.0].",
        ),
        (
            {"designs": [{**ADDED, "n_real": 0}]},
            "study.toml, designs[0] (fixed_real): n_real must be 1 or more, got 0.",
        ),
        (
            {"parts": [REAL, {**RENDERED, "name": "real"}]},
            "study.toml: two parts are named 'real'; give one of them another name.",
        ),
        (
            {"parts": [REAL]},
            "design fixed_real needs synthetic words, and the recipe has none. "
            'Add a table [[parts]] with kind = "synthetic".',
        ),
        (
            {"parts": [RENDERED]},
            "study.toml: no part is real, so no real words can be held out to choose by; "
            'add a part of kind = "real", even if no design trains on it.',
        ),
        (
            {"parts": [{**REAL, "name": "my words"}, RENDERED]},
            "study.toml, parts[0]: name must be made of letters, digits, '_', '-' and '.', as folders are "
            "named after it, got 'my words'.",
        ),
        (
            {"designs": [ADDED, ADDED]},
            "study.toml: two designs are named 'fixed_real'; give one of them another name.",
        ),
        ({"designs": []}, "study.toml: there are no designs; add a table [[designs]]."),
        (
            {"train": {**TINY, "mixture": "m"}},
            "study.toml: train must name no mixture; a study makes its own.",
        ),
        (
            {"train": {**TINY, "rendered": {"recipe": "mjst_plus"}}},
            "study.toml: train must render no words; a study has its own, in parts of kind synthetic.",
        ),
        (
            {"protocol": "exact"},
            "protocol exact has no charset to learn. Train with parseq36 or parseq94.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_run(
    words: Path, changes: dict[str, Any], message: str
) -> None:
    dataset(words / "unreadable", 3, labels=["!", "?", "!?"])
    with pytest.raises(UserError) as refusal:
        plan(recipe(**changes), words / "out")
    assert str(refusal.value) == message
    assert not (words / "out").exists()


def test_dry_run_prints_the_grid_and_writes_nothing(words: Path) -> None:
    (words / "study.toml").write_text(toml())
    shown = CliRunner().invoke(ablate_command, ["study.toml", "-o", "out", "--dry-run"])
    assert shown.stdout.splitlines()[2].startswith("| real40-s0 ")
    assert not (words / "out").exists()


def test_seeds_name_their_runs(words: Path) -> None:
    study = plan(replace(recipe({**ADDED, "ratios": [0, 1]}), seeds=(0, 7)), words / "out")
    assert [found.name for found in study.runs] == [
        "real40-s0",
        "real40-s7",
        "real40-rendered40-s0",
        "real40-rendered40-s7",
        "rendered40-s0",
        "rendered40-s7",
    ]
